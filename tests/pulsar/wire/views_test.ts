import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { crc32cPortable, hexOf, utf8 } from "../../../lib/base/mod.ts";
import {
  AckView,
  closePayload,
  type CommandAck,
  type CommandFlow,
  type CommandMessage,
  type CommandSend,
  type CommandSendReceipt,
  decodeCommand,
  decodeMessage,
  FlowView,
  Frame,
  MESSAGE_METADATA,
  MessageView,
  MetadataView,
  PayloadSection,
  ProtoWriter,
  PulsarError,
  SendReceiptView,
  SendView,
  writeAck,
  writeFlow,
  writeMessageHeader,
  writeMetadata,
  writeSend,
  writeSendReceipt,
} from "../../../lib/pulsar/wire/mod.ts";
import { anyCommand, bytesOfMessage, frameAround, SEED } from "./oracle.ts";
import { BaseCommand_Type, BaseCommandSchema, MessageMetadataSchema } from "./pulsar_api_pb.ts";

function frameOf(bytes: Uint8Array): Frame {
  return new Frame().read(bytes, 0, bytes.length);
}

/** Random frames of one type, with what the table codec reads in them. */
function forEach(type: string, check: (frame: Frame, body: never) => void): void {
  const frames = anyCommand.filter((command) => command.type === type);
  let count = 0;
  fc.assert(
    fc.property(frames, ({ bytes }) => {
      const frame = frameOf(frameAround(bytes));
      const command = decodeCommand(frame)!;
      check(frame, command.body as never);
      count++;
    }),
    { seed: SEED, numRuns: 40 },
  );
  assert.equal(count, 40);
}

Deno.test("SendView agrees with the table codec on random frames", () => {
  const view = new SendView();
  forEach("SEND", (frame, body: CommandSend) => {
    view.read(frame);
    assert.equal(view.producerId, body.producerId);
    assert.equal(view.sequenceId, body.sequenceId);
    assert.equal(view.numMessages, body.numMessages ?? 1);
    assert.equal(view.highestSequenceId, body.highestSequenceId ?? -1);
    assert.equal(view.isChunk, body.isChunk ?? false);
    assert.equal(view.isMarker, body.marker ?? false);
  });
});

Deno.test("MessageView agrees with the table codec on random frames", () => {
  const view = new MessageView();
  forEach("MESSAGE", (frame, body: CommandMessage) => {
    view.read(frame);
    assert.equal(view.consumerId, body.consumerId);
    assert.equal(view.messageId.ledgerId, body.messageId.ledgerId);
    assert.equal(view.messageId.entryId, body.messageId.entryId);
    assert.equal(view.messageId.partition, body.messageId.partition ?? -1);
    assert.equal(view.messageId.batchIndex, body.messageId.batchIndex ?? -1);
    assert.equal(view.redeliveryCount, body.redeliveryCount ?? 0);
    assert.equal(view.ackSetWords, body.ackSet?.length ?? 0);
    assert.equal(view.consumerEpoch, body.consumerEpoch ?? -1);
  });
});

Deno.test("SendReceiptView agrees with the table codec on random frames", () => {
  const view = new SendReceiptView();
  forEach("SEND_RECEIPT", (
    frame,
    body: CommandSendReceipt,
  ) => {
    view.read(frame);
    assert.equal(view.producerId, body.producerId);
    assert.equal(view.sequenceId, body.sequenceId);
    assert.equal(view.highestSequenceId, body.highestSequenceId ?? -1);
    assert.equal(view.messageId.entryId, body.messageId?.entryId ?? -1);
  });
});

Deno.test("AckView agrees with the table codec on random frames", () => {
  const view = new AckView();
  forEach("ACK", (frame, body: CommandAck) => {
    view.read(frame);
    const ids = body.messageId ?? [];
    assert.equal(view.consumerId, body.consumerId);
    assert.equal(view.isCumulative, body.ackType === 1);
    assert.equal(view.count, ids.length);
    assert.deepEqual(view.ledgerIds.slice(0, view.count), ids.map((id) => id.ledgerId));
    assert.deepEqual(view.entryIds.slice(0, view.count), ids.map((id) => id.entryId));
    const words = ids.reduce((sum, id) => sum + (id.ackSet?.length ?? 0), 0);
    assert.equal(view.ackSetWords, words);
    assert.equal(view.requestId, body.requestId);
    assert.equal(view.validationError, body.validationError ?? -1);
  });
});

Deno.test("FlowView agrees with the table codec on random frames", () => {
  const view = new FlowView();
  forEach("FLOW", (frame, body: CommandFlow) => {
    view.read(frame);
    assert.equal(view.consumerId, body.consumerId);
    assert.equal(view.messagePermits, body.messagePermits);
  });
});

Deno.test("MetadataView agrees with the table codec on random metadata", () => {
  const view = new MetadataView();
  fc.assert(
    fc.property(bytesOfMessage("MessageMetadata"), (bytes) => {
      const metadata = decodeMessage(MESSAGE_METADATA, bytes);
      view.read(bytes, 0, bytes.length);
      assert.equal(view.sequenceId, metadata.sequenceId);
      assert.equal(view.publishTimeMs, metadata.publishTime);
      assert.equal(view.compression, metadata.compression ?? 0);
      assert.equal(view.uncompressedSize, metadata.uncompressedSize ?? 0);
      assert.equal(view.isBatch, metadata.numMessagesInBatch !== undefined);
      assert.equal(view.messageCount, metadata.numMessagesInBatch ?? 1);
      assert.equal(view.highestSequenceId, metadata.highestSequenceId ?? -1);
      assert.equal(view.isMarker, metadata.markerType !== undefined);
      assert.equal(view.isChunk, metadata.chunkId !== undefined);
      assert.deepEqual(
        bytes.subarray(view.producerNameStart, view.producerNameEnd),
        utf8(metadata.producerName),
      );
      const properties = Object.fromEntries(
        (metadata.properties ?? []).map(({ key, value }) => [key, value]),
      );
      assert.deepEqual({ ...view.properties() }, properties);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("writeSend(), writeMetadata() and closePayload() write what another library reads", () => {
  const writer = new ProtoWriter();
  writer.raw(utf8("payload"));
  writeMetadata(writer, {
    producerName: utf8("till"),
    sequenceId: 2 ** 40,
    publishTimeMs: 1_790_000_000_000,
    properties: [{ key: "a", value: "b" }, { key: "c", value: "d" }],
    partitionKey: "k",
    orderingKey: utf8("o"),
    eventTimeMs: 5,
    compression: 1,
    uncompressedSize: 70,
    batchMessageCount: 10,
    schemaVersion: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]),
    highestSequenceId: 2 ** 40 + 9,
  });
  closePayload(writer, 7, crc32cPortable);
  writeSend(writer, {
    producerId: 1,
    sequenceId: 2 ** 40,
    numMessages: 10,
    highestSequenceId: 2 ** 40 + 9,
  });
  const frame = frameOf(writer.finish());
  const expected = create(BaseCommandSchema, {
    type: BaseCommand_Type.SEND,
    send: {
      producerId: 1n,
      sequenceId: 2n ** 40n,
      numMessages: 10,
      highestSequenceId: 2n ** 40n + 9n,
    },
  });
  assert.equal(
    hexOf(frame.bytes.subarray(frame.commandStart, frame.commandEnd)),
    hexOf(toBinary(BaseCommandSchema, expected)),
  );
  const section = new PayloadSection().read(frame.bytes, frame.commandEnd, frame.end);
  section.assertChecksum(crc32cPortable);
  assert.equal(
    hexOf(frame.bytes.subarray(section.metadataStart, section.metadataEnd)),
    hexOf(toBinary(
      MessageMetadataSchema,
      create(MessageMetadataSchema, {
        producerName: "till",
        sequenceId: 2n ** 40n,
        publishTime: 1_790_000_000_000n,
        properties: [{ key: "a", value: "b" }, { key: "c", value: "d" }],
        partitionKey: "k",
        orderingKey: utf8("o"),
        eventTime: 5n,
        compression: 1,
        uncompressedSize: 70,
        numMessagesInBatch: 10,
        schemaVersion: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]),
        highestSequenceId: 2n ** 40n + 9n,
      }),
    )),
  );
});

Deno.test("writeSend() leaves out what has its default", () => {
  const writer = new ProtoWriter();
  writeSend(writer, { producerId: 0, sequenceId: 5, numMessages: 1, highestSequenceId: 5 });
  const send = decodeCommand(frameOf(writer.finish()))!;
  assert.deepEqual(send.body, { producerId: 0, sequenceId: 5 });
});

Deno.test("writeSendReceipt() puts several receipts into one write, the first one last", () => {
  const writer = new ProtoWriter();
  for (const entryId of [2, 1]) {
    const fields = { producerId: 3, sequenceId: entryId, highestSequenceId: -1, ledgerId: 9 };
    writeSendReceipt(writer, { ...fields, entryId });
  }
  const bytes = writer.finish();
  const first = 4 + new DataView(bytes.buffer).getUint32(0);
  const view = new SendReceiptView().read(new Frame().read(bytes, 0, first));
  assert.deepEqual([view.sequenceId, view.messageId.entryId], [1, 1]);
  view.read(new Frame().read(bytes, first, bytes.length));
  assert.deepEqual([view.sequenceId, view.highestSequenceId, view.messageId.ledgerId], [2, -1, 9]);
});

Deno.test("writeAck() and writeFlow() write what the table codec reads", () => {
  const writer = new ProtoWriter();
  const ack = { consumerId: 1, isCumulative: true, ledgerId: 2, entryId: 3, validationError: 2 };
  writeAck(writer, { ...ack, requestId: 2n ** 62n + 1n });
  assert.deepEqual(decodeCommand(frameOf(writer.finish()))!.body, {
    consumerId: 1,
    ackType: 1,
    messageId: [{ ledgerId: 2, entryId: 3 }],
    validationError: 2,
    requestId: 2n ** 62n + 1n,
  });
  writeFlow(writer.reset(), 4, 50_000);
  assert.deepEqual(decodeCommand(frameOf(writer.finish()))!.body, {
    consumerId: 4,
    messagePermits: 50_000,
  });
});

Deno.test("writeMessageHeader() announces the section that follows on the wire", () => {
  const section = new Uint8Array(33).fill(7);
  const writer = new ProtoWriter();
  const fields = { consumerId: 1, ledgerId: 2, entryId: 3, partition: 0, redeliveryCount: 4 };
  writeMessageHeader(writer, { ...fields, sectionBytes: section.length });
  const frame = frameOf(new Uint8Array([...writer.finish(), ...section]));
  const view = new MessageView().read(frame);
  assert.deepEqual([view.consumerId, view.messageId.partition, view.redeliveryCount], [1, 0, 4]);
  assert.equal(frame.end - frame.commandEnd, 33);
});

Deno.test("writeMessageHeader() says which messages are left, and for which epoch", () => {
  const writer = new ProtoWriter();
  const fields = { consumerId: 1, ledgerId: 2, entryId: 3, partition: -1, redeliveryCount: 0 };
  const ackSet = [5n, -1n];
  writeMessageHeader(writer, { ...fields, ackSet, consumerEpoch: 7, sectionBytes: 0 });
  const frame = frameOf(writer.finish());
  const view = new MessageView().read(frame);
  assert.deepEqual([view.ackSetWords, view.consumerEpoch], [2, 7]);
  assert.deepEqual(decodeCommand(frame)!.body, {
    consumerId: 1,
    messageId: { ledgerId: 2, entryId: 3, partition: -1 },
    ackSet,
    consumerEpoch: 7,
  });
});

Deno.test("the views refuse frames without their required fields", () => {
  const typed = (type: number) =>
    frameOf(frameAround(new Uint8Array([8, type, (type << 3) | 2, 0])));
  for (
    const [view, type] of [
      [new SendView(), 6],
      [new SendReceiptView(), 7],
      [new MessageView(), 9],
      [new AckView(), 10],
      [new FlowView(), 11],
    ] as const
  ) {
    assert.throws(
      () => view.read(typed(type)),
      (error) => error instanceof PulsarError && error.code === "malformed",
    );
  }
});

Deno.test("PayloadSection reads broker entry metadata, and sections without a checksum", () => {
  const bare = [0, 0, 0, 2, 9, 9, 1, 2, 3];
  const section = new PayloadSection();
  section.read(new Uint8Array(bare), 0, bare.length);
  assert.equal(section.hasChecksum, false);
  assert.deepEqual([section.metadataStart, section.metadataEnd, section.end], [4, 6, 9]);
  assert.equal(section.checksumMatches(crc32cPortable), true);
  const withEntry = new Uint8Array([0x0e, 0x02, 0, 0, 0, 3, 7, 7, 7, ...bare]);
  section.read(withEntry, 0, withEntry.length);
  assert.deepEqual([section.brokerEntryStart, section.brokerEntryEnd, section.entryStart], [
    6,
    9,
    9,
  ]);
  assert.deepEqual([section.metadataStart, section.metadataEnd], [13, 15]);
});

Deno.test("PayloadSection refuses sections truncated at every byte, until only payload is missing", () => {
  const writer = new ProtoWriter();
  writer.raw(utf8("payload"));
  writer.raw(new Uint8Array(20));
  closePayload(writer, 7, crc32cPortable);
  const bytes = new Uint8Array([0x0e, 0x02, 0, 0, 0, 2, 8, 1, ...writer.finish()]);
  const section = new PayloadSection();
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    try {
      section.read(cut, 0, length);
      assert.equal(section.checksumMatches(crc32cPortable), false, `cut at ${length}`);
    } catch (error) {
      assert.ok(error instanceof PulsarError && error.code === "malformed", `cut at ${length}`);
    }
  }
});

Deno.test("PayloadSection.assertChecksum() notices each flipped bit", () => {
  const writer = new ProtoWriter();
  writer.raw(utf8("some payload"));
  writer.raw(new Uint8Array(8));
  closePayload(writer, 12, crc32cPortable);
  const bytes = writer.finish();
  for (let bit = 16; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(
      () => new PayloadSection().read(flipped, 0, flipped.length).assertChecksum(crc32cPortable),
      (error) =>
        error instanceof PulsarError && ["checksum_mismatch", "malformed"].includes(error.code),
      `bit ${bit}`,
    );
  }
});
