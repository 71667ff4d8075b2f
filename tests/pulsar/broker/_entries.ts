/** Entries as producers send them, and what is in them. */
import { crc32cPortable, utf8 } from "../../../lib/base/mod.ts";
import {
  closePayload,
  decodeMessage,
  decompress,
  encodeMessage,
  MESSAGE_METADATA,
  PayloadSection,
  ProtoWriter,
  SINGLE_MESSAGE_METADATA,
  splitBatch,
} from "../../../lib/pulsar/wire/mod.ts";
import type { MessageMetadata } from "../../../lib/pulsar/wire/mod.ts";

/** A payload section: magic, checksum, metadata, payload. */
export function entryOf(metadata: Partial<MessageMetadata>, payload: Uint8Array): Uint8Array {
  const writer = new ProtoWriter();
  writer.raw(payload);
  const fields = { producerName: "p", sequenceId: 0, publishTime: 1, ...metadata };
  encodeMessage(MESSAGE_METADATA, fields, writer);
  closePayload(writer, payload.length, crc32cPortable);
  return writer.finish();
}

/** The payload of a batch of keys and values. */
export function batchPayload(
  messages: readonly (readonly [key: string | undefined, value: string])[],
): Uint8Array {
  const writer = new ProtoWriter();
  for (const [partitionKey, value] of messages.toReversed()) {
    const bytes = utf8(value);
    writer.raw(bytes);
    const key = partitionKey === undefined ? {} : { partitionKey };
    const fields = { payloadSize: bytes.length, ...key };
    writer.frame32(encodeMessage(SINGLE_MESSAGE_METADATA, fields, writer));
  }
  return writer.finish();
}

/** The messages of an entry as `key=value`; null for those that were compacted out. */
export function messagesOf(entry: Uint8Array): (string | null)[] {
  const { metadataStart, metadataEnd } = new PayloadSection().read(entry, 0, entry.length);
  const metadata = decodeMessage(MESSAGE_METADATA, entry, metadataStart, metadataEnd);
  const { compression = 0, uncompressedSize = 0, numMessagesInBatch: count } = metadata;
  const payload = decompress(compression, entry.slice(metadataEnd), uncompressedSize, 1e6);
  const text = (start: number, end: number) => new TextDecoder().decode(payload.slice(start, end));
  if (count === undefined) return [`${metadata.partitionKey}=${text(0, payload.length)}`];
  const bounds = new Uint32Array(2 * count);
  splitBatch(payload, 0, payload.length, count, bounds);
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [bounds[2 * i]!, bounds[2 * i + 1]!];
    const from = i === 0 ? 0 : bounds[2 * i - 1]!;
    const single = decodeMessage(SINGLE_MESSAGE_METADATA, payload, from + 4, start);
    return single.compactedOut === true ? null : `${single.partitionKey}=${text(start, end)}`;
  });
}
