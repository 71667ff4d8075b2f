/**
 * One entry in a segment file. All integers are big-endian.
 *
 *     0        4             8         12             16               24              28           32
 *     | magic  | body length | entryId | messageCount | publishTimeMs  | settled bytes | header CRC | body …
 *     | "WEIR" | u32         | u32     | u32          | f64            | u32           | u32        |
 *
 * The body is what came behind the SEND command, byte for byte: 0x0e01, CRC32C, metadata size, metadata, payload
 * (https://pulsar.apache.org/docs/developing-binary-protocol/#payload-commands). So delivering an entry is a copy of bytes, and the
 * producer's own checksum guards it on the disk.
 *
 * The header's CRC32C is mixed with a number that each segment draws for itself, so that a record of another segment, or one that somebody
 * published as a message, is none here. (Files are used again: old records lie behind the new ones.)
 * `settled bytes` says how much of this file was safe when this record was written: handed to the operating system, or synced, as the
 * durability promises. Damage below the highest value in the file is damage of receipted data; above it, it is a torn tail.
 *
 * @module
 */
import type { Crc32c } from "../../../base/mod.ts";
import { readUint32, writeUint32 } from "../../../base/mod.ts";

/** Bytes before a record's body. */
export const RECORD_HEADER_BYTES = 32;
/** Bytes of a body before its metadata size: magic and checksum. */
const BODY_PREFIX_BYTES = 6;

/** Bytes before a segment's first record. */
export const SEGMENT_HEADER_BYTES = 24;

const MAGIC = 0x57454952;
const SEGMENT_MAGIC = 0x57534547;
const SEGMENT_VERSION = 1;
const BODY_MAGIC_HIGH = 0x0e;
const BODY_MAGIC_LOW = 0x01;

/**
 * The first bytes of a segment file.
 *
 *     0        4         8             16     20
 *     | "WSEG" | version | ledgerId f64 | salt | CRC32C |
 */
export function segmentHeader(ledgerId: number, salt: number, crc32c: Crc32c): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SEGMENT_MAGIC);
  view.setUint32(4, SEGMENT_VERSION);
  view.setFloat64(8, ledgerId);
  view.setUint32(16, salt);
  view.setUint32(20, crc32c(bytes, 0, 20));
  return bytes;
}

/** What {@link segmentHeader} says, or undefined when the bytes are not one. */
export function readSegmentHeader(
  bytes: Uint8Array,
  crc32c: Crc32c,
): { readonly ledgerId: number; readonly salt: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWhole = bytes.length >= SEGMENT_HEADER_BYTES && view.getUint32(0) === SEGMENT_MAGIC &&
    view.getUint32(4) === SEGMENT_VERSION && view.getUint32(20) === crc32c(bytes, 0, 20);
  return isWhole ? { ledgerId: view.getFloat64(8), salt: view.getUint32(16) } : undefined;
}

/** What a record's header says. */
export interface RecordHeader {
  /** The segment's own number; not stored, but checked. */
  readonly salt: number;
  readonly bodyLength: number;
  readonly entryId: number;
  readonly messageCount: number;
  readonly publishTimeMs: number;
  readonly settledBytes: number;
}

const scratch = new DataView(new ArrayBuffer(8));

/** Writes a header at `offset`; the body is the caller's. */
export function writeRecordHeader(
  bytes: Uint8Array,
  offset: number,
  header: RecordHeader,
  crc32c: Crc32c,
): void {
  writeUint32(bytes, offset, MAGIC);
  writeUint32(bytes, offset + 4, header.bodyLength);
  writeUint32(bytes, offset + 8, header.entryId);
  writeUint32(bytes, offset + 12, header.messageCount);
  scratch.setFloat64(0, header.publishTimeMs);
  writeUint32(bytes, offset + 16, scratch.getUint32(0));
  writeUint32(bytes, offset + 20, scratch.getUint32(4));
  writeUint32(bytes, offset + 24, header.settledBytes);
  writeUint32(bytes, offset + 28, (crc32c(bytes, offset, offset + 28) ^ header.salt) >>> 0);
}

/** Bytes of the body of the record at `offset`, taken on trust. */
export function bodyLengthAt(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 4);
}

/** Entry id of the record at `offset`, taken on trust. */
export function entryIdAt(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 8);
}

/** Messages of the record at `offset`, taken on trust. */
export function messageCountAt(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 12);
}

/** Publish time of the record at `offset`, taken on trust. */
export function publishTimeMsAt(bytes: Uint8Array, offset: number): number {
  scratch.setUint32(0, readUint32(bytes, offset + 16));
  scratch.setUint32(4, readUint32(bytes, offset + 20));
  return scratch.getFloat64(0);
}

/** The header in the 32 bytes at `offset`, or undefined when they are not one of this segment. */
export function readRecordHeader(
  bytes: Uint8Array,
  offset: number,
  salt: number,
  crc32c: Crc32c,
): RecordHeader | undefined {
  if (readUint32(bytes, offset) !== MAGIC) return undefined;
  const expected = (crc32c(bytes, offset, offset + 28) ^ salt) >>> 0;
  if (expected !== readUint32(bytes, offset + 28)) return undefined;
  return {
    salt,
    bodyLength: bodyLengthAt(bytes, offset),
    entryId: entryIdAt(bytes, offset),
    messageCount: messageCountAt(bytes, offset),
    publishTimeMs: publishTimeMsAt(bytes, offset),
    settledBytes: readUint32(bytes, offset + 24),
  };
}

/** Whether `bytes[start..end)` is a body whose checksum holds. */
export function isWholeBody(
  bytes: Uint8Array,
  start: number,
  end: number,
  crc32c: Crc32c,
): boolean {
  return end - start >= BODY_PREFIX_BYTES && bytes[start] === BODY_MAGIC_HIGH &&
    bytes[start + 1] === BODY_MAGIC_LOW &&
    crc32c(bytes, start + BODY_PREFIX_BYTES, end) === readUint32(bytes, start + 2);
}

/** The next offset from `offset` on at which a record may begin, or −1. */
export function findRecord(bytes: Uint8Array, offset: number, end: number): number {
  for (let at = bytes.indexOf(MAGIC >>> 24, offset); at >= 0 && at + 4 <= end;) {
    if (readUint32(bytes, at) === MAGIC) return at;
    at = bytes.indexOf(MAGIC >>> 24, at + 1);
  }
  return -1;
}

/** A body for what came without a checksum: `bytes[start..end)` is metadata size, metadata and payload. */
export function withChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  crc32c: Crc32c,
): { readonly bytes: Uint8Array; readonly start: number; readonly end: number } {
  const body = new Uint8Array(BODY_PREFIX_BYTES + end - start);
  body[0] = BODY_MAGIC_HIGH;
  body[1] = BODY_MAGIC_LOW;
  writeUint32(body, 2, crc32c(bytes, start, end));
  body.set(bytes.subarray(start, end), BODY_PREFIX_BYTES);
  return { bytes: body, start: 0, end: body.length };
}
