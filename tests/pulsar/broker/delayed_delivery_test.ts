import assert from "node:assert/strict";
import { systemClock, utf8 } from "../../../lib/base/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("delayed");
const EXCLUSIVE = 0;
const SHARED = 1;

async function joined(port: number, subType: 0 | 1): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.subscribe(TOPIC, { subType });
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  return client;
}

async function publish(producer: RawClient, sequenceId: number, deliverAtTime: number) {
  const payload = utf8(`m${sequenceId}`);
  await producer.write(sendFrame({ sequenceId, payload, metadata: { deliverAtTime } }));
  await producer.expect("SEND_RECEIPT");
}

Deno.test("Shared delivers each message at its time and not before, whatever the order of sending", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port, SHARED);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const startMs = Math.ceil(systemClock.wallMs());
  const delaysMs = [400, 200, 0, 300];
  for (const [i, delayMs] of delaysMs.entries()) await publish(producer, i, startMs + delayMs);
  const found: string[] = [];
  for (let i = 0; i < 4; i++) {
    const { text } = await consumer.message();
    found.push(text);
    const lateMs = systemClock.wallMs() - startMs - delaysMs[Number(text.slice(1))]!;
    assert(lateMs >= 0 && lateMs < 2000, `${text} is ${lateMs} ms late`);
  }
  assert.deepEqual(found, ["m2", "m1", "m3", "m0"]);
});

Deno.test("Exclusive delivers at once, in the order of the log, as in Pulsar", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port, EXCLUSIVE);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  await publish(producer, 0, systemClock.wallMs() + 3_600_000);
  assert.equal((await consumer.message()).text, "m0");
});

Deno.test("a delay outlives a restart, and what was acknowledged behind it stays so", async () => {
  const folder = await Deno.makeTempDir();
  const dueMs = Math.ceil(systemClock.wallMs()) + 1200;
  {
    await using broker = await testBroker({ folder });
    await using consumer = await joined(broker.port, SHARED);
    await using producer = await RawClient.connect(broker.port);
    await producer.produce(TOPIC);
    await publish(producer, 0, dueMs);
    await publish(producer, 1, 0);
    const { text, body } = await consumer.message();
    assert.equal(text, "m1");
    await consumer.request("ACK", { consumerId: 0, ackType: 0, messageId: [body.messageId] });
  }
  await using broker = await testBroker({ folder });
  await using consumer = await joined(broker.port, SHARED);
  const { text } = await consumer.message();
  assert.equal(text, "m0");
  assert(systemClock.wallMs() >= dueMs);
  await consumer.caughtUp();
  assert.equal(consumer.waiting, 0);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a delayed message holds no other back, and a sought subscription forgets it", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port, SHARED);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  await publish(producer, 0, systemClock.wallMs() + 3_600_000);
  for (let i = 1; i < 4; i++) {
    await publish(producer, i, 0);
    assert.equal((await consumer.message()).text, `m${i}`);
  }
  await consumer.request("SEEK", { consumerId: 0, messageId: { ledgerId: 2 ** 40, entryId: 0 } });
  await consumer.subscribe(TOPIC, { subType: SHARED });
  const answer = (await consumer.request("CONSUMER_STATS", { consumerId: 0 })).at(-1)!;
  assert.equal(answer.type === "CONSUMER_STATS_RESPONSE" && answer.body.msgBacklog, 0);
});
