import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { keyHash } from "../../../lib/pulsar/client/key_hash.ts";
import { partitionTopic } from "../../../lib/pulsar/client/topic_name.ts";
import { connectFake, rejectsWith, settle, TOPIC } from "./setup.ts";
import { entryOf, messagesOf, textsIn } from "./sent_messages.ts";

const OPTIONS = { topic: "orders", producerName: "till" };

Deno.test("Producer.send() batches by delay", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, batching: { delayMs: 10 } });
  const ids = Promise.all(["a", "b", "c"].map((text) => producer.send({ value: utf8(text) })));
  await clock.advance(9);
  assert.equal(broker.count("SEND"), 0);
  await clock.advance(1);
  assert.deepEqual(
    await ids,
    [0, 1, 2].map((batchIndex) => ({
      ledgerId: 7,
      entryId: 0,
      partition: -1,
      batchIndex,
      batchMessageCount: 3,
    })),
  );
  assert.deepEqual(textsIn(broker, TOPIC), [["a", "b", "c"]]);
});

Deno.test("Producer.send() batches by count and by bytes; what is larger goes alone", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const batching = { messagesMax: 3, bytesMax: 1000 };
  const producer = await client.openProducer({ ...OPTIONS, batching });
  const texts = ["a", "b", "c", "x".repeat(400), "y".repeat(500), "z".repeat(2000), "after"];
  const sent = Promise.all(texts.map((text) => producer.send({ value: utf8(text) })));
  await settle(clock);
  await clock.advance(10);
  await sent;
  assert.deepEqual(textsIn(broker, TOPIC).map((entry) => entry.length), [3, 2, 1, 1]);
  assert.deepEqual(broker.bodies("SEND").map((body) => body.sequenceId), [0, 3, 5, 6]);
  assert.deepEqual(broker.bodies("SEND").map((body) => body.highestSequenceId), [
    2,
    4,
    undefined,
    undefined,
  ]);
});

Deno.test("Producer.send() without batching gives each message an entry in Pulsar's plain form", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, batching: false });
  const sent = await Promise.all(["a", "b"].map((text) => producer.send({ value: utf8(text) })));
  assert.deepEqual(sent.map(({ batchIndex }) => batchIndex), [-1, -1]);
  for (const entry of broker.topic(TOPIC).entries) {
    assert.equal(entryOf(entry).metadata.numMessagesInBatch, undefined);
  }
});

Deno.test("Producer.send() carries all that a message may have, alone and in a batch", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer(OPTIONS);
  const message = {
    value: utf8("v"),
    keyBytes: new Uint8Array([255, 0]),
    orderingKey: utf8("o"),
    properties: { a: "b" },
    eventTimeMs: 5,
  };
  const alone = producer.send(message);
  await producer.flush();
  const together = [producer.send(message), producer.send({ value: null, key: "gone" })];
  await producer.flush();
  await Promise.all([alone, ...together]);
  const [single, batch] = broker.topic(TOPIC).entries;
  const common = {
    properties: [{ key: "a", value: "b" }],
    partitionKey: "/wA=",
    partitionKeyB64Encoded: true,
    eventTime: 5,
    orderingKey: utf8("o"),
  };
  const { publishTime: _time, ...metadata } = entryOf(single!).metadata;
  assert.deepEqual(metadata, { ...common, producerName: "till", sequenceId: 0 });
  const [first, second] = messagesOf(batch!);
  assert.deepEqual(first!.metadata, { ...common, payloadSize: 1, sequenceId: 1 });
  assert.deepEqual(second!.metadata, {
    partitionKey: "gone",
    payloadSize: 0,
    sequenceId: 2,
    nullValue: true,
  });
  // Brokers dispatch the batch by the key of its first message.
  assert.equal(entryOf(batch!).metadata.partitionKey, "/wA=");
});

Deno.test("Producer.send() sends delayed messages and those that stay in the cluster alone, in order", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer(OPTIONS);
  const sent = [
    producer.send({ value: utf8("a") }),
    producer.send({ value: utf8("at"), deliverAtMs: 1_800_000_000_000 }),
    producer.send({ value: utf8("after"), deliverAfterMs: 1500 }),
    producer.send({ value: utf8("local"), disableReplication: true }),
    producer.send({ value: utf8("b") }),
  ];
  await clock.advance(1);
  await Promise.all(sent);
  const entries = broker.topic(TOPIC).entries.map(entryOf);
  assert.deepEqual(textsIn(broker, TOPIC).flat(), ["a", "at", "after", "local", "b"]);
  assert.deepEqual(entries.map(({ metadata }) => metadata.deliverAtTime), [
    undefined,
    1_800_000_000_000,
    1_790_000_001_500,
    undefined,
    undefined,
  ]);
  assert.deepEqual(entries[3]!.metadata.replicateTo, ["__local__"]);
});

Deno.test("Producer.send() routes by key with either hash, and without one by turns a batch", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.partitions = 4;
  for (const hashing of ["JavaStringHash", "Murmur3_32Hash"] as const) {
    const producer = await client.openProducer({
      ...OPTIONS,
      hashing,
      batching: { messagesMax: 2 },
    });
    const keyed = Array.from(
      { length: 20 },
      (_, i) => producer.send({ value: utf8("v"), key: `key-${i}` }).then((id) => id.partition),
    );
    await producer.flush();
    const expected = Array.from({ length: 20 }, (_, i) => keyHash(`key-${i}`, hashing) % 4);
    assert.deepEqual(await Promise.all(keyed), expected);
    const plain = Array.from(
      { length: 8 },
      () => producer.send({ value: utf8("v") }).then((id) => id.partition),
    );
    await producer.flush();
    const partitions = await Promise.all(plain);
    assert.equal(new Set(partitions).size, 4);
    for (let i = 0; i < 8; i += 2) assert.equal(partitions[i], partitions[i + 1]);
  }
});

Deno.test("Producer.send() routes to a single partition, or as the application says", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.partitions = 4;
  const single = await client.openProducer({ ...OPTIONS, routing: "singlePartition" });
  const sent = Array.from({ length: 9 }, () => single.send({ value: utf8("v") }));
  await single.flush();
  assert.equal(new Set((await Promise.all(sent)).map(({ partition }) => partition)).size, 1);

  const own = await client.openProducer({
    ...OPTIONS,
    routing: ({ eventTimeMs = 0 }, { partitionCount }) => eventTimeMs % partitionCount,
  });
  const two = own.send({ value: utf8("v"), eventTimeMs: 6 });
  await own.flush();
  assert.equal((await two).partition, 2);
  await assert.rejects(own.send({ value: utf8("v"), eventTimeMs: 0.5 }), RangeError);
});

Deno.test("Producer collects batches by key, numbered so that deduplication drops none", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, batching: { by: "key" } });
  const sent = ["a", "b", "a", "c", "b"].map((key, i) =>
    producer.send({ value: utf8(`${key}${i}`), key })
  );
  await producer.flush();
  await Promise.all(sent);
  assert.deepEqual(textsIn(broker, TOPIC), [["a0", "a2"], ["b1", "b4"], ["c3"]]);
  assert.deepEqual(broker.bodies("SEND").map((body) => body.sequenceId), [0, 2, 4]);
  const ids = broker.topic(TOPIC).entries.flatMap(messagesOf).map(({ metadata }) =>
    metadata.sequenceId
  );
  assert.deepEqual(ids, [0, 1, 2, 3, 4]);
  const keys = broker.topic(TOPIC).entries.map((entry) => entryOf(entry).metadata.partitionKey);
  assert.deepEqual(keys, ["a", "b", "c"]);
});

Deno.test("Producer goes on after initialSequenceId, and takes sequence ids that are given", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, initialSequenceId: 41 });
  assert.equal(producer.lastSequenceId, 41);
  const first = producer.send({ value: utf8("a") });
  const given = [100, 200, 150].map((sequenceId) =>
    producer.send({ value: utf8("b"), sequenceId })
  );
  const after = producer.send({ value: utf8("c") });
  await producer.flush();
  await Promise.all([first, ...given, after]);
  // A batch's ids go up: the one that does not begins a batch of its own.
  assert.deepEqual(textsIn(broker, TOPIC), [["a", "b", "b"], ["b", "c"]]);
  const ids = broker.bodies("SEND").map((body) => [body.sequenceId, body.highestSequenceId]);
  assert.deepEqual(ids, [[42, 200], [150, 201]]);
  assert.equal(producer.lastSequenceId, 201);
});

Deno.test("Producer takes the name that the broker gives, for all partitions and after a reconnect", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  broker.partitions = 2;
  const producer = await client.openProducer({ topic: "orders", properties: { app: "till" } });
  assert.equal(producer.producerName, "generated");
  broker.dropAll();
  await clock.advance(1000);
  assert.equal(producer.isConnected, true);
  const bodies = broker.bodies("PRODUCER");
  assert.deepEqual(bodies.map((body) => body.producerName), [
    undefined,
    "generated",
    "generated",
    "generated",
  ]);
  assert.deepEqual(bodies.map((body) => body.userProvidedProducerName), [
    false,
    false,
    false,
    false,
  ]);
  assert.deepEqual(bodies[0]!.metadata, [{ key: "app", value: "till" }]);
});

Deno.test("Producer notices partitions that are added while it runs", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  broker.partitions = 2;
  const producer = await client.openProducer({ ...OPTIONS, partitionsUpdateIntervalMs: 1000 });
  assert.equal(producer.partitionCount, 2);
  broker.partitions = 4;
  await clock.advance(999);
  assert.equal(producer.partitionCount, 2);
  await clock.advance(1);
  assert.equal(producer.partitionCount, 4);
  const sent = producer.send({ value: utf8("v"), key: "k3" });
  await producer.flush();
  const { partition } = await sent;
  assert.equal(partition, keyHash("k3") % 4);
  assert.equal(broker.topic(partitionTopic(TOPIC, partition)).entries.length, 1);
});

Deno.test("Producer counts what it sends, and measures the latency of an interval", async () => {
  const { clock, client } = await connectFake();
  await using _ = client;
  const seen: number[] = [];
  const producer = await client.openProducer({
    ...OPTIONS,
    batching: { delayMs: 20 },
    statsIntervalMs: 1000,
    onStats: ({ interval }) => seen.push(interval!.messagesPerSec),
  });
  const sent = [1, 2, 3].map(() => producer.send({ value: utf8("1234") }));
  assert.equal(producer.stats.pendingMessages, 3);
  await clock.advance(1000);
  await Promise.all(sent);
  const { interval, ...totals } = producer.stats;
  assert.deepEqual(totals, {
    messagesSent: 3,
    bytesSent: 12,
    messagesAcknowledged: 3,
    sendsFailed: 0,
    pendingMessages: 0,
  });
  assert.deepEqual([interval!.messagesPerSec, interval!.bytesPerSec], [3, 12]);
  assert.equal(interval!.latency.max, 20_000);
  await clock.advance(1000);
  assert.deepEqual(seen, [3, 0]);
});

Deno.test("Producer.send() is refused when the producer is closed, and what waits is rejected", async () => {
  const { client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer(OPTIONS);
  const sent = rejectsWith(producer.send({ value: utf8("a") }), "closed");
  await producer[Symbol.asyncDispose]();
  await sent;
  await rejectsWith(producer.send({ value: utf8("b") }), "closed");
  assert.equal(producer.isConnected, false);
});

Deno.test("Producer.close() sends what is collected first", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer(OPTIONS);
  const sent = producer.send({ value: utf8("a") });
  await producer.close();
  assert.equal((await sent).entryId, 0);
  assert.equal(broker.count("CLOSE_PRODUCER"), 1);
});

Deno.test("Producer.close() does not wait for a broker that is silent", async () => {
  const { broker, clock, client } = await connectFake();
  const producer = await client.openProducer(OPTIONS);
  broker.hook = (command) => command.type === "CLOSE_PRODUCER";
  let isClosed = false;
  const closing = producer.close().then(() => isClosed = true);
  await clock.advance(4_999);
  assert.equal(isClosed, false);
  await clock.advance(1);
  await closing;
  await client[Symbol.asyncDispose]();
  assert.equal(clock.pending, 0);
});

Deno.test("Producer refuses options that make no sense", async () => {
  const { client } = await connectFake();
  await using _ = client;
  await assert.rejects(client.openProducer({ ...OPTIONS, pendingMessagesMax: 0 }), RangeError);
  await assert.rejects(
    client.openProducer({ ...OPTIONS, batching: { delayMs: -1 } }),
    /batching.delayMs is -1/,
  );
});

Deno.test("openProducer() refuses a compression that is none", async () => {
  const { client } = await connectFake();
  await using _ = client;
  const opening = client.openProducer({ ...OPTIONS, compression: "LZ4" as never });
  await assert.rejects(opening, { name: "TypeError", message: /none, lz4, zlib, zstd, snappy/ });
});
