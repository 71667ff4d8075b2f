/** The backlog quota by age; by size it is in broker_test.ts. Messages of raw clients say that they were published in 1970. */
import assert from "node:assert/strict";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { untilTrue } from "../../until_true.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";
import { HandProducer, openTopicOn } from "./_topic.ts";

const TOPIC = topicNamed("old");
const HOUR_MS = 3_600_000;

Deno.test("enforceQuota() closes producers while the oldest message is too old", async () => {
  const policies = { backlogAgeMsMax: HOUR_MS, backlogAgePolicy: "producer_exception" } as const;
  await using broker = await testBroker({ policies });
  await using consumer = await RawClient.connect(broker.port);
  await consumer.subscribe(TOPIC);
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.publish(0, "old");
  await client.expect("CLOSE_PRODUCER");
  const refused = await client.produce(TOPIC, { epoch: 1 });
  assert.equal(
    refused.type === "ERROR" && refused.body.error,
    ServerError.ProducerBlockedQuotaExceededException,
  );
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 1 });
  const { messageId } = (await consumer.message()).body;
  await consumer.request("ACK", { consumerId: 0, ackType: 1, messageId: [messageId] });
  assert.equal((await client.produce(TOPIC, { epoch: 2 })).type, "PRODUCER_SUCCESS");
});

Deno.test("enforceQuota() moves slow subscriptions over what is too old", async () => {
  const policies = {
    backlogAgeMsMax: HOUR_MS,
    backlogAgePolicy: "consumer_backlog_eviction",
  } as const;
  await using broker = await testBroker({ policies });
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC);
  await client.produce(TOPIC);
  await client.publish(0, "old");
  await untilTrue("the subscription has no backlog", async () => {
    const answer = await fetch(`${broker.adminUrl}/admin/v2/persistent/public/default/old/stats`);
    return (await answer.json()).subscriptions.sub.msgBacklog === 0;
  });
  // Producers are left alone.
  await client.publish(1, "older");
});

Deno.test("enforceQuota() moves slow subscriptions to the end of as many segments as it must, and no further", async () => {
  const { topic } = await openTopicOn(undefined, {
    policies: { backlogBytesMax: 9_000, backlogPolicy: "consumer_backlog_eviction" },
  });
  const options = { isDurable: true, markDelete: () => topic.log.beforeFirst };
  const [slow, fast] = [topic.subscribe("slow", options), topic.subscribe("fast", options)];
  const hand = new HandProducer(topic);
  for (let i = 0; i < 400; i++) {
    hand.send(i, { payload: `message ${i}` });
    topic.flush();
  }
  const last = topic.log.last!;
  const segment = { ...last, entryId: last.entryId - 1 };
  fast.ackCumulative(segment);
  topic.enforceQuota();
  const { ledgerId, entryId } = slow.cursor.markDelete;
  const there = topic.log.segmentOf(ledgerId)!;
  assert.equal(entryId, there.index.entryCount - 1);
  assert.ok(topic.backlogBytes() < 9_000, `${topic.backlogBytes()} bytes`);
  const before = topic.backlogBytes() + there.index.sizeBytes;
  assert.ok(before >= 9_000, `${before} bytes were too much`);
  assert.deepEqual(fast.cursor.markDelete, segment);
  await topic.close();
});

Deno.test("enforceQuota() moves slow subscriptions over what is too old and leaves them the rest", async () => {
  const { topic, clock } = await openTopicOn(undefined, {
    policies: { backlogAgeMsMax: HOUR_MS, backlogAgePolicy: "consumer_backlog_eviction" },
  });
  const subscription = topic.subscribe("s", {
    isDurable: true,
    markDelete: () => topic.log.beforeFirst,
  });
  await clock.advance(2 * HOUR_MS);
  const hand = new HandProducer(topic);
  const nowMs = clock.wallMs();
  for (const [i, ageMs] of [HOUR_MS + 2, HOUR_MS + 1, HOUR_MS - 1, 0].entries()) {
    hand.send(i, { publishTimeMs: nowMs - ageMs });
    topic.flush();
  }
  topic.enforceQuota();
  assert.equal(subscription.cursor.markDelete.entryId, 1);
  assert.equal(subscription.backlog().entries, 2);
  await topic.close();
});
