/** What producers do with a broker: the same tests against the embedded broker and, from tests/interop, a real Pulsar. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import {
  connectPulsar,
  type Consumer,
  keyHash,
  type Message,
  type ProducerOptions,
  PulsarAdmin,
  type PulsarClient,
  schema,
} from "../../../lib/pulsar/mod.ts";
import { rejectsWith } from "./setup.ts";

/** The broker under test. */
export interface BrokerUnderTest {
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

interface Scene {
  readonly client: PulsarClient;
  readonly admin: PulsarAdmin;
  /** Calls what the admin class does not have, below `/admin/v2/`; false when it is refused. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<boolean>;
  /** The statistics of the scene's topic. */
  readonly stats: () => Promise<{ readonly deduplicationStatus?: string }>;
  /** A topic that no other test uses, and its local name. */
  readonly topic: string;
  readonly localName: string;
}

type Test = (behaviour: string, run: (scene: Scene) => Promise<void>) => void;

const WAIT_MS = 15_000;
const STATS_TRIES_MAX = 2_000;
const SUBSCRIPTION = { subscription: "s", initialPosition: "earliest" } as const;

async function take<T>(consumer: Consumer<T>, count: number): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  while (messages.length < count) {
    const message = await consumer.receive({ timeoutMs: WAIT_MS });
    assert.ok(message !== undefined, `${messages.length} of ${count} messages came`);
    messages.push(message);
  }
  return messages;
}

/** A real broker keeps policies in a topic, and obeys them when it has read them there. */
async function untilDeduplicating({ stats }: Scene): Promise<void> {
  for (let tries = 0; tries < STATS_TRIES_MAX; tries++) {
    if ((await stats()).deduplicationStatus === "Enabled") return;
  }
  assert.fail("the topic does not deduplicate");
}

/** Sends texts and gives their ids. */
async function sendAll(
  client: PulsarClient,
  options: ProducerOptions,
  texts: readonly string[],
) {
  await using producer = await client.openProducer(options);
  const sent = Promise.all(texts.map((text) => producer.send({ value: utf8(text) })));
  await producer.flush();
  return await sent;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

/** Registers the tests for one broker. */
export function producerContract(name: string, brokerOf: () => Promise<BrokerUnderTest>): void {
  const test: Test = (behaviour, run) => {
    Deno.test(`producer × ${name}: ${behaviour}`, async () => {
      const { serviceUrl, adminUrl } = await brokerOf();
      const backoff = { initialMs: 20, maxMs: 200 };
      await using client = await connectPulsar({ serviceUrl, backoff });
      const admin = new PulsarAdmin({ adminUrl });
      const localName = `p-${crypto.randomUUID().slice(0, 8)}`;
      const call: Scene["call"] = async (method, path, body) => {
        const headers = { "content-type": "application/json" };
        const init = body === undefined ? {} : { body: JSON.stringify(body) };
        const url = `${adminUrl}/admin/v2/${path}`;
        const response = await fetch(url, { method, headers, ...init });
        await response.text();
        return response.ok;
      };
      const stats: Scene["stats"] = async () => {
        const response = await fetch(
          `${adminUrl}/admin/v2/persistent/public/default/${localName}/stats`,
        );
        return await response.json();
      };
      const topic = `persistent://public/default/${localName}`;
      await run({ client, admin, call, stats, topic, localName });
    });
  };
  sending(test);
  largeAndCompressed(test);
  partitions(test);
  accessModes(test);
  sequenceIds(test);
  schemas(test);
  topicsAndSubscriptions(test);
}

function sending(test: Test): void {
  test("batches and messages alone come in order, where their ids say", async (scene) => {
    const { client, topic } = scene;
    const batched = await sendAll(client, { topic }, numbered(50));
    const alone = await sendAll(client, { topic, batching: false }, numbered(5));
    assert.deepEqual(batched.map(({ batchIndex }) => batchIndex), [...Array(50).keys()]);
    assert.ok(alone.every(({ batchIndex, partition }) => batchIndex === -1 && partition === -1));
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    const messages = await take(consumer, 55);
    assert.deepEqual(messages.map(({ data }) => textOf(data)), [...numbered(50), ...numbered(5)]);
    for (const [i, { ledgerId, entryId, batchIndex }] of [...batched, ...alone].entries()) {
      const { id } = messages[i]!;
      assert.deepEqual([id.ledgerId, id.entryId, id.batchIndex], [ledgerId, entryId, batchIndex]);
    }
  });

  test("twenty thousand messages in flight keep their order", async ({ client, topic }) => {
    const texts = numbered(20_000);
    await sendAll(client, { topic, batching: { messagesMax: 300 } }, texts);
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    const messages = await take(consumer, texts.length);
    assert.deepEqual(messages.map(({ data }) => textOf(data)), texts);
    assert.deepEqual(messages.map(({ sequenceId }) => sequenceId), [...texts.keys()]);
  });

  test("keys of bytes, null values and properties come as they were sent", async (scene) => {
    const { client, topic } = scene;
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    await using producer = await client.openProducer({ topic });
    const keyBytes = new Uint8Array([0, 255, 7]);
    const sent = [
      producer.send({ value: utf8("a"), keyBytes, properties: { "": "ö" } }),
      producer.send({ value: null, key: "gone" }),
    ];
    await producer.flush();
    await Promise.all(sent);
    const [first, second] = await take(consumer, 2);
    assert.deepEqual([first!.keyBytes, first!.properties], [keyBytes, { "": "ö" }]);
    assert.deepEqual([second!.isNull, second!.key], [true, "gone"]);
  });

  test("a delayed message comes after one that was sent later", async ({ client, topic }) => {
    const options = { topic, ...SUBSCRIPTION, subscriptionType: "shared" } as const;
    await using consumer = await client.openConsumer(options);
    await using producer = await client.openProducer({ topic });
    await producer.send({ value: utf8("later"), deliverAfterMs: 1500 });
    await producer.send({ value: utf8("now") });
    const texts = (await take(consumer, 2)).map(({ data }) => textOf(data));
    assert.deepEqual(texts, ["now", "later"]);
  });
}

function largeAndCompressed(test: Test): void {
  test("a message of 12 MB goes in chunks and comes whole", async ({ client, topic }) => {
    const value = new Uint8Array(12_000_000).map((_, i) => (i * 31) ^ (i >> 9));
    await using producer = await client.openProducer({ topic, chunking: true });
    const small = producer.send({ value: utf8("small") });
    const id = await producer.send({ value, properties: { kind: "large" } });
    await small;
    assert.ok(id.firstChunk !== undefined && id.firstChunk.entryId < id.entryId);
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    const [first, second] = await take(consumer, 2);
    assert.equal(textOf(first!.data), "small");
    assert.equal(second!.data.length, value.length);
    assert.ok(second!.data.every((byte, i) => byte === value[i]));
    assert.deepEqual(second!.properties, { kind: "large" });
    assert.deepEqual(second!.id.firstChunk, id.firstChunk);
    await using whole = await client.openProducer({ topic });
    await rejectsWith(whole.send({ value }), "message_too_large");
  });

  test("every compression is understood, in batches, alone and in chunks", async (scene) => {
    const { client, topic } = scene;
    const random = crypto.getRandomValues(new Uint8Array(60_000));
    const large = new Uint8Array(6_000_000).map((_, i) => random[i % random.length]! ^ (i >> 13));
    const compressions = ["lz4", "zlib", "zstd", "snappy"] as const;
    for (const compression of compressions) {
      const options = { topic, compression, chunking: true };
      await sendAll(client, options, numbered(20));
      await sendAll(client, { ...options, batching: false }, ["alone", ""]);
      await using producer = await client.openProducer(options);
      await producer.send({ value: large });
    }
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    for (const compression of compressions) {
      const messages = await take(consumer, 23);
      const texts = messages.slice(0, 22).map(({ data }) => textOf(data));
      assert.deepEqual(texts, [...numbered(20), "alone", ""], compression);
      assert.deepEqual(messages[22]!.data.length, large.length);
      assert.ok(messages[22]!.data.every((byte, i) => byte === large[i]), compression);
    }
  });
}

function partitions(test: Test): void {
  test("keys choose partitions by either hash, and batches take turns without", async (scene) => {
    const { client, admin, topic } = scene;
    await admin.createPartitionedTopic(topic, 4);
    for (const hashing of ["JavaStringHash", "Murmur3_32Hash"] as const) {
      await using producer = await client.openProducer({ topic, hashing });
      const keys = numbered(30);
      const sent = Promise.all(keys.map((key) => producer.send({ value: utf8("v"), key })));
      await producer.flush();
      const found = (await sent).map(({ partition }) => partition);
      assert.deepEqual(found, keys.map((key) => keyHash(key, hashing) % 4));
    }
    await using turns = await client.openProducer({ topic, batching: { messagesMax: 5 } });
    const sent = Promise.all(numbered(40).map((text) => turns.send({ value: utf8(text) })));
    await turns.flush();
    const counts = new Map<number, number>();
    for (const { partition } of await sent) {
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    assert.deepEqual([...counts.values()], [10, 10, 10, 10]);
  });

  test("partitions that are added are used while the producer runs", async (scene) => {
    const { client, admin, call, topic, localName } = scene;
    await admin.createPartitionedTopic(topic, 1);
    const options = { topic, batching: false, partitionsUpdateIntervalMs: 50 } as const;
    await using producer = await client.openProducer(options);
    assert.equal(producer.partitionCount, 1);
    assert.ok(await call("POST", `persistent/public/default/${localName}/partitions`, 3));
    const seen = new Set<number>();
    // The interval is real time: each receipt takes some of it.
    for (let i = 0; i < 100_000 && seen.size < 3; i++) {
      seen.add((await producer.send({ value: utf8("v") })).partition);
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2]);
  });

  test("a batch by key holds messages of one key", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({
      topic,
      ...SUBSCRIPTION,
      subscriptionType: "key_shared",
    });
    await using producer = await client.openProducer({ topic, batching: { by: "key" } });
    const sent = Promise.all(
      ["a", "b", "a", "b"].map((key, i) => producer.send({ value: utf8(String(i)), key })),
    );
    await producer.flush();
    await sent;
    const entries = Map.groupBy(await take(consumer, 4), ({ id }) => id.entryId);
    const texts = [...entries.values()].map((group) => group.map(({ data }) => textOf(data)));
    assert.deepEqual(texts.sort(), [["0", "2"], ["1", "3"]]);
  });
}

function accessModes(test: Test): void {
  test("an exclusive producer keeps the others out", async ({ client, topic }) => {
    const holder = await client.openProducer({ topic, accessMode: "exclusive" });
    await holder.send({ value: utf8("a") });
    await rejectsWith(client.openProducer({ topic, accessMode: "exclusive" }), "producer_fenced");
    const signal = AbortSignal.timeout(500);
    await assert.rejects(client.openProducer({ topic, signal }));
    await holder.close();
    await using next = await client.openProducer({ topic, accessMode: "exclusive" });
    await next.send({ value: utf8("b") });
  });

  test("who waits for exclusive access has its turn", async ({ client, topic }) => {
    const holder = await client.openProducer({ topic, accessMode: "exclusive" });
    const options = { topic, accessMode: "waitForExclusive" } as const;
    let isOpen = false;
    const opening = client.openProducer(options).then((producer) => {
      isOpen = true;
      return producer;
    });
    await holder.send({ value: utf8("a") });
    const gaveUp = new AbortController();
    const abandoned = client.openProducer({ ...options, signal: gaveUp.signal });
    await holder.send({ value: utf8("b") });
    gaveUp.abort(new Error("no longer"));
    await assert.rejects(abandoned, /no longer/);
    assert.equal(isOpen, false);
    await holder.close();
    await using next = await opening;
    await next.send({ value: utf8("c") });
  });

  test("exclusive access with fencing ends the one who had it", async ({ client, topic }) => {
    await using holder = await client.openProducer({ topic, accessMode: "exclusive" });
    await holder.send({ value: utf8("a") });
    const options = { topic, accessMode: "exclusiveWithFencing" } as const;
    await using next = await client.openProducer(options);
    await rejectsWith(holder.send({ value: utf8("b") }), "producer_fenced");
    await next.send({ value: utf8("c") });
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    assert.deepEqual((await take(consumer, 2)).map(({ data }) => textOf(data)), ["a", "c"]);
  });
}

function sequenceIds(test: Test): void {
  test("where the broker deduplicates, what is sent again under its id is stored once", async (scene) => {
    const { client, call, topic, localName } = scene;
    await call("PUT", `persistent/public/default/${localName}`);
    const policy = `persistent/public/default/${localName}/deduplicationEnabled`;
    if (!await call("POST", policy, true)) {
      await call("POST", "namespaces/public/default/deduplication", true);
    }
    await untilDeduplicating(scene);
    const options = { topic, producerName: "till", batching: false } as const;
    const first = await client.openProducer(options);
    const ids = await Promise.all(
      [10, 11, 12].map((sequenceId) => first.send({ value: utf8(`v${sequenceId}`), sequenceId })),
    );
    const again = await first.send({ value: utf8("v11"), sequenceId: 11 });
    assert.equal(again.entryId, -1, "it was there already");
    assert.equal(first.lastSequenceId, 12);
    await first.close();
    await using second = await client.openProducer(options);
    assert.equal(second.lastSequenceId, 12);
    await second.send({ value: utf8("v13") });
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    const messages = await take(consumer, 4);
    assert.deepEqual(messages.map(({ data }) => textOf(data)), ["v10", "v11", "v12", "v13"]);
    assert.deepEqual(messages.map(({ sequenceId }) => sequenceId), [10, 11, 12, 13]);
    assert.deepEqual(messages.slice(0, 3).map(({ id }) => id.entryId), ids.map((id) => id.entryId));
  });

  test("initialSequenceId says where to go on", async ({ client, topic }) => {
    await using producer = await client.openProducer({ topic, initialSequenceId: 99 });
    await producer.send({ value: utf8("v") });
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    assert.equal((await take(consumer, 1))[0]!.sequenceId, 100);
  });
}

const FIELD = { name: "item", type: "string" };
const ADDED = { name: "size", type: "string", default: "small" };

function record(...fields: object[]) {
  return schema.avro<Record<string, string>>({ type: "record", name: "Order", fields });
}

function schemas(test: Test): void {
  test("a topic's schema grows, and each message is read by the version that wrote it", async (scene) => {
    const { client, admin, topic } = scene;
    const [old, grown] = [record(FIELD), record(FIELD, ADDED)];
    await using producer = await client.openProducer({ topic, schema: old });
    await producer.send({ value: { item: "tea" } });
    await producer.sendAs(grown, { value: { item: "cake", size: "large" } });
    await producer.send({ value: { item: "milk" } });
    assert.equal((await admin.schema(topic))!.version, 1);
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION, schema: grown });
    const values = (await take(consumer, 3)).map(({ value }) => ({ ...value }));
    assert.deepEqual(values, [
      { item: "tea", size: "small" },
      { item: "cake", size: "large" },
      { item: "milk", size: "small" },
    ]);
    const auto = { topic, subscription: "auto", initialPosition: "earliest" } as const;
    await using any = await client.openConsumer({ ...auto, schema: schema.autoConsume() });
    const found = (await take(any, 3)).map(({ value }) => ({ ...value as object }));
    assert.deepEqual(found, [{ item: "tea" }, { item: "cake", size: "large" }, { item: "milk" }]);
  });

  test("a schema that does not fit the topic's is refused", async ({ client, topic }) => {
    await using producer = await client.openProducer({ topic, schema: record(FIELD) });
    await producer.send({ value: { item: "tea" } });
    const strings = { topic, schema: schema.string() };
    await rejectsWith(client.openProducer(strings), "incompatible_schema");
    const other = schema.avro<object>({
      type: "record",
      name: "Order",
      fields: [{ name: "count", type: "int" }],
    });
    await rejectsWith(producer.sendAs(other, { value: { count: 1 } }), "incompatible_schema");
    // What failed leaves the producer as it was.
    await producer.send({ value: { item: "milk" } });
  });

  test("single values and pairs come as they were", async ({ client, topic }) => {
    const pairs = schema.keyValue(schema.string(), schema.int64(), "separated");
    await using producer = await client.openProducer({ topic, schema: pairs });
    const values = [
      { key: "a", value: 5n },
      { key: "b", value: -(1n << 62n) },
      { key: "c", value: null },
      { key: null, value: 6n },
    ];
    await Promise.all(values.map((value) => producer.send({ value })));
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION, schema: pairs });
    const messages = await take(consumer, 4);
    assert.deepEqual(messages.map(({ value }) => value), values);
    assert.deepEqual(messages[0]!.keyBytes, utf8("a"));
    assert.deepEqual(messages.map(({ isNull }) => isNull), [false, false, true, false]);
    const auto = { topic, subscription: "auto", initialPosition: "earliest" } as const;
    await using any = await client.openConsumer({ ...auto, schema: schema.autoConsume() });
    assert.deepEqual((await take(any, 4)).map(({ value }) => value), values);
  });
}

function topicsAndSubscriptions(test: Test): void {
  test("a terminated topic takes no more messages, and says so", async (scene) => {
    const { client, call, topic, localName } = scene;
    await using producer = await client.openProducer({ topic, producerName: "till" });
    await producer.send({ value: utf8("a") });
    assert.ok(await call("POST", `persistent/public/default/${localName}/terminate`));
    const error = await rejectsWith(producer.send({ value: utf8("b") }), "topic_terminated_error");
    assert.equal(error.retryable, false);
    await rejectsWith(producer.send({ value: utf8("c") }), "topic_terminated_error");
    await rejectsWith(client.openProducer({ topic }), "topic_terminated_error");
  });

  test("a topic that moves goes on without losing or repeating a message", async (scene) => {
    const { client, call, topic, localName } = scene;
    await using producer = await client.openProducer({ topic, batching: { messagesMax: 10 } });
    const texts = numbered(600);
    const sent: Promise<unknown>[] = [];
    for (const [i, text] of texts.entries()) {
      sent.push(producer.send({ value: utf8(text) }));
      if (i % 200 === 150) {
        await producer.flush();
        assert.ok(await call("PUT", `persistent/public/default/${localName}/unload`));
      }
    }
    await producer.flush();
    await Promise.all(sent);
    await using consumer = await client.openConsumer({ topic, ...SUBSCRIPTION });
    assert.deepEqual((await take(consumer, 600)).map(({ data }) => textOf(data)), texts);
  });

  test("the initial subscription misses nothing", async ({ client, topic }) => {
    const options = { topic, initialSubscription: "first" };
    await sendAll(client, options, ["a", "b"]);
    await using consumer = await client.openConsumer({ topic, subscription: "first" });
    assert.deepEqual((await take(consumer, 2)).map(({ data }) => textOf(data)), ["a", "b"]);
  });

  test("a name that is taken is refused, one that is not given is unique", async (scene) => {
    const { client, topic } = scene;
    await using one = await client.openProducer({ topic });
    await using two = await client.openProducer({ topic });
    assert.notEqual(one.producerName, two.producerName);
    const signal = AbortSignal.timeout(300);
    const same = { topic, producerName: one.producerName, signal };
    await assert.rejects(client.openProducer(same));
  });

  test("a topic without a log takes messages", async ({ client, localName }) => {
    const topic = `non-persistent://public/default/${localName}`;
    await using consumer = await client.openConsumer({ topic, subscription: "s" });
    await using producer = await client.openProducer({ topic });
    const sent = numbered(20).map((text) => producer.send({ value: utf8(text) }));
    await producer.flush();
    await Promise.all(sent);
    assert.deepEqual((await take(consumer, 20)).map(({ data }) => textOf(data)), numbered(20));
  });
}
