import type { Crc32c, DiskFile } from "../../../base/mod.ts";
import { findRecord, isWholeBody, readRecordHeader, RECORD_HEADER_BYTES } from "./record.ts";
import type { RecordHeader } from "./record.ts";
import { SegmentIndex } from "./segment_index.ts";

const WINDOW_BYTES = 1024 * 1024;
/** Bodies are bounded by the largest frame; a header that says more lies. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** What a scan of a whole segment found. */
export interface ScanResult {
  /** Of the whole records from the start on. */
  readonly index: SegmentIndex;
  /** Bytes of the file; more than `index.sizeBytes` when something behind the whole records is not one. */
  readonly fileBytes: number;
  /** The highest count of settled bytes that any record says, also one behind the damage. */
  readonly settledBytes: number;
}

/** A window that slides over a file, so that a scan needs no more memory than the largest record. */
class Window {
  bytes = new Uint8Array(WINDOW_BYTES);
  start = 0;
  end = 0;

  constructor(private readonly file: DiskFile) {}

  /** Moves the window so that it begins at `offset` and holds `count` bytes if the file has them; returns whether it has. */
  hold(offset: number, count: number): boolean {
    if (offset >= this.start && offset + count <= this.end) return true;
    if (count > this.bytes.length) this.bytes = new Uint8Array(count);
    this.start = offset;
    this.end = offset + this.file.readAt(offset, this.bytes);
    return offset + count <= this.end;
  }
}

interface Source {
  readonly file: DiskFile;
  readonly salt: number;
  readonly crc32c: Crc32c;
}

function recordAt(window: Window, offset: number, source: Source): RecordHeader | undefined {
  if (!window.hold(offset, RECORD_HEADER_BYTES)) return undefined;
  const at = offset - window.start;
  const header = readRecordHeader(window.bytes, at, source.salt, source.crc32c);
  return header === undefined || header.bodyLength > BODY_BYTES_MAX ? undefined : header;
}

/** Highest settled count of the headers from `offset` on; only read when a scan stopped before the end of the file. */
function settledBehind(window: Window, offset: number, source: Source): number {
  let settledBytes = 0;
  for (let from = offset; window.hold(from, RECORD_HEADER_BYTES);) {
    const held = window.end - window.start;
    const at = findRecord(window.bytes, from - window.start, held);
    if (at < 0) {
      from = window.end - 3;
      continue;
    }
    // Looking at the header may move the window: its place in the file stays.
    const found = window.start + at;
    const header = recordAt(window, found, source);
    if (header !== undefined) settledBytes = Math.max(settledBytes, header.settledBytes);
    from = found + 1;
  }
  return settledBytes;
}

/**
 * Reads a segment from its start to the first thing that is not a whole record.
 *
 * @param source the segment's file and its own number, and what checks headers and bodies
 * @param visit called with each record's header and body, valid during the call
 */
export function scanSegment(
  source: Source,
  visit: (header: RecordHeader, bytes: Uint8Array, start: number, end: number) => void = () => {},
): ScanResult {
  const { file, crc32c } = source;
  const index = new SegmentIndex();
  const fileBytes = file.sizeBytes();
  const window = new Window(file);
  for (;;) {
    const header = recordAt(window, index.sizeBytes, source);
    if (header === undefined || header.entryId !== index.entryCount) break;
    const recordBytes = RECORD_HEADER_BYTES + header.bodyLength;
    if (!window.hold(index.sizeBytes, recordBytes)) break;
    const start = index.sizeBytes - window.start + RECORD_HEADER_BYTES;
    const end = start + header.bodyLength;
    if (!isWholeBody(window.bytes, start, end, crc32c)) break;
    visit(header, window.bytes, start, end);
    index.add(recordBytes, header.messageCount, header.publishTimeMs);
  }
  const settledBytes = index.sizeBytes === fileBytes
    ? fileBytes
    : settledBehind(window, index.sizeBytes, source);
  return { index, fileBytes, settledBytes };
}
