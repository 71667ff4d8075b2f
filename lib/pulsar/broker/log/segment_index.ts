/**
 * What must be known of a segment without reading it: counts, and a mark every 256 KiB. Kept beside a sealed segment as `<ledger>.index`,
 * so that opening a log reads a few kilobytes a segment. It can always be made again by a scan, so it is checked but never synced.
 *
 *     0      4         8            12          16              24               32          40           44        44 + 16 n
 *     | WIDX | version | entryCount | sizeBytes | messageCount  | lastPublish    | sealedAt  | markCount n | marks … | CRC32C |
 *     | u32  | u32     | u32        | u32       | f64           | TimeMs f64     | Ms f64    | u32         |         | u32    |
 *     mark: | entryId u32 | offset u32 | publishTimeMs f64 |
 *
 * @module
 */
import type { Crc32c, WallTimeMs } from "../../../base/mod.ts";
import { SEGMENT_HEADER_BYTES } from "./record.ts";

const MAGIC = 0x57494458;
const VERSION = 1;
const HEADER_BYTES = 44;
const MARK_BYTES = 16;
const MARK_INTERVAL_BYTES = 256 * 1024;

/** A place in a segment from which records can be walked. */
export interface Mark {
  readonly entryId: number;
  readonly offset: number;
}

/** Counts and marks of one segment. */
export class SegmentIndex {
  entryCount = 0;
  /** With the segment's header. */
  sizeBytes = SEGMENT_HEADER_BYTES;
  messageCount = 0;
  lastPublishTimeMs: WallTimeMs = 0;
  sealedAtMs: WallTimeMs = 0;
  readonly #entryIds: number[] = [];
  readonly #offsets: number[] = [];
  readonly #timesMs: number[] = [];

  /** Notes a record that was appended at the end. */
  add(recordBytes: number, messageCount: number, publishTimeMs: WallTimeMs): void {
    const lastOffset = this.#offsets.at(-1);
    if (lastOffset === undefined || this.sizeBytes - lastOffset >= MARK_INTERVAL_BYTES) {
      this.#entryIds.push(this.entryCount);
      this.#offsets.push(this.sizeBytes);
      this.#timesMs.push(publishTimeMs);
    }
    this.entryCount++;
    this.sizeBytes += recordBytes;
    this.messageCount += messageCount;
    this.lastPublishTimeMs = publishTimeMs;
  }

  /** The last mark at or before an entry. */
  markBefore(entryId: number): Mark {
    return this.#mark(this.#lastBelow(this.#entryIds, entryId + 1));
  }

  /** When the last mark at or before an entry was published: the entry itself up to 256 KiB later. */
  publishTimeMsBefore(entryId: number): WallTimeMs {
    return this.#timesMs[this.#lastBelow(this.#entryIds, entryId + 1)] ?? 0;
  }

  /** The last mark whose entry was published before `timeMs`, else the first. */
  markBeforeTime(timeMs: WallTimeMs): Mark {
    return this.#mark(this.#lastBelow(this.#timesMs, timeMs));
  }

  /** How many values lie below `bound`, minus one; values never fall. */
  #lastBelow(values: readonly number[], bound: number): number {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle]! < bound) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #mark(at: number): Mark {
    if (at < 0) return { entryId: 0, offset: SEGMENT_HEADER_BYTES };
    return { entryId: this.#entryIds[at]!, offset: this.#offsets[at]! };
  }

  /** The bytes of the index file. */
  encode(crc32c: Crc32c): Uint8Array {
    const marksEnd = HEADER_BYTES + this.#offsets.length * MARK_BYTES;
    const bytes = new Uint8Array(marksEnd + 4);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MAGIC);
    view.setUint32(4, VERSION);
    view.setUint32(8, this.entryCount);
    view.setUint32(12, this.sizeBytes);
    view.setFloat64(16, this.messageCount);
    view.setFloat64(24, this.lastPublishTimeMs);
    view.setFloat64(32, this.sealedAtMs);
    view.setUint32(40, this.#offsets.length);
    this.#offsets.forEach((offset, i) => {
      const at = HEADER_BYTES + i * MARK_BYTES;
      view.setUint32(at, this.#entryIds[i]!);
      view.setUint32(at + 4, offset);
      view.setFloat64(at + 8, this.#timesMs[i]!);
    });
    view.setUint32(marksEnd, crc32c(bytes, 0, marksEnd));
    return bytes;
  }

  /** The index of {@link SegmentIndex.encode}, or undefined where the bytes are not whole. */
  static decode(bytes: Uint8Array, crc32c: Crc32c): SegmentIndex | undefined {
    if (bytes.length < HEADER_BYTES + 4) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const markCount = view.getUint32(40);
    const marksEnd = HEADER_BYTES + markCount * MARK_BYTES;
    const isWhole = view.getUint32(0) === MAGIC && view.getUint32(4) === VERSION &&
      bytes.length === marksEnd + 4 && crc32c(bytes, 0, marksEnd) === view.getUint32(marksEnd);
    if (!isWhole) return undefined;
    const index = new SegmentIndex();
    index.entryCount = view.getUint32(8);
    index.sizeBytes = view.getUint32(12);
    index.messageCount = view.getFloat64(16);
    index.lastPublishTimeMs = view.getFloat64(24);
    index.sealedAtMs = view.getFloat64(32);
    for (let at = HEADER_BYTES; at < marksEnd; at += MARK_BYTES) {
      index.#entryIds.push(view.getUint32(at));
      index.#offsets.push(view.getUint32(at + 4));
      index.#timesMs.push(view.getFloat64(at + 8));
    }
    return index;
  }
}
