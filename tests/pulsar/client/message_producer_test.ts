import assert from "node:assert/strict";
import { keyHash } from "../../../lib/pulsar/client/key_hash.ts";
import {
  decodeMessage,
  MESSAGE_METADATA,
  PayloadSection,
  SINGLE_MESSAGE_METADATA,
} from "../../../lib/pulsar/wire/mod.ts";
import { readUint32, textOf, utf8 } from "../../../lib/base/mod.ts";
import type { FakeEntry } from "./fake_broker.ts";
import { connectFake, rejectsWith, settle, TOPIC } from "./setup.ts";

const OPTIONS = { topic: "orders", producerName: "till" };

/** The messages of a batch with their metadata. */
function messagesOf({ section: bytes }: FakeEntry) {
  const { metadataStart, metadataEnd, end } = new PayloadSection().read(bytes, 0, bytes.length);
  const { numMessagesInBatch } = decodeMessage(MESSAGE_METADATA, bytes, metadataStart, metadataEnd);
  const messages = [];
  let at = metadataEnd;
  while (at < end) {
    const start = at + 4;
    const valueStart = start + readUint32(bytes, at);
    const metadata = decodeMessage(SINGLE_MESSAGE_METADATA, bytes, start, valueStart);
    at = valueStart + metadata.payloadSize;
    messages.push({ value: textOf(bytes.subarray(valueStart, at)), metadata });
  }
  assert.equal(messages.length, numMessagesInBatch);
  return messages;
}

Deno.test("MessageProducer.send() batches by delay", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openMessageProducer(OPTIONS);
  const ids = Promise.all(["a", "b", "c"].map((text) => producer.send({ value: utf8(text) })));
  await clock.advance(9);
  assert.equal(broker.count("SEND"), 0);
  await clock.advance(1);
  assert.deepEqual(
    await ids,
    [0, 1, 2].map((batchIndex) => ({
      ledgerId: 7,
      entryId: 0,
      partition: 0,
      batchIndex,
    })),
  );
  const [entry] = broker.topic(TOPIC).entries;
  assert.deepEqual(messagesOf(entry!).map(({ value }) => value), ["a", "b", "c"]);
});

Deno.test("MessageProducer.send() batches by count and by bytes", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openMessageProducer({
    ...OPTIONS,
    batchMessagesMax: 3,
    batchBytesMax: 1000,
  });
  const texts = ["a", "b", "c", "x".repeat(600), "y".repeat(600), "z".repeat(2000)];
  const sent = Promise.all(texts.map((text) => producer.send({ value: utf8(text) })));
  await settle(clock);
  await clock.advance(10);
  await sent;
  const sizes = broker.topic(TOPIC).entries.map((entry) => messagesOf(entry).length);
  assert.deepEqual(sizes, [3, 1, 1, 1]);
  assert.deepEqual(broker.bodies("SEND").map((body) => body.sequenceId), [0, 3, 4, 5]);
});

Deno.test("MessageProducer.send() carries key, ordering key, properties and event time", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openMessageProducer(OPTIONS);
  const sent = producer.send({
    value: utf8("v"),
    key: "k",
    orderingKey: utf8("o"),
    properties: { a: "b" },
    eventTimeMs: 5,
  });
  await producer.flush();
  await sent;
  assert.deepEqual(messagesOf(broker.topic(TOPIC).entries[0]!)[0]!.metadata, {
    properties: [{ key: "a", value: "b" }],
    partitionKey: "k",
    payloadSize: 1,
    eventTime: 5,
    orderingKey: utf8("o"),
  });
});

Deno.test("MessageProducer.send() routes by key, and without one by turns a batch", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.partitions = 4;
  const producer = await client.openMessageProducer({ ...OPTIONS, batchMessagesMax: 2 });
  const keyed = Array.from(
    { length: 20 },
    (_, i) => producer.send({ value: utf8("v"), key: `key-${i}` }).then((id) => id.partition),
  );
  await producer.flush();
  const expected = Array.from({ length: 20 }, (_, i) => keyHash(`key-${i}`) % 4);
  assert.deepEqual(await Promise.all(keyed), expected);
  const plain = Array.from(
    { length: 8 },
    () => producer.send({ value: utf8("v") }).then((id) => id.partition),
  );
  await producer.flush();
  const partitions = await Promise.all(plain);
  assert.equal(new Set(partitions).size, 4);
  for (let i = 0; i < 8; i += 2) assert.equal(partitions[i], partitions[i + 1]);
});

Deno.test("keyHash() is Java's String.hashCode without its sign", () => {
  assert.equal(keyHash(""), 0);
  assert.equal(keyHash("hello"), 99162322);
  assert.equal(keyHash("polygenelubricants"), -2147483648 & 0x7fffffff);
});

Deno.test("MessageProducer.send() waits in order while all buffers are in flight, up to its bound", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const receipts: (() => void)[] = [];
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SEND") return false;
    const { body } = command;
    broker.store(body, connection, frame, { receipt: false });
    receipts.push(() =>
      connection.send("SEND_RECEIPT", {
        ...body,
        highestSequenceId: -1,
        messageId: { ledgerId: 7, entryId: 0 },
      })
    );
    return true;
  };
  const producer = await client.openMessageProducer({
    ...OPTIONS,
    batchMessagesMax: 1,
    batchesInFlightMax: 1,
    waitingMessagesMax: 2,
  });
  const sent = ["a", "b", "c"].map((text) => producer.send({ value: utf8(text) }));
  await rejectsWith(producer.send({ value: utf8("d") }), "queue_full");
  for (let i = 0; i < 3; i++) {
    await settle(clock);
    assert.equal(receipts.length, i + 1);
    receipts[i]!();
  }
  await Promise.all(sent);
  const values = broker.topic(TOPIC).entries.flatMap(messagesOf).map(({ value }) => value);
  assert.deepEqual(values, ["a", "b", "c"]);
});

Deno.test("MessageProducer rejects what waits when it is closed", async () => {
  const { client } = await connectFake();
  await using _ = client;
  const producer = await client.openMessageProducer(OPTIONS);
  const sent = rejectsWith(producer.send({ value: utf8("a") }), "closed");
  await producer[Symbol.asyncDispose]();
  await sent;
  await rejectsWith(producer.send({ value: utf8("b") }), "closed");
});

Deno.test("MessageProducer.send() rejects a message that the broker would not take", async () => {
  const { client } = await connectFake();
  await using _ = client;
  const producer = await client.openMessageProducer(OPTIONS);
  await rejectsWith(producer.send({ value: new Uint8Array(2 << 20) }), "batch_too_large");
});
