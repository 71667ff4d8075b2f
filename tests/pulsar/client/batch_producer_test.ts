import assert from "node:assert/strict";
import { END_MARKER_PROPERTY, type Receipt } from "../../../lib/contract.ts";
import { crc32cPortable } from "../../../lib/base/mod.ts";
import {
  type CommandSend,
  decodeMessage,
  decompress,
  MESSAGE_METADATA,
  PayloadSection,
  SchemaType,
  ServerError,
  splitBatch,
} from "../../../lib/pulsar/wire/mod.ts";
import type { FakeBroker, FakeEntry } from "./fake_broker.ts";
import { batchOf, connectFake, fill, rejectsWith, settle, TOPIC } from "./setup.ts";

const OPTIONS = { topic: "orders", producerName: "till" };

function textsOfEntry({ section }: FakeEntry): string[] {
  const { metadataStart, metadataEnd, end } = new PayloadSection().read(section, 0, section.length);
  const metadata = decodeMessage(MESSAGE_METADATA, section, metadataStart, metadataEnd);
  const payload = section.subarray(metadataEnd, end);
  const content = decompress(
    metadata.compression ?? 0,
    payload,
    metadata.uncompressedSize ?? 0,
    1 << 20,
  );
  const count = metadata.numMessagesInBatch!;
  const bounds = new Uint32Array(2 * count);
  splitBatch(content, 0, content.length, count, bounds);
  return Array.from(
    { length: count },
    (_, i) => new TextDecoder().decode(content.subarray(bounds[2 * i], bounds[2 * i + 1])),
  );
}

/** Answers so many SENDs with an error, and takes those that come then. */
function refuseSends(broker: FakeBroker, error: ServerError, count = Infinity): void {
  let sends = 0;
  broker.hook = (command, connection) => {
    if (command.type !== "SEND" || ++sends > count) return false;
    const { producerId, sequenceId } = command.body;
    connection.send("SEND_ERROR", { producerId, sequenceId, error, message: "refused" });
    return true;
  };
}

Deno.test("BatchProducer.send() stores a batch with its metadata and gives its position", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  const receipt = await producer.send(batchOf(producer, ["a", "bb", ""]), 40);
  assert.deepEqual(receipt, { position: { ledgerId: 7, entryId: 0 }, duplicate: false });
  const [entry] = broker.topic(TOPIC).entries;
  assert.deepEqual(textsOfEntry(entry!), ["a", "bb", ""]);
  const section = new PayloadSection().read(entry!.section, 0, entry!.section.length);
  section.assertChecksum(crc32cPortable);
  const { metadataStart, metadataEnd } = section;
  const metadata = decodeMessage(MESSAGE_METADATA, entry!.section, metadataStart, metadataEnd);
  assert.equal(metadata.producerName, "till");
  assert.equal(metadata.sequenceId, 40);
  assert.equal(metadata.highestSequenceId, 42);
  assert.equal(metadata.publishTime, 1_790_000_000_000);
  assert.deepEqual(broker.bodies("SEND")[0], {
    producerId: 0,
    sequenceId: 40,
    numMessages: 3,
    highestSequenceId: 42,
  });
});

for (const compression of ["lz4", "zlib", "zstd", "snappy"] as const) {
  Deno.test(`BatchProducer.send() compresses with ${compression}`, async () => {
    const { broker, client } = await connectFake();
    await using _ = client;
    const producer = await client.openBatchProducer({ ...OPTIONS, compression });
    const texts = Array.from({ length: 50 }, (_, i) => `order ${i} of table seven`);
    await producer.send(batchOf(producer, texts), 0);
    const [entry] = broker.topic(TOPIC).entries;
    assert.deepEqual(textsOfEntry(entry!), texts);
    assert.ok(entry!.section.length < texts.join("").length);
  });
}

Deno.test("BatchProducer keeps one connection and one producer name a partition", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.partitions = 3;
  const producer = await client.openBatchProducer(OPTIONS);
  assert.equal(producer.partitionCount, 3);
  assert.equal(broker.connections.length, 1);
  assert.deepEqual(
    broker.bodies("PRODUCER").map((body) => [body.topic, body.producerName]).sort(),
    [0, 1, 2].map((k) => [`${TOPIC}-partition-${k}`, `till-partition-${k}`]),
  );
});

Deno.test("BatchProducer.openBatch() gives undefined at the bound of batches in flight, until a receipt comes", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const held: (() => void)[] = [];
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SEND") return false;
    const section = frame.bytes.slice(frame.start, frame.end);
    held.push(() => connection.send("SEND_RECEIPT", receiptOf(command.body, held.length)));
    return section.length > 0;
  };
  const producer = await client.openBatchProducer({ ...OPTIONS, batchesInFlightMax: 2 });
  const first = producer.send(batchOf(producer, ["a"]), 0);
  const second = producer.send(batchOf(producer, ["b"]), 1);
  assert.equal(producer.openBatch(0), undefined);
  let ready = false;
  const waiting = producer.whenReady(0).then(() => ready = true);
  await settle(clock);
  assert.equal(ready, false);
  held[0]!();
  await first;
  await waiting;
  assert.notEqual(producer.openBatch(0), undefined);
  held[1]!();
  await second;
});

function receiptOf(body: CommandSend, entryId: number) {
  const { producerId, sequenceId } = body;
  return { producerId, sequenceId, messageId: { ledgerId: 1, entryId }, highestSequenceId: -1 };
}

Deno.test("BatchProducer.openBatch() is bounded in bytes too", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command) => command.type === "SEND";
  const producer = await client.openBatchProducer({ ...OPTIONS, bytesInFlightMax: 1000 });
  producer.send(batchOf(producer, ["x".repeat(1000)]), 0).catch(() => {});
  assert.equal(producer.openBatch(0), undefined);
});

Deno.test("BatchProducer.send() sends again in order after the connection dropped mid-batch", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  let sends = 0;
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SEND") return false;
    sends++;
    // The first is stored but its receipt is lost; the second never arrives.
    if (sends === 1) broker.store(command.body, connection, frame, { receipt: false });
    if (sends === 2) connection.drop();
    return sends <= 2;
  };
  const producer = await client.openBatchProducer(OPTIONS);
  const receipts = Promise.all([
    producer.send(batchOf(producer, ["a"]), 0),
    producer.send(batchOf(producer, ["b"]), 1),
    producer.send(batchOf(producer, ["c"]), 2),
  ]);
  await clock.advance(1000);
  assert.deepEqual((await receipts).map((receipt) => receipt.position.entryId), [1, 2, 3]);
  const stored = broker.topic(TOPIC).entries.flatMap(textsOfEntry);
  assert.deepEqual(stored, ["a", "a", "b", "c"]);
  assert.equal(producer.counters.reconnects, 1);
  assert.deepEqual(broker.bodies("PRODUCER").map((body) => body.epoch), [0, 1]);
});

Deno.test("BatchProducer.send() waits while the broker is down, with growing delays", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  broker.isDown = true;
  broker.dropAll();
  const sent = producer.send(batchOf(producer, ["a"]), 0);
  await clock.advance(30_000);
  broker.isDown = false;
  await clock.advance(10_000);
  assert.equal((await sent).duplicate, false);
  assert.equal(broker.connections.length, 2);
});

Deno.test("BatchProducer.send() says duplicate when the broker had the batch already", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) => {
    if (command.type !== "SEND") return false;
    const messageId = { ledgerId: -1, entryId: -1 };
    connection.send("SEND_RECEIPT", { ...receiptOf(command.body, 0), messageId });
    return true;
  };
  const producer = await client.openBatchProducer(OPTIONS);
  assert.equal((await producer.send(batchOf(producer, ["a"]), 0)).duplicate, true);
});

Deno.test("BatchProducer.lastSequenceId() is what the broker says", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) => {
    if (command.type !== "PRODUCER") return false;
    const { requestId } = command.body;
    connection.send("PRODUCER_SUCCESS", { requestId, producerName: "till", lastSequenceId: 41 });
    return true;
  };
  const producer = await client.openBatchProducer(OPTIONS);
  assert.equal(producer.lastSequenceId(0), 41);
});

Deno.test("BatchProducer ignores a receipt of something older, and reconnects at one of something newer", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  let sends = 0;
  broker.hook = (command, connection) => {
    if (command.type !== "SEND" || ++sends > 1) return false;
    const { producerId, sequenceId } = command.body;
    const wrong = { ...receiptOf(command.body, 0), producerId };
    connection.send("SEND_RECEIPT", { ...wrong, sequenceId: sequenceId - 1 });
    connection.send("SEND_RECEIPT", { ...wrong, sequenceId: sequenceId + 1 });
    return true;
  };
  const producer = await client.openBatchProducer(OPTIONS);
  const sent = producer.send(batchOf(producer, ["a"]), 5);
  await clock.advance(1000);
  await sent;
  assert.deepEqual(producer.counters, { staleReceipts: 1, reconnects: 1 });
});

Deno.test("BatchProducer looks the topic up again when the broker closes the producer", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  broker.connections[0]!.send("CLOSE_PRODUCER", { producerId: 0, requestId: -1n });
  await settle(clock);
  const sent = producer.send(batchOf(producer, ["a"]), 0);
  await clock.advance(1000);
  await sent;
  assert.equal(broker.count("LOOKUP"), 2);
  assert.equal(broker.connections.length, 1);
});

Deno.test("BatchProducer.send() is rejected for good when the topic was terminated", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  refuseSends(broker, ServerError.TopicTerminatedError);
  const producer = await client.openBatchProducer(OPTIONS);
  const sent = [0, 1].map((id) =>
    rejectsWith(producer.send(batchOf(producer, ["a"]), id), "topic_terminated_error")
  );
  await Promise.all(sent);
  await rejectsWith(producer.send(batchOf(producer, ["a"]), 2), "topic_terminated_error");
});

Deno.test("BatchProducer.send() sends again when the broker says that the checksum is wrong and it is not", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  refuseSends(broker, ServerError.ChecksumError, 1);
  const producer = await client.openBatchProducer(OPTIONS);
  const sent = producer.send(batchOf(producer, ["a"]), 0);
  await clock.advance(1000);
  assert.equal((await sent).position.entryId, 0);
  assert.equal(broker.connections.length, 2);
});

Deno.test("BatchProducer.send() is rejected when the batch was damaged on this side", async () => {
  let sum = 0;
  const { client } = await connectFake({ crc32c: () => sum++ });
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  // The fake broker does not check: it says so as a real one would.
  const { broker, client: other } = await connectFake({ crc32c: () => sum++ });
  await using _other = other;
  refuseSends(broker, ServerError.ChecksumError);
  const damaged = await other.openBatchProducer(OPTIONS);
  await rejectsWith(damaged.send(batchOf(damaged, ["a"]), 0), "checksum_error");
  await producer.send(batchOf(producer, ["a"]), 0);
});

Deno.test("BatchProducer holds what waits while the quota is exceeded, and rejects it where the policy says exception", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  let refusal: "ProducerBlockedQuotaExceededError" | "ProducerBlockedQuotaExceededException" =
    "ProducerBlockedQuotaExceededError";
  let isBlocked = true;
  broker.hook = (command, connection) =>
    command.type === "PRODUCER" && isBlocked
      ? broker.refuse(connection, command.body.requestId, refusal)
      : false;
  broker.connections[0]!.send("CLOSE_PRODUCER", { producerId: 0, requestId: -1n });
  await settle(clock);
  let outcome: unknown = "held";
  const sent = producer.send(batchOf(producer, ["a"]), 0)
    .then((receipt: Receipt) => outcome = receipt, (error) => outcome = error.code);
  await clock.advance(20_000);
  assert.equal(outcome, "held");
  refusal = "ProducerBlockedQuotaExceededException";
  await clock.advance(20_000);
  await sent;
  assert.equal(outcome, "producer_blocked_quota_exceeded_exception");
  isBlocked = false;
  const later = producer.send(batchOf(producer, ["b"]), 1);
  await clock.advance(20_000);
  assert.equal((await later).duplicate, false);
});

Deno.test("BatchProducer.open() names an incompatible schema and what to do", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) =>
    command.type === "PRODUCER"
      ? broker.refuse(connection, command.body.requestId, "IncompatibleSchema")
      : false;
  const schemaData = new TextEncoder().encode('"string"');
  const schema = { name: "", type: SchemaType.Avro, schemaData };
  const error = await rejectsWith(
    client.openBatchProducer({ ...OPTIONS, schema }),
    "incompatible_schema",
  );
  assert.match(error.cure!, /schema/);
  assert.deepEqual(broker.bodies("PRODUCER")[0]!.schema, schema);
});

Deno.test("BatchProducer.open() tries again while the broker is not ready, and gives up in the end", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  let refusals = 3;
  broker.hook = (command, connection) =>
    command.type === "PRODUCER" && refusals-- > 0
      ? broker.refuse(connection, command.body.requestId, "ServiceNotReady")
      : false;
  const opening = client.openBatchProducer(OPTIONS);
  await clock.advance(2000);
  await (await opening)[Symbol.asyncDispose]();
  refusals = Infinity;
  const failing = rejectsWith(client.openBatchProducer(OPTIONS), "service_not_ready");
  await clock.advance(30_000);
  await failing;
});

Deno.test("BatchProducer.sendEndMarker() sends a plain message with the property", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  await producer.sendEndMarker(0, 9);
  const { section } = broker.topic(TOPIC).entries[0]!;
  const { metadataStart, metadataEnd, end } = new PayloadSection().read(section, 0, section.length);
  const metadata = decodeMessage(MESSAGE_METADATA, section, metadataStart, metadataEnd);
  assert.deepEqual(metadata.properties, [{ key: END_MARKER_PROPERTY, value: "true" }]);
  assert.equal(metadata.numMessagesInBatch, undefined);
  assert.equal(end, metadataEnd);
});

Deno.test("BatchProducer.send() refuses a batch over the broker's bound", async () => {
  const { client } = await connectFake();
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  const batch = producer.openBatch(0)!;
  fill(batch, ["x".repeat(600_000), "y".repeat(600_000)]);
  assert.throws(() => batch.reserve(1), { code: "batch_too_large" });
  await rejectsWith(producer.send(batch, 0), "batch_too_large");
});

Deno.test("BatchProducer rejects what has no receipt when it is closed", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command) => command.type === "SEND";
  const producer = await client.openBatchProducer(OPTIONS);
  const sent = rejectsWith(producer.send(batchOf(producer, ["a"]), 0), "closed");
  await producer[Symbol.asyncDispose]();
  await sent;
  assert.equal(broker.count("CLOSE_PRODUCER"), 1);
  await rejectsWith(producer.send(batchOf(producer, ["b"]), 1), "closed");
});

Deno.test("BatchProducer.systemName says what the broker is", async () => {
  for (
    const [serverVersion, name] of [
      ["Pulsar Server4.2.4", "Apache Pulsar 4.2.4"],
      ["weir-embedded-0.1.0", "embedded broker"],
    ] as const
  ) {
    const { broker, clock, client } = await connectFake();
    await using _ = client;
    broker.serverVersion = serverVersion;
    broker.dropAll();
    const opening = client.openBatchProducer(OPTIONS);
    await clock.advance(1000);
    assert.equal((await opening).systemName, name);
  }
});
