/** Topics without a log, asked by raw clients. */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { NonPersistentTopic } from "../../../lib/pulsar/broker/non_persistent_topic.ts";
import { parseTopicName } from "../../../lib/pulsar/broker/topic_name.ts";
import { DEFAULT_POLICIES } from "../../../lib/pulsar/broker/policies/topic_policies.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = `non-${topicNamed("volatile")}`;
const [EXCLUSIVE, SHARED, FAILOVER, KEY_SHARED] = [0, 1, 2, 3] as const;

async function flow(client: RawClient, consumerId: number, messagePermits: number) {
  await client.send("FLOW", { consumerId, messagePermits });
  // Its answer says that the broker has seen what came before.
  await client.request("CONSUMER_STATS", { consumerId });
}

Deno.test("NonPersistentTopic sends to each subscription what its consumers can take, and drops the rest", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await using producer = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { consumerId: 0, subscription: "one", subType: EXCLUSIVE });
  await client.subscribe(TOPIC, { consumerId: 1, subscription: "two", subType: SHARED });
  await flow(client, 0, 1);
  await flow(client, 1, 10);
  await producer.produce(TOPIC);
  for (const sequenceId of [0, 1]) {
    const { messageId } = await producer.publish(sequenceId, `m${sequenceId}`);
    assert.deepEqual([messageId!.ledgerId, messageId!.entryId], [0, 0]);
  }
  const got = [];
  for (let i = 0; i < 3; i++) {
    const { body, text } = await client.message();
    got.push(`${body.consumerId} ${text}`);
  }
  assert.deepEqual(got.sort(), ["0 m0", "1 m0", "1 m1"]);
  // Nothing is kept for who comes later.
  await client.subscribe(TOPIC, { consumerId: 2, subscription: "late" });
  await flow(client, 2, 10);
  assert.equal(client.waiting, 0);
});

Deno.test("NonPersistentTopic spreads messages over shared consumers that are ready, and moves a failover on", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await using producer = await RawClient.connect(broker.port);
  for (const consumerId of [0, 1]) {
    await client.subscribe(TOPIC, { consumerId, subscription: "shared", subType: SHARED });
    await flow(client, consumerId, 2);
  }
  for (const [consumerId, consumerName] of [[2, "b"], [3, "a"]] as const) {
    const subscription = { subscription: "fail", subType: FAILOVER };
    await client.subscribe(TOPIC, { consumerId, consumerName, ...subscription });
    await flow(client, consumerId, 10);
  }
  await producer.produce(TOPIC);
  const counts = new Map<number, number>();
  const take = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const { consumerId } = (await client.message()).body;
      counts.set(consumerId, (counts.get(consumerId) ?? 0) + 1);
    }
  };
  for (let i = 0; i < 4; i++) await producer.publish(i, "x");
  await take(8);
  assert.deepEqual([...counts].sort(), [[0, 2], [1, 2], [3, 4]]);
  await client.request("CLOSE_CONSUMER", { consumerId: 3 });
  await producer.publish(4, "y");
  await take(1);
  assert.equal(counts.get(2), 1);
});

Deno.test("NonPersistentTopic sends all messages of a key to one Key_Shared consumer", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  for (const consumerId of [0, 1]) {
    const consumerName = `c${consumerId}`;
    await client.subscribe(TOPIC, { consumerId, consumerName, subType: KEY_SHARED });
    await flow(client, consumerId, 100);
  }
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const holders = new Map<string, Set<number>>();
  for (let i = 0; i < 60; i++) {
    const metadata = { partitionKey: `key-${i % 20}` };
    await producer.write(sendFrame({ sequenceId: i, payload: utf8(`${i % 20}`), metadata }));
    await producer.expect("SEND_RECEIPT");
    const { body, text } = await client.message();
    holders.set(text, (holders.get(text) ?? new Set()).add(body.consumerId));
  }
  assert.equal(holders.size, 20);
  assert([...holders.values()].every((one) => one.size === 1), "a key had two consumers");
  assert.equal(new Set([...holders.values()].flatMap((one) => [...one])).size, 2);
  const keySharedMeta = { keySharedMode: 1 as const, hashRanges: [{ start: 0, end: 10 }] };
  const sticky = await client.subscribe(TOPIC, {
    consumerId: 2,
    subType: KEY_SHARED,
    keySharedMeta,
  });
  const refused = sticky.at(-1)!;
  assert.equal(refused.type === "ERROR" && refused.body.error, ServerError.ConsumerBusy);
});

Deno.test("NonPersistentTopic counts each message of a batch against the permits", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC);
  await flow(client, 0, 5);
  await client.produce(TOPIC);
  const batch = (sequenceId: number) =>
    sendFrame({ sequenceId, messageCount: 5, payload: utf8("five") });
  await client.write(batch(0));
  await client.write(batch(5));
  const types = [];
  for (let i = 0; i < 3; i++) types.push((await client.next())!.command.type);
  assert.deepEqual(types.sort(), ["MESSAGE", "SEND_RECEIPT", "SEND_RECEIPT"]);
  const [stats] = await client.request("CONSUMER_STATS", { consumerId: 0 });
  assert.equal(stats?.type === "CONSUMER_STATS_RESPONSE" && stats.body.availablePermits, 0);
});

Deno.test("NonPersistentTopic answers what needs a cursor as Pulsar does", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC);
  const consumerId = 0;
  const last = await client.request("GET_LAST_MESSAGE_ID", { consumerId });
  assert.equal(last.at(-1)!.type, "ERROR");
  const seek = await client.request("SEEK", { consumerId, messagePublishTime: 1 });
  assert.deepEqual(seek.map((one) => one.type), ["SUCCESS"]);
  const messageId = [{ ledgerId: 0, entryId: 0 }];
  const ack = await client.request("ACK", { consumerId, ackType: 0, messageId });
  assert.deepEqual(ack.map((one) => one.type), ["ACK_RESPONSE"]);
  const compacted = await client.subscribe(TOPIC, { consumerId: 1, readCompacted: true });
  const refused = compacted.at(-1)!;
  assert.equal(refused.type === "ERROR" && refused.body.error, ServerError.NotAllowedError);
  const second = (await client.subscribe(TOPIC, { consumerId: 2 })).at(-1)!;
  assert.equal(second.type === "ERROR" && second.body.error, ServerError.ConsumerBusy);
  const other = (await client.subscribe(TOPIC, { consumerId: 2, subType: SHARED })).at(-1)!;
  assert.equal(other.type === "ERROR" && other.body.error, ServerError.ConsumerBusy);
  const gone = await client.request("UNSUBSCRIBE", { consumerId });
  assert.equal(gone.at(-1)!.type, "SUCCESS");
  assert.equal((await client.subscribe(TOPIC, { subType: SHARED })).at(-1)!.type, "SUCCESS");
});

Deno.test("NonPersistentTopic keeps the access modes of producers", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const as = (producerId: number, producerAccessMode: 0 | 1 | 2 | 3) =>
    client.produce(TOPIC, { producerId, producerName: `p${producerId}`, producerAccessMode });
  assert.equal((await as(0, 1)).type, "PRODUCER_SUCCESS");
  const shared = await as(1, 0);
  assert.equal(shared.type === "ERROR" && shared.body.error, ServerError.ProducerBusy);
});

Deno.test("NonPersistentTopic.tick() says when nobody has used the topic for a minute", () => {
  const topic = new NonPersistentTopic(parseTopicName(TOPIC), () => DEFAULT_POLICIES);
  for (let second = 1; second < 60; second++) assert.equal(topic.tick(), false);
  assert.equal(topic.tick(), true);
});
