/**
 * What compaction does with one entry (Pulsar: RawBatchConverter and AbstractTwoPhaseCompactor): which messages with keys it holds, and the
 * entry without those that later ones replace. Messages of a batch keep their places: what goes leaves an empty one behind, marked
 * `compacted_out`, which clients pass over.
 *
 * @module
 */
import type { Crc32c } from "../../base/mod.ts";
import {
  closePayload,
  compress,
  decodeMessage,
  decompress,
  encodeMessage,
  MESSAGE_METADATA,
  PayloadSection,
  ProtoWriter,
  SINGLE_MESSAGE_METADATA,
  splitBatch,
} from "../wire/mod.ts";
import type { CompressionType, MessageMetadata, SingleMessageMetadata } from "../wire/mod.ts";

/** A batch that claims to be larger is kept as it is. */
const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/** Field of MessageMetadata that names the places of a batch which are left: newer than the definitions that are published for Go. */
const COMPACTED_BATCH_INDEXES = 31;
const VARINT = 0;

const section = new PayloadSection();

/** A message with a key. */
export interface KeyedMessage {
  readonly key: string;
  /** Place in its batch, −1 for one that is no batch. */
  readonly index: number;
  /** It says that there is nothing under its key any more. */
  readonly isEmpty: boolean;
  /** Names the message whose chunk this is, undefined for a whole one. */
  readonly uuid: string | undefined;
}

interface Single {
  readonly metadata: SingleMessageMetadata;
  /** With its size and metadata, in the uncompressed payload. */
  readonly start: number;
  readonly end: number;
}

interface OpenEntry {
  readonly metadata: MessageMetadata;
  readonly payload: Uint8Array;
  /** The messages of a batch, undefined for what is no batch, or none that can be read here. */
  readonly singles: readonly Single[] | undefined;
}

/** @throws {PulsarError} when the entry is not what it says */
function openEntry(bytes: Uint8Array, start: number, end: number): OpenEntry {
  const { metadataStart, metadataEnd } = section.read(bytes, start, end);
  const metadata = decodeMessage(MESSAGE_METADATA, bytes, metadataStart, metadataEnd);
  const stored = bytes.subarray(metadataEnd, end);
  const isEncrypted = (metadata.encryptionKeys?.length ?? 0) > 0;
  if (metadata.numMessagesInBatch === undefined || isEncrypted) {
    return { metadata, payload: stored, singles: undefined };
  }
  const size = metadata.uncompressedSize ?? 0;
  const payload = decompress(metadata.compression ?? 0, stored, size, BATCH_BYTES_MAX);
  return { metadata, payload, singles: singlesOf(payload, metadata.numMessagesInBatch) };
}

function singlesOf(payload: Uint8Array, count: number): Single[] {
  const bounds = new Uint32Array(2 * count);
  splitBatch(payload, 0, payload.length, count, bounds);
  let start = 0;
  return Array.from({ length: count }, (_, i) => {
    const [messageStart, end] = [bounds[2 * i]!, bounds[2 * i + 1]!];
    const metadata = decodeMessage(SINGLE_MESSAGE_METADATA, payload, start + 4, messageStart);
    const single = { metadata, start, end };
    start = end;
    return single;
  });
}

function keyOf(fields: {
  readonly partitionKey?: string | undefined;
  readonly partitionKeyB64Encoded?: boolean | undefined;
}): string | undefined {
  if (fields.partitionKey === undefined) return undefined;
  return `${fields.partitionKeyB64Encoded === true ? "bytes" : "text"}:${fields.partitionKey}`;
}

/**
 * The messages with keys in the entry `bytes[start..end)`.
 *
 * @throws {PulsarError} when the entry cannot be read
 */
export function keyedMessages(bytes: Uint8Array, start: number, end: number): KeyedMessage[] {
  const { metadata, payload, singles } = openEntry(bytes, start, end);
  if (metadata.markerType !== undefined) return [];
  if (singles === undefined) {
    const key = keyOf(metadata);
    if (key === undefined) return [];
    const uuid = (metadata.numChunksFromMsg ?? 0) > 1 ? metadata.uuid : undefined;
    const isEmpty = (metadata.uncompressedSize ?? payload.length) === 0;
    return [{ key, index: -1, isEmpty, uuid }];
  }
  return singles.flatMap(({ metadata: single }, index) => {
    const key = keyOf(single);
    if (key === undefined || single.compactedOut === true) return [];
    return [{ key, index, isEmpty: single.payloadSize === 0, uuid: undefined }];
  });
}

/**
 * The entry without the messages that are not to be kept; those without a key go too, as with Pulsar's defaults.
 *
 * @returns undefined when nothing is left, the given bytes when everything is
 * @throws {PulsarError} when the entry cannot be read
 */
export function keepOnly(
  entry: Uint8Array,
  keeps: (message: KeyedMessage) => boolean,
  crc32c: Crc32c,
): Uint8Array | undefined {
  const kept = keyedMessages(entry, 0, entry.length).filter(keeps);
  if (kept.length === 0) return undefined;
  const { metadata, payload, singles } = openEntry(entry, 0, entry.length);
  if (singles === undefined || kept.length === singles.length) return entry;
  const places = new Set(kept.map(({ index }) => index));
  const content = rebuilt(payload, singles, places);
  const stored = compress((metadata.compression ?? 0) as CompressionType, content);
  const writer = new ProtoWriter();
  writer.raw(stored);
  for (const place of [...places].reverse()) {
    writer.int32(place);
    writer.tag(COMPACTED_BATCH_INDEXES, VARINT);
  }
  encodeMessage(MESSAGE_METADATA, { ...metadata, uncompressedSize: content.length }, writer);
  closePayload(writer, stored.length, crc32c);
  return writer.finish();
}

function rebuilt(
  payload: Uint8Array,
  singles: readonly Single[],
  places: ReadonlySet<number>,
): Uint8Array {
  const writer = new ProtoWriter();
  for (let i = singles.length - 1; i >= 0; i--) {
    const { start, end } = singles[i]!;
    if (places.has(i)) {
      writer.raw(payload.subarray(start, end));
      continue;
    }
    const gone = { payloadSize: 0, compactedOut: true };
    writer.frame32(encodeMessage(SINGLE_MESSAGE_METADATA, gone, writer));
  }
  return writer.finish();
}

/** Place of the last message of an entry that is still there, −1 for one that is no batch. */
export function lastIndexIn(bytes: Uint8Array, start: number, end: number): number {
  const { singles } = openEntry(bytes, start, end);
  return singles?.findLastIndex(({ metadata }) => metadata.compactedOut !== true) ?? -1;
}
