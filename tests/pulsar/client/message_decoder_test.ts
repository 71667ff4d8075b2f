import assert from "node:assert/strict";
import fc from "fast-check";
import { textOf } from "../../../lib/base/mod.ts";
import { ReceivedEntry } from "../../../lib/pulsar/client/received_entry.ts";
import { Frame, PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { assembler, decodeFrame, decoder, ORIGIN, recordedMessages } from "./entries.ts";

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
