import type { Crc32c, Disk, DiskFile, Random, WallTimeMs } from "../../../base/mod.ts";
import { formatBytes } from "../../../base/mod.ts";
import { BrokerError, diskError } from "../errors.ts";
import {
  bodyLengthAt,
  entryIdAt,
  isWholeBody,
  publishTimeMsAt,
  readRecordHeader,
  readSegmentHeader,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentHeader,
} from "./record.ts";
import type { RecordHeader } from "./record.ts";
import { SegmentIndex } from "./segment_index.ts";
import type { Mark } from "./segment_index.ts";
import { scanSegment } from "./segment_scan.ts";
import type { FileHolder, OpenFiles } from "./open_files.ts";
import type { SpareFiles } from "./spare_files.ts";

/** Where a segment lives, and what checks it. */
export interface SegmentPlace {
  readonly disk: Disk;
  readonly folder: string;
  readonly crc32c: Crc32c;
  readonly random: Random;
  readonly spares: SpareFiles;
  readonly openFiles?: OpenFiles | undefined;
}

/** Looks at each record of a scan; the bytes are valid during the call. */
export type RecordVisitor = (
  header: RecordHeader,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

const WALK_BYTES = 32 * 1024 + RECORD_HEADER_BYTES;
/** For walks, which come one after the other. */
const walked = new Uint8Array(WALK_BYTES);

/** The file name of a ledger's segment. */
export function segmentName(ledgerId: number): string {
  return `${String(ledgerId).padStart(12, "0")}.log`;
}

function indexName(ledgerId: number): string {
  return `${String(ledgerId).padStart(12, "0")}.index`;
}

/** The ledger ids of the segments in a folder, lowest first. */
export function listSegments(disk: Disk, folder: string): number[] {
  const ids = disk.list(folder).flatMap((name) => {
    const match = /^(\d{12})\.log$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  return ids.sort((a, b) => a - b);
}

/** One file of a log: one ledger, in Pulsar's words. Entries are numbered from 0. */
export class Segment implements FileHolder {
  #file: DiskFile | undefined;
  /** Entries that are as safe as the durability promises: only these may be read. */
  settledEntries = 0;
  /** Bytes of those entries. */
  settledBytes = 0;
  /** New records go over old ones of a file that is used again, not to its end. */
  #isOverwriting = false;
  #salt: number | undefined;

  private constructor(
    private readonly place: SegmentPlace,
    readonly ledgerId: number,
    readonly index: SegmentIndex,
  ) {}

  /** A new, empty segment; its file, perhaps one that was used before, exists when this returns. */
  static create(place: SegmentPlace, ledgerId: number): Segment {
    const segment = new Segment(place, ledgerId, new SegmentIndex());
    const salt = place.random.uint32();
    const header = segmentHeader(ledgerId, salt, place.crc32c);
    segment.#salt = salt;
    segment.#isOverwriting = place.spares.take(segment.#path, header);
    if (!segment.#isOverwriting) {
      // A leftover of an attempt that failed halfway has nothing that was stored.
      place.disk.remove(segment.#path);
      segment.file().append(header);
    }
    return segment;
  }

  get #path(): string {
    return `${this.place.folder}/${segmentName(this.ledgerId)}`;
  }

  /** Mixed into the checksum of each record's header. */
  get salt(): number {
    if (this.#salt === undefined) {
      const header = this.#readHeader();
      if (header?.ledgerId !== this.ledgerId) throw this.#damaged(0);
      this.#salt = header.salt;
    }
    return this.#salt;
  }

  #readHeader(): ReturnType<typeof readSegmentHeader> {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const count = this.#readAt(0, bytes);
    return readSegmentHeader(bytes.subarray(0, count), this.place.crc32c);
  }

  /** Writes records behind the last one. */
  append(bytes: Uint8Array): void {
    const file = this.file();
    if (this.#isOverwriting) file.writeAt!(this.index.sizeBytes, bytes);
    else file.append(bytes);
  }

  /** A sealed segment by its index file, or undefined where that is missing, broken or of another file size. */
  static openSealed(place: SegmentPlace, ledgerId: number): Segment | undefined {
    const bytes = place.disk.readFile(`${place.folder}/${indexName(ledgerId)}`);
    const index = bytes === undefined ? undefined : SegmentIndex.decode(bytes, place.crc32c);
    if (index === undefined) return undefined;
    const segment = new Segment(place, ledgerId, index);
    return segment.file().sizeBytes() === index.sizeBytes ? segment : undefined;
  }

  /**
   * Opens a segment by reading all of it, and cuts a torn tail.
   *
   * @param visit sees each whole record
   * @throws {BrokerError} `damaged` when bytes are broken that had been settled before later ones were written
   */
  static recover(place: SegmentPlace, ledgerId: number, visit?: RecordVisitor): Segment {
    const header = new Segment(place, ledgerId, new SegmentIndex());
    try {
      if (header.#isUnused()) return header;
      const scan = scanSegment(
        { file: header.file(), salt: header.salt, crc32c: place.crc32c },
        visit,
      );
      const segment = new Segment(place, ledgerId, scan.index);
      const { sizeBytes } = scan.index;
      if (sizeBytes < scan.fileBytes) {
        if (sizeBytes < scan.settledBytes) throw segment.#damaged(sizeBytes);
        header.file().truncate(sizeBytes);
      }
      return segment;
    } finally {
      header.closeFile();
    }
  }

  /** Whether the file was still being made when the broker died: its header is torn, or that of the segment it was before. */
  #isUnused(): boolean {
    const header = this.#readHeader();
    if (header !== undefined) return header.ledgerId !== this.ledgerId;
    return this.file().sizeBytes() <= SEGMENT_HEADER_BYTES;
  }

  #damaged(offset: number): BrokerError {
    return new BrokerError(
      `Cannot read ${JSON.stringify(this.#path)}: the record at offset ${offset} is damaged`,
      { code: "damaged" },
    );
  }

  /** Notes how much of the segment is safe. */
  settle(entryCount: number, sizeBytes: number): void {
    this.settledEntries = entryCount;
    this.settledBytes = sizeBytes;
  }

  /** The file, opened when first needed. */
  file(): DiskFile {
    if (this.#file === undefined) {
      this.#file = this.place.disk.open(this.#path, { overwrite: this.#isOverwriting });
      this.place.openFiles?.opened(this);
    }
    return this.#file;
  }

  /** A sync under way needs its handle. */
  get isQuiet(): boolean {
    return this.settledEntries === this.index.entryCount;
  }

  /** Lets go of the file handle; the next use opens it again. */
  closeFile(): void {
    if (this.#file === undefined) return;
    this.#file.close();
    this.#file = undefined;
    this.place.openFiles?.closed(this);
  }

  /**
   * Ends the segment: cuts what an earlier use of the file left behind the last record, and writes the index file.
   * The index can be made again, so a failure costs only the next start's time.
   */
  seal(sealedAtMs: WallTimeMs): void {
    const { disk, folder, crc32c } = this.place;
    this.index.sealedAtMs = sealedAtMs;
    if (this.#isOverwriting) this.file().truncate(this.index.sizeBytes);
    const path = `${folder}/${indexName(this.ledgerId)}`;
    disk.remove(`${path}.tmp`);
    const file = disk.open(`${path}.tmp`);
    try {
      file.append(this.index.encode(crc32c));
    } finally {
      file.close();
    }
    disk.rename(`${path}.tmp`, path);
  }

  /** Removes the segment from the disk. */
  remove(): void {
    this.closeFile();
    const { disk, folder } = this.place;
    disk.remove(`${folder}/${indexName(this.ledgerId)}`);
    const name = segmentName(this.ledgerId);
    if (!this.place.spares.keep(folder, name, this.index.sizeBytes)) disk.remove(this.#path);
  }

  /**
   * The offset of an entry's record. `entryId` may be one past the last.
   *
   * @param known offset of an entry before it, where that is known
   */
  offsetOf(entryId: number, known?: Mark): number {
    if (entryId >= this.index.entryCount) return this.index.sizeBytes;
    const mark = this.index.markBefore(entryId);
    const from = known !== undefined && known.entryId > mark.entryId ? known : mark;
    return this.#walk(from.offset, (bytes, at) => entryIdAt(bytes, at) >= entryId);
  }

  /** The first entry published at or after `timeMs`, or `entryCount`. Publish times are taken to rise, as Pulsar takes them. */
  entryAtTime(timeMs: WallTimeMs): number {
    const mark = this.index.markBeforeTime(timeMs);
    let entryId = mark.entryId;
    this.#walk(mark.offset, (bytes, at) => {
      if (publishTimeMsAt(bytes, at) >= timeMs) return true;
      entryId = entryIdAt(bytes, at) + 1;
      return false;
    });
    return entryId;
  }

  /** Steps from header to header until `found`; returns that record's offset, else the end. */
  #walk(from: number, found: (bytes: Uint8Array, at: number) => boolean): number {
    const window = walked;
    const { sizeBytes } = this.index;
    let start = 0;
    let end = 0;
    for (let offset = from; offset < sizeBytes;) {
      if (offset + RECORD_HEADER_BYTES > end || offset < start) {
        start = offset;
        end = offset + this.#readAt(offset, window);
      }
      const at = offset - start;
      const header = readRecordHeader(window, at, this.salt, this.place.crc32c);
      if (header === undefined || offset + RECORD_HEADER_BYTES > end) throw this.#damaged(offset);
      if (found(window, at)) return offset;
      offset += RECORD_HEADER_BYTES + header.bodyLength;
    }
    return sizeBytes;
  }

  #readAt(offset: number, target: Uint8Array): number {
    try {
      return this.file().readAt(offset, target);
    } catch (error) {
      throw diskError(`read ledger ${this.ledgerId}`, error);
    }
  }

  /**
   * Reads whole records from `offset` on into `target`, as many as fit below `sizeBytesMax` of the file, and checks each.
   *
   * @returns how many bytes of whole records there are; 0 when the first does not fit
   * @throws {BrokerError} `damaged`, `disk_error`
   */
  readRecords(offset: number, sizeBytesMax: number, target: Uint8Array): number {
    const wanted = Math.min(target.length, sizeBytesMax - offset);
    const count = this.#readAt(offset, target.subarray(0, wanted));
    let at = 0;
    while (at + RECORD_HEADER_BYTES <= count) {
      const header = readRecordHeader(target, at, this.salt, this.place.crc32c);
      if (header === undefined) throw this.#damaged(offset + at);
      const start = at + RECORD_HEADER_BYTES;
      const end = start + header.bodyLength;
      if (end > count) break;
      if (!isWholeBody(target, start, end, this.place.crc32c)) throw this.#damaged(offset + at);
      at = end;
    }
    if (at === 0 && count < wanted) throw this.#damaged(offset);
    return at;
  }

  /** Bytes of the record at `offset`, header and body. */
  recordBytesAt(offset: number): number {
    const header = new Uint8Array(RECORD_HEADER_BYTES);
    this.#readAt(offset, header);
    return RECORD_HEADER_BYTES + bodyLengthAt(header, 0);
  }

  /** For a log line. */
  describe(): string {
    return `ledger ${this.ledgerId}, ${this.index.entryCount} entries, ${
      formatBytes(this.index.sizeBytes)
    }`;
  }
}
