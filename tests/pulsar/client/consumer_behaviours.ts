/** Batches, listeners, several topics, chunks and ends of consumers, against any broker. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import { MessageId, schema } from "../../../lib/pulsar/mod.ts";
import {
  assertQuiet,
  Behaviours,
  eventually,
  EXCLUSIVE,
  numbered,
  produce,
  QUIET_MS,
  SHARED,
  take,
  textsOf,
  UNBATCHED,
  WAIT_MS,
} from "./consumer_scene.ts";

/** Batches, listeners, several topics, chunks and ends of consumers, against any broker. */
export const consumers = new Behaviours();
const { behaviour } = consumers;

behaviour(
  "batchReceive() gives what is there when its time is over, or its batch full",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(10));
    const full = await consumer.batchReceive({ maxMessages: 4, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(full), numbered(4));
    const bytes = await consumer.batchReceive({ maxBytes: 5, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(bytes), ["m4", "m5", "m6"]);
    const late = await consumer.batchReceive({ timeoutMs: 100 });
    assert.deepEqual(textsOf(late), ["m7", "m8", "m9"]);
    assert.deepEqual(await consumer.batchReceive({ timeoutMs: 50 }), []);
  },
);

behaviour(
  "a listener gets the messages, and those that it throws at come again",
  async ({ client, topic }) => {
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      negativeAckRedeliveryDelayMs: 50,
      listener: async (message) => {
        seen.push(`${textOf(message.data)} ${message.redeliveryCount}`);
        if (textOf(message.data) === "m1" && message.redeliveryCount === 0) throw new Error("no");
        await consumer.acknowledge(message);
        if (seen.length === 4) done.resolve();
      },
    });
    await produce(client, topic, numbered(3), UNBATCHED);
    await done.promise;
    assert.deepEqual(seen, ["m0 0", "m1 0", "m2 0", "m1 1"]);
    assert.equal(consumer.stats.listenerErrors, 1);
  },
);

behaviour("with receiverQueueSize 0 nothing comes ahead", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...SHARED, receiverQueueSize: 0 });
  await produce(client, topic, numbered(3), UNBATCHED);
  assert.deepEqual(textsOf(await take(consumer, 1)), ["m0"]);
  assert.equal(consumer.stats.queuedMessages, 0);
  await using other = await client.openConsumer({ topic, ...SHARED });
  assert.deepEqual(textsOf(await take(other, 2)), ["m1", "m2"]);
});

behaviour("pause() stops the flow, resume() goes on", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...SHARED, receiverQueueSize: 2 });
  consumer.pause();
  await produce(client, topic, numbered(6), UNBATCHED);
  const before = await consumer.batchReceive({ maxMessages: 6, timeoutMs: QUIET_MS });
  assert.ok(before.length <= 2, String(before.length));
  consumer.resume();
  const after = await take(consumer, 6 - before.length);
  assert.equal(after.length + before.length, 6);
});

behaviour(
  "a partitioned topic is read whole, and partitions that are added later, too",
  async ({ client, topic, broker, admin }) => {
    await admin.createPartitionedTopic(topic, 2);
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      autoUpdatePartitionsIntervalMs: 100,
    });
    assert.equal(consumer.topics.length, 2);
    await produce(client, topic, numbered(20), { ...UNBATCHED, routing: "roundRobin" });
    const messages = await take(consumer, 20);
    assert.deepEqual(textsOf(messages).sort(), numbered(20).sort());
    assert.deepEqual(new Set(messages.map(({ id }) => id.partition)), new Set([0, 1]));
    await consumer.acknowledge(messages);
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/partitions`;
    const grown = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "3",
    });
    assert.equal(grown.status, 204, await grown.text());
    await produce(client, `${topic}-partition-2`, ["new"]);
    const [added] = await take(consumer, 1);
    assert.equal(textOf(added!.data), "new");
    assert.equal(added!.id.partition, 2);
    await consumer.acknowledge(MessageId.fromBytes(MessageId.toBytes(added!.id)));
    assert.equal(consumer.topics.length, 3);
  },
);

behaviour("several topics are read together", async ({ client, topic }) => {
  const topics = [`${topic}-a`, `${topic}-b`];
  await using consumer = await client.openConsumer({ topics, ...SHARED });
  await produce(client, topics[0]!, ["a"]);
  await produce(client, topics[1]!, ["b"]);
  const messages = await take(consumer, 2);
  assert.deepEqual(textsOf(messages).sort(), ["a", "b"]);
  for (const { id } of messages) await consumer.acknowledge(id);
  const ids = await consumer.getLastMessageIds();
  assert.deepEqual(ids.map((id) => id.topic).sort(), topics);
});

behaviour(
  "a pattern reads the topics that match, also those that are made later",
  async ({ client, topic }) => {
    await produce(client, `${topic}-a`, ["a"]);
    await produce(client, `other-${topic.slice(-8)}-a`, ["no"]);
    await using consumer = await client.openConsumer({
      topicsPattern: `${topic}-.*`,
      ...SHARED,
      patternAutoDiscoveryIntervalMs: 200,
    });
    assert.deepEqual(textsOf(await take(consumer, 1)), ["a"]);
    await produce(client, `${topic}-b`, ["b"]);
    assert.deepEqual(textsOf(await take(consumer, 1)), ["b"]);
    await eventually("both are read", () => consumer.topics.length === 2);
  },
);

behaviour(
  "where the broker has watchers, a new topic of a pattern is noticed without asking",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({
      topicsPattern: new RegExp(`${topic}-.*`),
      ...SHARED,
      patternAutoDiscoveryIntervalMs: 3_600_000,
    });
    assert.equal(consumer.topics.length, 0);
    // The first may still be told by the answer to the watcher, the second by the watcher alone.
    for (const name of ["x", "y"]) {
      await produce(client, `${topic}-${name}`, [name]);
      assert.deepEqual(textsOf(await take(consumer, 1)), [name]);
    }
  },
);

behaviour("unsubscribe() removes the subscription", async ({ client, topic, admin }) => {
  const consumer = await client.openConsumer({ topic, ...SHARED });
  await produce(client, topic, numbered(1));
  await take(consumer, 1);
  await consumer.unsubscribe();
  assert.deepEqual(Object.keys((await admin.topicStats(topic)).subscriptions), []);
  await assert.rejects(consumer.receive(), { code: "closed" });
});

behaviour(
  "a terminated topic ends the iteration when everything is acknowledged",
  async ({ client, topic, broker }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(2), UNBATCHED);
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/terminate`;
    const response = await fetch(path, { method: "POST" });
    assert.equal(response.status, 200, await response.text());
    const seen: string[] = [];
    for await (const message of consumer) {
      seen.push(textOf(message.data));
      await consumer.acknowledge(message);
    }
    assert.deepEqual(seen, numbered(2));
    assert.equal(consumer.hasReachedEndOfTopic, true);
  },
);

behaviour(
  "a message in chunks comes whole, is acknowledged whole, and comes again whole",
  async ({ client, topic }) => {
    const value = new Uint8Array(12_000_000).map((_, i) => i * 31);
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await using producer = await client.openProducer({ topic, ...UNBATCHED, chunking: true });
    const id = await producer.send({ value, key: "large" });
    await producer.send({ value: utf8("small") });
    const [large] = await take(consumer, 1);
    assert.equal(large!.key, "large");
    assert.deepEqual(large!.data, value);
    assert.deepEqual(large!.id.firstChunk, id.firstChunk);
    assert.ok(large!.id.firstChunk !== undefined);
    consumer.negativeAcknowledge(large!, { delayMs: 50 });
    const [small, again] = await take(consumer, 2);
    assert.equal(textOf(small!.data), "small");
    assert.deepEqual(again!.data, value);
    await consumer.acknowledge([small!, again!]);
    await consumer.close();
    await using after = await client.openConsumer({ topic, ...SHARED });
    await assertQuiet(after);
  },
);

for (const compression of ["lz4", "zlib", "zstd", "snappy"] as const) {
  behaviour(`batches compressed with ${compression} are read`, async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(50), { compression });
    assert.deepEqual(textsOf(await take(consumer, 50)), numbered(50));
  });
}

behaviour("a schema reads values", async ({ client, topic }) => {
  const json = schema.json<{ price: number }>({
    type: "record",
    name: "Price",
    fields: [{ name: "price", type: "double" }],
  });
  await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE, schema: json });
  await using producer = await client.openProducer({ topic, schema: json });
  await producer.send({ value: { price: 1.5 } });
  await producer.send({ value: null, key: "gone" });
  const [first, second] = await take(consumer, 2);
  assert.deepEqual(first!.value, { price: 1.5 });
  assert.equal(first!.schemaVersion?.length, 8);
  assert.equal(second!.isNull, true);
  assert.equal(second!.value, null);
});

behaviour("a message to be delivered later comes later", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...SHARED });
  await using producer = await client.openProducer({ topic, ...UNBATCHED });
  await producer.send({ value: utf8("late"), deliverAfterMs: 1500 });
  await producer.send({ value: utf8("now") });
  assert.deepEqual(textsOf(await take(consumer, 2)), ["now", "late"]);
});

behaviour(
  "calls on a closed consumer are told so, and so is who waits",
  async ({ client, topic }) => {
    const consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(1));
    const [message] = await take(consumer, 1);
    const waiting = [
      consumer.receive(),
      consumer.receive({ timeoutMs: 60_000 }),
      consumer.batchReceive({ timeoutMs: 60_000, maxMessages: 5 }),
    ];
    for (const one of waiting) one.catch(() => {});
    await consumer.close();
    for (const one of waiting) await assert.rejects(one, { code: "closed" });
    await assert.rejects(consumer.receive(), { code: "closed" });
    await assert.rejects(consumer.acknowledge(message!), { code: "closed" });
    await assert.rejects(consumer.seek(MessageId.earliest), { code: "closed" });
    assert.throws(() => consumer.negativeAcknowledge(message!), { code: "closed" });
    assert.equal(consumer.isConnected, false);
    await consumer.close();
  },
);

behaviour("a signal ends the waiting and takes no message away", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...SHARED });
  const stop = new AbortController();
  const waiting = consumer.receive({ signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await produce(client, topic, numbered(1));
  assert.deepEqual(textsOf(await take(consumer, 1)), ["m0"]);
});

behaviour(
  "a consumer survives that its topic is unloaded",
  async ({ client, topic, broker, admin }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(2), UNBATCHED);
    const [first] = await take(consumer, 2);
    await consumer.acknowledge(first!);
    const waiting = consumer.receive({ timeoutMs: WAIT_MS });
    await eventually("the broker has the acknowledgement", async () => {
      const { subscriptions } = await admin.topicStats(topic);
      return subscriptions[SHARED.subscription]?.msgBacklog === 1;
    });
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/unload`;
    const response = await fetch(path, { method: "PUT" });
    assert.equal(response.status, 204, await response.text());
    // What was not acknowledged comes again.
    assert.equal(textOf((await waiting)!.data), "m1");
    assert.equal(consumer.stats.reconnects, 1);
  },
);

behaviour(
  "messages of a topic that is not stored come to who is there",
  async ({ client, topic }) => {
    const passing = topic.replace("persistent:", "non-persistent:");
    await using consumer = await client.openConsumer({ topic: passing, ...SHARED });
    await produce(client, passing, numbered(3));
    const messages = await take(consumer, 3);
    assert.deepEqual(textsOf(messages), numbered(3));
    await consumer.acknowledge(messages);
  },
);

behaviour(
  "a topic of a pattern that is deleted is not read any more, nor made again",
  async ({ client, topic, admin }) => {
    await produce(client, `${topic}-a`, ["a"]);
    await produce(client, `${topic}-b`, ["b"]);
    await using consumer = await client.openConsumer({
      topicsPattern: `${topic}-.*`,
      ...SHARED,
      patternAutoDiscoveryIntervalMs: 100,
    });
    await consumer.acknowledge(await take(consumer, 2));
    await admin.deleteTopic(`${topic}-a`, { force: true });
    await eventually("one is left", () => consumer.topics.length === 1);
    await produce(client, `${topic}-b`, ["more"]);
    assert.deepEqual(textsOf(await take(consumer, 1)), ["more"]);
    await assert.rejects(admin.topicStats(`${topic}-a`), { code: "admin_not_found" });
  },
);

behaviour("a message of a batch is acknowledged by its bytes", async ({ client, topic }) => {
  const options = { topic, ...SHARED };
  await produce(client, topic, numbered(3));
  {
    await using consumer = await client.openConsumer(options);
    for (const { id } of await take(consumer, 3)) {
      await consumer.acknowledge(MessageId.fromBytes(MessageId.toBytes(id)));
    }
  }
  await using consumer = await client.openConsumer(options);
  await assertQuiet(consumer);
});

behaviour("dead letters of all partitions go to one topic", async ({ client, topic, admin }) => {
  await admin.createPartitionedTopic(topic, 2);
  await using dead = await client.openConsumer({ topic: `${topic}-s-DLQ`, subscription: "d" });
  await using consumer = await client.openConsumer({
    topic,
    ...SHARED,
    deadLetterPolicy: { maxRedeliverCount: 0 },
    negativeAckRedeliveryDelayMs: 20,
  });
  await produce(client, topic, numbered(4), UNBATCHED);
  for (const message of await take(consumer, 4)) consumer.negativeAcknowledge(message);
  const letters = await take(dead, 4);
  assert.deepEqual(textsOf(letters).sort(), numbered(4));
  const origins = new Set(letters.map(({ properties }) => properties.REAL_TOPIC));
  assert.deepEqual([...origins].sort(), [`${topic}-partition-0`, `${topic}-partition-1`]);
});
