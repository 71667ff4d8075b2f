/** Messages, readers and views. */
import {
  assert,
  type Context,
  drain,
  eventually,
  MessageId,
  next,
  numbered,
  of,
  receive,
  refused,
  send,
  sendAll,
  silent,
  take,
  textOf,
  texts,
} from "./context.ts";

export async function single(c: Context): Promise<void> {
  const consumer = await c.consumer();
  await send(await c.producer(), numbered(20));
  assert.deepEqual(texts(await take(consumer, 20)), numbered(20));
  await silent(consumer);
}

export async function metadata(c: Context): Promise<void> {
  const consumer = await c.consumer();
  const producer = await c.producer({ producerName: c.name("-producer") });
  const before = Date.now();
  await producer.send(of("x", {
    key: "the key",
    orderingKey: new TextEncoder().encode("the order"),
    properties: { a: "1", b: "zwei ä" },
    eventTimeMs: 1_700_000_000_123,
    sequenceId: 42,
  }));
  const message = await receive(consumer);
  assert.equal(message.key, "the key");
  assert.equal(new TextDecoder().decode(message.orderingKey), "the order");
  assert.deepEqual({ ...message.properties }, { a: "1", b: "zwei ä" });
  assert.equal(message.eventTimeMs, 1_700_000_000_123);
  assert.equal(message.producerName, c.name("-producer"));
  assert.equal(message.sequenceId, 42);
  assert.equal(message.topic, c.topic());
  assert(message.publishTimeMs >= before - 5_000, `published at ${message.publishTimeMs}`);
}

export async function empty_message(c: Context): Promise<void> {
  const consumer = await c.consumer();
  await (await c.producer()).send(of(""));
  assert.equal((await receive(consumer)).data.length, 0);
}

export async function large_message(c: Context): Promise<void> {
  const consumer = await c.consumer();
  const payload = "0123456789".repeat(500_000);
  await (await c.producer()).send(of(payload));
  assert(textOf(await receive(consumer)) === payload, "another payload came");
}

export async function too_large_refused(c: Context): Promise<void> {
  const consumer = await c.consumer();
  const producer = await c.producer();
  c.note("error", await refused(() => producer.send({ value: new Uint8Array(6_000_000) })));
  await producer.send(of("after it"));
  assert.equal(textOf(await receive(consumer)), "after it");
}

export async function message_id(c: Context): Promise<void> {
  const consumer = await c.consumer();
  const sent = await send(await c.producer(), numbered(3));
  const received = await take(consumer, 3);
  received.forEach(({ id }, i) => {
    assert.equal(MessageId.compare(id, sent[i]!), 0);
    assert.equal(MessageId.compare(MessageId.fromBytes(MessageId.toBytes(id)), id), 0);
  });
  assert(MessageId.compare(sent[0]!, sent[1]!) < 0, "ids do not grow");
}

async function batches(
  c: Context,
  compression: "none" | "lz4" | "zlib" | "zstd" | "snappy",
): Promise<void> {
  const consumer = await c.consumer();
  const all = numbered(100, "x".repeat(200));
  await sendAll(await c.batching({ compression }), all.map((text) => of(text)));
  const messages = await take(consumer, 100);
  assert.deepEqual(texts(messages), all);
  assert.equal(new Set(messages.map(({ id }) => id.entryId)).size, 10);
  assert.deepEqual(messages.map(({ id }) => id.batchIndex), all.map((_, i) => i % 10));
  await silent(consumer);
}

export const batch_none = (c: Context): Promise<void> => batches(c, "none");
export const batch_lz4 = (c: Context): Promise<void> => batches(c, "lz4");
export const batch_zlib = (c: Context): Promise<void> => batches(c, "zlib");
export const batch_zstd = (c: Context): Promise<void> => batches(c, "zstd");
export const batch_snappy = (c: Context): Promise<void> => batches(c, "snappy");

export async function batch_by_key(c: Context): Promise<void> {
  const consumer = await c.consumer({ subscriptionType: "key_shared" });
  const producer = await c.producer({ batching: { delayMs: 60_000, by: "key" } });
  await sendAll(producer, numbered(20).map((text, i) => of(text, { key: `key ${i % 2}` })));
  const byEntry = Map.groupBy(await take(consumer, 20), ({ id }) => id.entryId);
  assert.equal(byEntry.size, 2);
  for (const messages of byEntry.values()) {
    assert.equal(new Set(messages.map(({ key }) => key)).size, 1);
  }
}

export async function chunking(c: Context): Promise<void> {
  const consumer = await c.consumer();
  const whole = "0123456789".repeat(1_200_000);
  await send(await c.producer({ chunking: true }), ["before", whole, "after"]);
  const messages = await take(consumer, 3);
  assert.equal(textOf(messages[0]!), "before");
  assert(textOf(messages[1]!) === whole, "another payload came");
  assert.equal(textOf(messages[2]!), "after");
  for (const message of messages) await consumer.acknowledge(message);
  await consumer.close();
  await silent(await c.consumer());
}

export async function reader(c: Context): Promise<void> {
  await send(await c.producer(), numbered(10));
  const reader = await c.reader();
  for (const expected of numbered(10)) assert.equal(await next(reader), expected);
  assert.equal(Object.keys((await c.stats()).subscriptions).length, 1);
  await reader.close();
  await eventually(
    "the subscription of the reader is gone",
    async () => Object.keys((await c.stats()).subscriptions).length === 0,
  );
}

export async function reader_from_id(c: Context): Promise<void> {
  const ids = await send(await c.producer(), numbered(5));
  const startMessageId = ids[2]!;
  const behind = await c.reader({ startMessageId });
  assert.equal(await next(behind), "message 3");
  const at = await c.reader({ startMessageId, startMessageIdInclusive: true });
  assert.equal(await next(at), "message 2");
  await behind.seek(ids[0]!);
  c.note("after a seek to the first", await next(behind));
}

export async function reader_latest(c: Context): Promise<void> {
  const producer = await c.producer();
  await send(producer, ["before"]);
  const reader = await c.reader({ startMessageId: "latest" });
  assert(!await reader.hasMessageAvailable(), "there is nothing yet");
  await send(producer, ["after"]);
  assert.equal(await next(reader), "after");
}

export async function has_message_available(c: Context): Promise<void> {
  const producer = await c.batching();
  const reader = await c.reader();
  assert(!await reader.hasMessageAvailable(), "the topic is empty");
  await sendAll(producer, numbered(3).map((text) => of(text)));
  for (let i = 0; i < 3; i++) {
    assert(await reader.hasMessageAvailable(), "there is one more");
    await next(reader);
  }
  assert(!await reader.hasMessageAvailable(), "it was the last");
  await sendAll(producer, [of("another")]);
  assert(await reader.hasMessageAvailable(), "another one came");
}

export async function last_message_id(c: Context): Promise<void> {
  const consumer = await c.consumer();
  c.note("empty", (await consumer.getLastMessageIds()).length);
  await sendAll(await c.batching(), numbered(3).map((text) => of(text)));
  const [last] = await consumer.getLastMessageIds();
  assert.equal(MessageId.compare(last!, (await take(consumer, 3))[2]!.id), 0);
}

export async function table_view(c: Context): Promise<void> {
  const producer = await c.producer();
  for (let i = 0; i < 10; i++) await producer.send(of(`value ${i}`, { key: `key ${i % 3}` }));
  const view = await (await c.client()).openTableView({ topic: c.topic() });
  const get = (key: string) => new TextDecoder().decode(view.get(key));
  assert.deepEqual(["key 0", "key 1", "key 2"].map(get), ["value 9", "value 7", "value 8"]);
  assert.equal(view.size, 3);
  await producer.send(of("newer", { key: "key 1" }));
  await eventually("it follows", () => get("key 1") === "newer");
  await producer.send({ value: null, key: "key 2" });
  await eventually("what was deleted is gone", () => !view.has("key 2"));
}

export async function compaction(c: Context): Promise<void> {
  const producer = await c.producer();
  for (let i = 0; i < 12; i++) await producer.send(of(`value ${i}`, { key: `key ${i % 3}` }));
  await producer.send({ value: null, key: "key 2" });
  await c.admin("PUT", `${c.path()}/compaction`);
  await eventually(
    "it is compacted",
    async () => (await c.admin("GET", `${c.path()}/compaction`)).status === "SUCCESS",
  );
  await producer.send(of("later", { key: "key 0" }));
  const expected = ["later", "value 10", "value 9"];
  const compacted = await c.consumer({ subscription: "compacted", readCompacted: true });
  assert.deepEqual(texts(await drain(compacted)).sort(), expected);
  assert.equal((await drain(await c.consumer({ subscription: "plain" }))).length, 14);
  const reader = await c.reader({ readCompacted: true });
  const seen: string[] = [];
  while (await reader.hasMessageAvailable()) seen.push(await next(reader));
  assert.deepEqual(seen.sort(), expected);
}
