/** Every request that was recorded from a real 4.2.4 (`infra/pulsar/record_admin.ts`), sent to the embedded broker in the same order. */
import assert from "node:assert/strict";
import { testBroker, topicNamed } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";
import type { RecordedCall } from "../../../infra/pulsar/record_admin.ts";

const CALLS: readonly RecordedCall[] = JSON.parse(
  await Deno.readTextFile(new URL("../../golden/pulsar_admin.json", import.meta.url)),
);

/** Where the answers may differ, and why. The status never may. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "GET /admin/v2/brokers/version": "it says what it is",
  "GET /admin/v2/brokers/standalone": "another port",
  "GET /admin/v2/clusters/standalone": "another port",
  "GET /lookup/v2/topic/persistent/public/default/single": "another port",
  "PUT /admin/v2/persistent/golden/one/no-partitions/partitions": "the words of Java's JSON parser",
  "POST /admin/v2/schemas/golden/one/single/schema": "the words of Java's AVRO, and Jetty's page",
  "POST /admin/v2/schemas/golden/one/single/compatibility": "the words of Java's AVRO",
  "POST /admin/v2/schemas/public/default/sch/schema": "Jetty's page",
  "GET /admin/v2/no/such/path": "Jetty's page",
  "GET /lookup/v2/topic/persistent/public/default/nope-nope": "another port",
  "GET /lookup/v2/topic/non-persistent/public/default/x": "another port",
  "GET /lookup/v2/topic/persistent/public/default/single/bundle": "one broker has one bundle",
};

/** What Pulsar does and this broker refuses rather than forgets. */
const REFUSED = new Set(["POST /admin/v2/namespaces/t1/n1/encryptionRequired"]);

/** Of a real broker's statistics; this one has nothing to say of them. */
const ABSENT = new Set([
  "delayedMessageIndexSizeInBytes",
  "nonContiguousDeletedMessagesRanges",
  "nonContiguousDeletedMessagesRangesSerializedSize",
  "earliestMsgPublishTimeInBacklogs",
  "topicCreationTimeStamp",
  "lastPublishTimeStamp",
  "ownerBroker",
  "consumersAfterMarkDeletePosition",
  "drainingHashesCount",
  "drainingHashesClearedTotal",
  "drainingHashesUnackedMessages",
  "dispatchThrottledMsgEventsBySubscriptionLimit",
  "dispatchThrottledBytesEventsBySubscriptionLimit",
  "dispatchThrottledMsgEventsByTopicLimit",
  "dispatchThrottledBytesEventsByTopicLimit",
  "dispatchThrottledMsgEventsByBrokerLimit",
  "dispatchThrottledBytesEventsByBrokerLimit",
  // Deduplication is a document here and a subscription there.
  "pulsar.dedup",
  "lastLedgerCreatedTimestamp",
  "lastLedgerSwitchTimestamp",
]);

async function ask(broker: TestBroker, { method, path, body }: RecordedCall) {
  const answer = await fetch(`${broker.adminUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    text: await answer.text(),
    contentType: answer.headers.get("content-type"),
  };
}

const BATCH = new Uint8Array(100);

/** What the recording's own preparation did: four messages to one topic, three batches to another one, read and acknowledged. */
async function prepare(broker: TestBroker): Promise<void> {
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("single"));
  for (let i = 0; i < 4; i++) await client.publish(i, "x");
  await client.subscribe(topicNamed("exclusive"));
  await client.produce(topicNamed("exclusive"), { producerId: 1, producerName: "batches" });
  for (let i = 0; i < 3; i++) {
    const options = { producerId: 1, producerName: "batches", messageCount: 5 };
    await client.write(
      sendFrame({ ...options, sequenceId: 5 * i, highestSequenceId: 5 * i + 4, payload: BATCH }),
    );
    const { messageId } = await client.expect("SEND_RECEIPT");
    await client.send("ACK", { consumerId: 0, ackType: 1, messageId: [messageId!] });
  }
  await client.caughtUp();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Lists without their order, which in Java is a hash's. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}

/** Ledgers and times have other numbers each time. */
function comparable(text: string): string {
  return text.replace(/"(timestamp|ledgerId|entryId|batchIndex)":-?\d+/g, '"$1":0')
    .replace(/for subscription s\d/g, "for subscription")
    .replace(/,"(outstandingAcksInSameBatch|originalBatchSize)":0/g, "");
}

function assertHasKeys(golden: unknown, own: unknown, at: string): void {
  if (typeof golden !== "object" || golden === null || Array.isArray(golden)) {
    assert.equal(typeof own, typeof golden, at);
    return;
  }
  for (const [key, value] of Object.entries(golden)) {
    if (ABSENT.has(key)) continue;
    const there = (own as Record<string, unknown> | undefined)?.[key];
    assert.notEqual(there, undefined, `${at}.${key} is missing`);
    assertHasKeys(value, there, `${at}.${key}`);
  }
}

Deno.test("the admin interface answers what a real 4.2.4 was recorded to answer", async (test) => {
  await using broker = await testBroker();
  await prepare(broker);
  for (const [i, call] of CALLS.entries()) {
    const name = `${call.method} ${call.path}`;
    await test.step(`${i}: ${name}`, async () => {
      const own = await ask(broker, call);
      if (REFUSED.has(name) && call.body === true) {
        assert.equal(own.status, 405);
        return;
      }
      assert.equal(own.status, call.status, own.text);
      // The batches of the recording held other messages.
      if (DIFFERENT[name] !== undefined || /exclusive\/examinemessage/.test(name)) return;
      if (/[sS]tats(\?|$)/.test(name) && call.status === 200) {
        assertHasKeys(parsed(call.text), parsed(own.text), "stats");
        return;
      }
      assert.equal(own.contentType, call.contentType);
      assert.equal(own.text.startsWith('"'), call.text.startsWith('"'), own.text);
      assert.deepEqual(sorted(parsed(comparable(own.text))), sorted(parsed(comparable(call.text))));
    });
  }
});
