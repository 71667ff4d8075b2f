import {
  decodeMessage,
  decompress,
  DEFAULT_MESSAGE_BYTES_MAX,
  MESSAGE_METADATA,
  PayloadSection,
} from "../../wire/mod.ts";
import type { MessageMetadata } from "../../wire/mod.ts";
import { BrokerError } from "../errors.ts";
import type { PartitionLog } from "./log.ts";
import type { Position } from "./position.ts";

const section = new PayloadSection();

/** One entry of a log, in copies. */
export interface StoredEntry {
  readonly position: Position;
  readonly metadata: MessageMetadata;
  /** As it was sent: a message, or a batch of them, perhaps compressed. */
  readonly payload: Uint8Array;
  /** Of the payload with its checksum and length, as Pulsar counts it. */
  readonly sizeBytes: number;
}

/**
 * Reads the first entry behind a position.
 *
 * @returns undefined where there is none
 * @throws {BrokerError} `damaged`, `disk_error`
 */
export function readEntryAfter(log: PartitionLog, after: Position): StoredEntry | undefined {
  const reader = log.reader(after);
  try {
    if (!reader.load()) return undefined;
    const { slab, start, end } = reader;
    section.read(slab.bytes, start, end);
    const { metadataStart, metadataEnd } = section;
    return {
      position: { ledgerId: reader.ledgerId, entryId: reader.entryId },
      metadata: decodeMessage(MESSAGE_METADATA, slab.bytes, metadataStart, metadataEnd),
      payload: slab.bytes.slice(metadataEnd, end),
      sizeBytes: end - start - (metadataEnd - metadataStart),
    };
  } finally {
    reader.close();
  }
}

/**
 * The payload of an entry as its producer had it before compression.
 *
 * @throws {BrokerError} `damaged` where it says that it would be larger than any message may be, or does not decompress
 */
export function plainPayload({ metadata, payload }: StoredEntry): Uint8Array {
  const { compression = 0, uncompressedSize = 0 } = metadata;
  if (compression === 0) return payload;
  try {
    return decompress(compression, payload, uncompressedSize, DEFAULT_MESSAGE_BYTES_MAX);
  } catch (cause) {
    throw new BrokerError("Cannot decompress a message: it is damaged", { code: "damaged", cause });
  }
}

/** Index of the last message in an entry, −1 for one that is no batch or is not there. */
export function lastBatchIndex(log: PartitionLog, at: Position): number {
  const { metadata } = readEntryAfter(log, log.previousPosition(at)) ?? {};
  return metadata?.numMessagesInBatch === undefined ? -1 : metadata.numMessagesInBatch - 1;
}
