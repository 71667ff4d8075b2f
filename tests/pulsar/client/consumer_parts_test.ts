/** The smaller parts of consumers. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32cPortable, FakeClock, textOf } from "../../../lib/base/mod.ts";
import type { Position } from "../../../lib/contract.ts";
import { Alarm } from "../../../lib/pulsar/client/alarm.ts";
import {
  type AssembledMessage,
  ChunkAssembler,
} from "../../../lib/pulsar/client/chunk_assembler.ts";
import { DelayedPositions } from "../../../lib/pulsar/client/delayed_positions.ts";
import { type Chunk, MessageDecoder } from "../../../lib/pulsar/client/message_decoder.ts";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import { ReadingPlace } from "../../../lib/pulsar/client/reading_place.ts";
import { type EntryParts, ReceivedEntry } from "../../../lib/pulsar/client/received_entry.ts";
import { matchingTopics, parseTopicPattern } from "../../../lib/pulsar/client/topic_pattern.ts";
import { Frame, MessageView, PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { recordedFrames } from "../recorded.ts";

/** The entries that a real broker has sent. */
const recordedMessages = (name: string) =>
  recordedFrames(name, { command: "MESSAGE", from: "broker" });

function decodeFrame(decoder: MessageDecoder, bytes: Uint8Array) {
  const frame = new Frame().read(bytes, 0, bytes.length);
  const { messageId, redeliveryCount } = new MessageView().read(frame);
  decoder.open(bytes, frame.commandEnd, frame.end);
  const { ledgerId, entryId } = messageId;
  return decoder.decode({ ledgerId, entryId, redeliveryCount });
}

const decoder = () => new MessageDecoder(crc32cPortable, { consumesEncrypted: false });
const ORIGIN = { topic: "t", partition: -1, schema: undefined };

Deno.test("MessageDecoder reads what a real broker sent, batches and single messages", () => {
  const texts: string[] = [];
  for (const bytes of recordedMessages("python_consume_exclusive")) {
    const decoded = decodeFrame(decoder(), bytes);
    assert.equal(decoded.kind, "message");
    if (decoded.kind !== "message") continue;
    const entry = new ReceivedEntry(ORIGIN, decoded.parts);
    for (let message = entry.next(); message !== undefined; message = entry.next()) {
      texts.push(textOf(message.data));
      assert.ok(message.producerName.length > 0 && message.publishTimeMs > 1_600_000_000_000);
    }
    assert.equal(entry.isTaken, true);
  }
  assert.ok(texts.length > 0);
});

Deno.test("MessageDecoder refuses a recorded entry that is cut off or changed anywhere", () => {
  const [bytes] = recordedMessages("python_consume_exclusive");
  const frame = new Frame().read(bytes!, 0, bytes!.length);
  const start = frame.commandEnd;
  const header = { ledgerId: 1, entryId: 1, redeliveryCount: 0 };
  for (let i = start; i < bytes!.length; i++) {
    for (
      const [what, section] of [["cut", bytes!.slice(0, i)], [
        "changed",
        changed(bytes!, i),
      ]] as const
    ) {
      const one = decoder();
      one.open(section, start, section.length);
      const hasChecksum = section[start] === 0x0e && section[start + 1] === 0x01;
      if (!hasChecksum) continue;
      assert.throws(() => one.decode(header), PulsarError, `${what} at ${i}`);
    }
  }
});

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 0x55;
  return copy;
}

/** Everything that can be asked of a message. */
const FIELDS = [
  ...["id", "topic", "data", "value", "isNull", "key", "keyBytes", "orderingKey", "properties"],
  ...["eventTimeMs", "publishTimeMs", "producerName", "sequenceId", "redeliveryCount", "index"],
  ...["schemaVersion", "replicatedFrom", "brokerPublishTimeMs", "deliverAtTimeMs"],
  ...["byteLength", "ackId"],
] as const;

/** Reads all that an entry without a checksum seems to hold; nothing but errors of this client may come of it. */
function readAll(section: Uint8Array): void {
  const parts = assembler().parts;
  const one = decoder();
  one.open(section, 0, section.length);
  const decoded = one.decode({ ledgerId: 1, entryId: 1, redeliveryCount: 0 });
  const whole = decoded.kind === "chunk" ? parts.add(decoded.chunk, 0)?.parts : undefined;
  if (decoded.kind !== "message" && whole === undefined) return;
  const entry = new ReceivedEntry(ORIGIN, decoded.kind === "message" ? decoded.parts : whole!);
  for (let message = entry.next(); message !== undefined; message = entry.next()) {
    for (const field of FIELDS) void message[field as keyof typeof message];
  }
}

Deno.test("MessageDecoder and ReceivedMessage take nonsense for nonsense, never for a bug", () => {
  const sections = ["python_consume_exclusive", "java_chunks", "python_consume_compressed"]
    .flatMap(recordedMessages).map((bytes) => {
      const { commandEnd, end } = new Frame().read(bytes, 0, bytes.length);
      // Without checksum, or nearly nothing would get beyond it.
      return bytes.subarray(commandEnd, Math.min(end, commandEnd + 400)).slice(6);
    });
  const change = fc.record({ at: fc.nat(399), byte: fc.nat(255) });
  let readable = 0;
  fc.assert(
    fc.property(
      fc.nat(sections.length - 1),
      fc.array(change, { maxLength: 4 }),
      fc.nat(400),
      (which, changes, length) => {
        const section = sections[which]!.slice(0, length);
        for (const { at, byte } of changes) if (at < section.length) section[at] = byte;
        try {
          readAll(section);
          readable++;
        } catch (error) {
          assert.ok(error instanceof PulsarError, String(error));
        }
      },
    ),
    { seed: 20261121, numRuns: 5000 },
  );
  assert.ok(readable > 100, `only ${readable} were readable: the test tests nothing`);
});

function chunksOf(name: string): Chunk[] {
  return recordedMessages(name).flatMap((bytes) => {
    const decoded = decodeFrame(decoder(), bytes);
    return decoded.kind === "chunk" ? [decoded.chunk] : [];
  });
}

function assembler(options: Partial<ConstructorParameters<typeof ChunkAssembler>[0]> = {}) {
  const dropped: string[] = [];
  const parts = new ChunkAssembler({
    pendingMax: 2,
    messageBytesMax: 1 << 24,
    expiryMs: 1000,
    dropped: (positions, why) => dropped.push(`${why} ${positions.map(({ entryId }) => entryId)}`),
    ...options,
  });
  return { parts, dropped };
}

Deno.test("ChunkAssembler puts the chunks together that Java's client has sent", () => {
  const chunks = chunksOf("java_chunks");
  assert.ok(chunks.length > 1);
  const { parts, dropped } = assembler();
  const assembled = chunks.flatMap((chunk) => parts.add(chunk, 0) ?? []);
  assert.ok(assembled.length > 0);
  for (const { parts: whole, positions } of assembled) {
    assert.ok(positions.length > 1);
    assert.deepEqual(whole.firstChunk, positions[0]);
    assert.equal(whole.entryId, positions.at(-1)!.entryId);
  }
  assert.deepEqual(dropped, []);
  assert.equal(parts.pending, 0);
});

/** A chunk of a message of so many, one byte each. */
function chunk(uuid: string, chunkId: number, chunkCount: number, entryId: number): Chunk {
  const content = Uint8Array.of(chunkId);
  const parts: EntryParts = {
    ledgerId: 1,
    entryId,
    redeliveryCount: 0,
    head: new Uint8Array(0),
    brokerEntryStart: 0,
    brokerEntryEnd: 0,
    metadataStart: 0,
    metadataEnd: 0,
    content,
    contentStart: 0,
    contentEnd: 1,
    bounds: undefined,
    publishTimeMs: 0,
  };
  return {
    uuid,
    chunkId,
    chunkCount,
    totalBytes: chunkCount,
    compression: 0,
    uncompressedSize: 0,
    parts,
  };
}

function bytesOf(assembled: AssembledMessage | undefined): number[] | undefined {
  return assembled === undefined ? undefined : [...assembled.parts.content];
}

Deno.test("ChunkAssembler keeps messages apart, takes chunks twice for once, and begins again with chunk 0", () => {
  const { parts, dropped } = assembler();
  const add = (uuid: string, chunkId: number, entryId: number) =>
    bytesOf(parts.add(chunk(uuid, chunkId, 3, entryId), 0));
  assert.equal(add("a", 0, 0), undefined);
  assert.equal(add("b", 0, 1), undefined);
  assert.equal(add("a", 1, 2), undefined);
  assert.equal(add("a", 1, 3), undefined);
  assert.equal(add("b", 1, 4), undefined);
  assert.equal(add("b", 0, 5), undefined);
  assert.deepEqual(add("a", 2, 6), [0, 1, 2]);
  assert.equal(add("b", 1, 7), undefined);
  assert.deepEqual(add("b", 2, 8), [0, 1, 2]);
  assert.deepEqual(dropped, []);
});

Deno.test("ChunkAssembler gives up messages with a gap, that are overdue, or too many", () => {
  const { parts, dropped } = assembler();
  parts.add(chunk("gap", 0, 3, 0), 0);
  parts.add(chunk("gap", 2, 3, 1), 0);
  parts.add(chunk("unknown", 1, 3, 2), 0);
  parts.add(chunk("old", 0, 3, 3), 0);
  parts.add(chunk("old", 1, 3, 4), 500);
  parts.expire(1499);
  assert.equal(parts.pending, 1);
  parts.expire(1500);
  for (const [i, uuid] of ["x", "y", "z"].entries()) parts.add(chunk(uuid, 0, 2, 10 + i), 2000);
  assert.deepEqual(dropped, ["gap 0,1", "gap 2", "expired 3,4", "too_many 10"]);
});

Deno.test("ChunkAssembler refuses more bytes than allowed, whatever was announced", () => {
  const { parts } = assembler({ messageBytesMax: 2 });
  assert.throws(() => parts.add({ ...chunk("a", 0, 9, 0), totalBytes: 3 }, 0), {
    code: "message_too_large",
  });
  const lie = (chunkId: number) => ({ ...chunk("b", chunkId, 9, chunkId), totalBytes: 1 });
  parts.add(lie(0), 0);
  parts.add(lie(1), 0);
  assert.throws(() => parts.add(lie(2), 0), { code: "message_too_large" });
  assert.equal(parts.pending, 0);
});

Deno.test("DelayedPositions gives each entry once, not before its time, and not much later", () => {
  const add = fc.record({ entryId: fc.nat(20), dueMs: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(add, { maxLength: 60 }), fc.array(fc.nat(20)), (adds, deletes) => {
      const delayed = new DelayedPositions(10);
      const model = new Map<number, number>();
      for (const { entryId, dueMs } of adds) {
        delayed.add({ ledgerId: 1, entryId }, dueMs);
        if (!model.has(entryId)) model.set(entryId, dueMs);
      }
      for (const entryId of deletes) {
        assert.equal(delayed.delete({ ledgerId: 1, entryId }), model.delete(entryId));
      }
      assert.equal(delayed.size, model.size);
      for (let nowMs = 0; nowMs <= 1010; nowMs += 5) {
        for (const { entryId } of delayed.takeDue(nowMs)) {
          const dueMs = model.get(entryId)!;
          assert.ok(nowMs >= dueMs && nowMs <= dueMs + 15, `due ${dueMs}, given at ${nowMs}`);
          model.delete(entryId);
        }
      }
      assert.equal(model.size, 0);
      assert.equal(delayed.nextDueMs(), undefined);
    }),
    { seed: 20261121, numRuns: 200 },
  );
});

Deno.test("Alarm rings once, at the earliest time asked for", async () => {
  const clock = new FakeClock();
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => rung.push(clock.wallMs()));
  alarm.within(100);
  alarm.within(50);
  alarm.within(70);
  assert.equal(clock.pending, 1);
  await clock.advance(200);
  assert.deepEqual(rung, [50]);
  alarm.within(10);
  alarm.cancel();
  await clock.advance(20);
  assert.deepEqual(rung, [50]);
  assert.equal(clock.pending, 0);
});

Deno.test("MessageId's bytes are those of the official Python client", () => {
  const golden: [string, Partial<MessageId> & Position][] = [
    ["080c1007", { ledgerId: 12, entryId: 7 }],
    ["08ac02100518022003", { ledgerId: 300, entryId: 5, partition: 2, batchIndex: 3 }],
    ["08ffffffffffffffffff0110ffffffffffffffffff01", MessageId.earliest],
    ["08ffffffffffffffff7f10ffffffffffffffff7f", MessageId.latest],
  ];
  for (const [hex, parts] of golden) {
    const id = { partition: -1, batchIndex: -1, ...parts };
    assert.equal(MessageId.toBytes(id).toHex(), hex);
    assert.deepEqual(MessageId.fromBytes(Uint8Array.fromHex(hex)), id);
  }
  assert.throws(() => MessageId.fromBytes(Uint8Array.of(8)), { code: "malformed" });
});

Deno.test("MessageId.compare() orders by ledger, entry and place in the batch", () => {
  const id = (ledgerId: number, entryId: number, batchIndex = -1) => {
    return { ledgerId, entryId, partition: -1, batchIndex };
  };
  const ordered = [
    MessageId.earliest,
    id(1, 9),
    id(2, 0),
    id(2, 1),
    id(2, 1, 0),
    id(2, 1, 5),
    MessageId.latest,
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      assert.equal(Math.sign(MessageId.compare(a, b)), Math.sign(i - j));
    }
  }
});

Deno.test("ReadingPlace says what of the first entry is wanted", () => {
  const entry = (entryId: number, messageCount: number) => {
    const bounds = messageCount === 1 ? undefined : new Uint32Array(2 * messageCount);
    return new ReceivedEntry(ORIGIN, { ...chunk("", 0, 1, entryId).parts, bounds });
  };
  const first = (batchIndex: number, isInclusive: boolean, messageCount: number) => {
    const id = { ledgerId: 1, entryId: 5, partition: -1, batchIndex };
    return new ReadingPlace({ id, isInclusive }, false).firstWanted(entry(5, messageCount));
  };
  assert.deepEqual([first(-1, true, 1), first(-1, false, 1)], [0, 1]);
  assert.deepEqual([first(-1, true, 4), first(-1, false, 4)], [0, 4]);
  assert.deepEqual([first(2, true, 4), first(2, false, 4)], [2, 3]);
  assert.deepEqual([first(0, true, 4), first(3, false, 4)], [0, 4]);
  const elsewhere = new ReadingPlace({ id: MessageId.earliest, isInclusive: true }, false);
  assert.equal(elsewhere.firstWanted(entry(5, 4)), 0);
});

Deno.test("parseTopicPattern() and matchingTopics() find the topics that a pattern means", () => {
  const listed = [
    "persistent://public/default/orders-eu-partition-0",
    "persistent://public/default/orders-eu-partition-2",
    "persistent://public/default/orders-us",
    "persistent://public/default/old-orders-us",
    "non-persistent://public/default/orders-live",
    "persistent://public/default/__change_events",
  ];
  const find = (pattern: string | RegExp, mode?: "all" | "non-persistent") =>
    matchingTopics(parseTopicPattern(pattern, mode), listed)
      .map(({ name, partitions }) => `${name.split("/").pop()} ${partitions}`);
  assert.deepEqual(find("persistent://public/default/orders-.*"), ["orders-eu 3", "orders-us 0"]);
  assert.deepEqual(find("orders-(eu|us)"), ["orders-eu 3", "orders-us 0"]);
  assert.deepEqual(find(/^public\/default\/ORDERS-us$/i), ["orders-us 0"]);
  assert.deepEqual(find("orders-.*", "all"), ["orders-eu 3", "orders-us 0", "orders-live 0"]);
  assert.deepEqual(find("non-persistent://public/default/.*"), ["orders-live 0"]);
  assert.deepEqual(find(".*", "non-persistent"), ["orders-live 0"]);
  assert.equal(parseTopicPattern("a/b/c.*").namespace, "a/b");
  for (const wrong of ["persistent://a/b/c/d", "(", ".*/b/c"]) {
    assert.throws(() => parseTopicPattern(wrong), { code: "invalid_topic_name" }, wrong);
  }
});
