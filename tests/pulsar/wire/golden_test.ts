import assert from "node:assert/strict";
import { crc32cPortable, hexOf } from "../../../lib/base/mod.ts";
import {
  COMMANDS,
  commandType,
  decodeCommand,
  decodeMessage,
  decompress,
  encodeCommand,
  encodeMessage,
  Frame,
  MESSAGE_METADATA,
  MessageView,
  MetadataView,
  PayloadSection,
  ProtoWriter,
  PulsarError,
  SendReceiptView,
  SendView,
  splitBatch,
} from "../../../lib/pulsar/wire/mod.ts";
import { allRecordings } from "../recorded.ts";

function frameOf(bytes: Uint8Array): Frame {
  return new Frame().read(bytes, 0, bytes.length);
}

const everyFrame = allRecordings().flat();
/** Those named raw_* hold what no client sends: damaged frames. */
const frames = everyFrame.filter((frame) => !frame.name.startsWith("raw_"));

Deno.test("golden frames are there in number", () => {
  assert.ok(frames.length > 500, `${frames.length} frames`);
});

Deno.test("decodeCommand() and encodeCommand() give back each recorded command byte for byte", () => {
  const types = new Set<string>();
  for (const { name, bytes, command } of frames) {
    const frame = frameOf(bytes);
    const decoded = decodeCommand(frame);
    assert.ok(decoded !== undefined, name);
    assert.equal(decoded.type, command, name);
    types.add(decoded.type);
    const encoded = encodeCommand(decoded.type, decoded.body);
    const recorded = frame.bytes.subarray(frame.start + 4, frame.commandEnd);
    if (name.startsWith("python")) {
      assert.equal(hexOf(encoded.subarray(4)), hexOf(recorded), name);
      continue;
    }
    // Java writes fields in the order of their declaration, C++ and this codec in that of their numbers.
    assert.equal(encoded.length - 4, recorded.length, name);
    assert.deepEqual(decodeCommand(frameOf(encoded)), decoded, name);
  }
  assert.ok(types.size >= 25, [...types].join(" "));
});

Deno.test("PayloadSection finds metadata and payload of each recorded message, with the right checksum", () => {
  let count = 0;
  for (const { name, bytes } of frames) {
    const frame = frameOf(bytes);
    if (frame.commandEnd === frame.end) continue;
    const section = new PayloadSection().read(frame.bytes, frame.commandEnd, frame.end);
    assert.equal(section.hasChecksum, true, name);
    section.assertChecksum(crc32cPortable);
    const { metadataStart, metadataEnd } = section;
    const metadata = decodeMessage(MESSAGE_METADATA, bytes, metadataStart, metadataEnd);
    const writer = new ProtoWriter();
    encodeMessage(MESSAGE_METADATA, metadata, writer);
    assert.deepEqual(decodeMessage(MESSAGE_METADATA, writer.finish()), metadata, name);
    assert.equal(writer.length, metadataEnd - metadataStart, name);
    const view = new MetadataView().read(bytes, metadataStart, metadataEnd);
    assert.equal(view.sequenceId, metadata.sequenceId, name);
    assert.equal(view.messageCount, metadata.numMessagesInBatch ?? 1, name);
    count++;
  }
  assert.ok(count > 50, `${count} payloads`);
});

Deno.test("splitBatch() and decompress() open each recorded batch", () => {
  const compressions = new Set<number>();
  for (const { name, bytes } of frames) {
    const frame = frameOf(bytes);
    if (frame.commandEnd === frame.end) continue;
    const section = new PayloadSection().read(frame.bytes, frame.commandEnd, frame.end);
    const view = new MetadataView().read(frame.bytes, section.metadataStart, section.metadataEnd);
    if (view.isChunk) continue;
    const payload = frame.bytes.subarray(section.metadataEnd, section.end);
    const content = decompress(view.compression, payload, view.uncompressedSize, 1 << 20);
    compressions.add(view.compression);
    if (!view.isBatch) continue;
    const bounds = new Uint32Array(2 * view.messageCount);
    splitBatch(content, 0, content.length, view.messageCount, bounds);
    assert.ok(bounds.at(-1)! <= content.length, name);
  }
  assert.deepEqual([...compressions].sort(), [0, 1, 2, 3, 4]);
});

Deno.test("the views of SEND, SEND_RECEIPT and MESSAGE agree with the table codec on recorded frames", () => {
  const seen = new Set<string>();
  for (const { name, bytes } of frames) {
    const frame = frameOf(bytes);
    const command = decodeCommand(frame)!;
    seen.add(command.type);
    if (command.type === "SEND") {
      const view = new SendView().read(frame);
      assert.equal(view.producerId, command.body.producerId, name);
      assert.equal(view.sequenceId, command.body.sequenceId, name);
      assert.equal(view.numMessages, command.body.numMessages ?? 1, name);
      assert.equal(view.highestSequenceId, command.body.highestSequenceId ?? -1, name);
    } else if (command.type === "SEND_RECEIPT") {
      const view = new SendReceiptView().read(frame);
      assert.equal(view.sequenceId, command.body.sequenceId, name);
      assert.equal(view.messageId.entryId, command.body.messageId?.entryId, name);
    } else if (command.type === "MESSAGE") {
      const view = new MessageView().read(frame);
      assert.equal(view.consumerId, command.body.consumerId, name);
      assert.equal(view.messageId.ledgerId, command.body.messageId.ledgerId, name);
      assert.equal(view.messageId.batchIndex, command.body.messageId.batchIndex ?? -1, name);
      assert.equal(view.redeliveryCount, command.body.redeliveryCount ?? 0, name);
    }
  }
  for (const type of ["SEND", "SEND_RECEIPT", "MESSAGE"]) assert.ok(seen.has(type), type);
});

Deno.test("Frame.read() and decodeCommand() refuse each recorded frame truncated at every byte", () => {
  for (const { name, bytes } of frames.slice(0, 200)) {
    const commandEnd = frameOf(bytes).commandEnd;
    for (let length = 0; length < commandEnd; length++) {
      assert.throws(
        () => decodeCommand(new Frame().read(bytes.subarray(0, length), 0, length)),
        (error) => error instanceof PulsarError && error.code === "malformed" && error.offset! >= 0,
        `${name} cut at ${length}`,
      );
    }
  }
});

Deno.test("commandType() knows every command that was recorded", () => {
  for (const { command } of frames) {
    const { number } = COMMANDS[command as keyof typeof COMMANDS];
    assert.equal(commandType(number), command);
  }
});

Deno.test("PayloadSection.assertChecksum() refuses the payload that was recorded with a wrong checksum", () => {
  const errors = everyFrame.filter((frame) =>
    frame.name.startsWith("raw_wrong_checksum") && frame.command === "SEND"
  ).map(({ bytes }) => {
    const { commandEnd, end } = frameOf(bytes);
    return new PayloadSection().read(bytes, commandEnd, end).checksumMatches(crc32cPortable);
  });
  assert.ok(errors.includes(false), "no wrong checksum recorded");
});

Deno.test("Frame.read() gives a value or a typed error for each malformed frame that was recorded", () => {
  let refused = 0;
  for (const { bytes } of everyFrame.filter((frame) => frame.name.startsWith("raw_malformed"))) {
    try {
      decodeCommand(frameOf(bytes));
    } catch (error) {
      assert.ok(error instanceof PulsarError && error.code === "malformed");
      refused++;
    }
  }
  assert.ok(refused > 0);
});
