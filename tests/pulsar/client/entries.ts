/** Entries as a broker sends them, recorded or made, and what takes them apart. */
import { crc32cPortable } from "../../../lib/base/mod.ts";
import { ChunkAssembler } from "../../../lib/pulsar/client/chunk_assembler.ts";
import { type Chunk, MessageDecoder } from "../../../lib/pulsar/client/message_decoder.ts";
import type { EntryParts } from "../../../lib/pulsar/client/received_entry.ts";
import { Frame, MessageView } from "../../../lib/pulsar/wire/mod.ts";
import { recordedFrames } from "../recorded.ts";

/** The entries that a real broker has sent. */
export const recordedMessages = (name: string) =>
  recordedFrames(name, { command: "MESSAGE", from: "broker" });

export function decodeFrame(decoder: MessageDecoder, bytes: Uint8Array) {
  const frame = new Frame().read(bytes, 0, bytes.length);
  const { messageId, redeliveryCount } = new MessageView().read(frame);
  decoder.open(bytes, frame.commandEnd, frame.end);
  const { ledgerId, entryId } = messageId;
  return decoder.decode({ ledgerId, entryId, redeliveryCount });
}

export const decoder = () => new MessageDecoder(crc32cPortable, { consumesEncrypted: false });

export const ORIGIN = { topic: "t", partition: -1, schema: undefined };

export function assembler(options: Partial<ConstructorParameters<typeof ChunkAssembler>[0]> = {}) {
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

/** A chunk of a message of so many, one byte each. */
export function chunk(uuid: string, chunkId: number, chunkCount: number, entryId: number): Chunk {
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
