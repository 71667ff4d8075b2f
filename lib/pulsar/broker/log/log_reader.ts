import type { Position } from "./position.ts";
import { bodyLengthAt, messageCountAt, RECORD_HEADER_BYTES } from "./record.ts";
import type { Segment } from "./segment.ts";
import { SLAB_BYTES } from "./slab.ts";
import type { Slab, SlabPool } from "./slab.ts";
import type { Tail } from "./tail.ts";

/** What a reader needs of its log. */
export interface ReadableLog {
  /** Oldest first. */
  readonly segments: readonly Segment[];
  readonly shared: { readonly pool: SlabPool };
  /** Those whose position keeps tails in memory. */
  readonly readers: Set<LogReader>;
  segmentOf(ledgerId: number): Segment | undefined;
  tailOf(ledgerId: number, entryId: number): Tail | undefined;
}

/** What is read from disk at least for one entry that is far from the one before, and how many entries of mean size. */
const JUMP_BYTES_MIN = 4096;
const JUMP_ENTRIES = 1.25;
/** By so much more is read each time when the entries behind are wanted too. */
const WINDOW_GROWTH = 4;
/** Above this much memory in slabs, readers that wait give theirs up. */
const SCARCE_BYTES = 64 * SLAB_BYTES;

/**
 * Walks a log entry by entry, from memory where the tail holds them, else from disk through one slab.
 * The fields describe the current entry while {@link LogReader.load} says there is one: no object an entry.
 */
export class LogReader {
  /** Of the next entry to read. */
  ledgerId = -1;
  /** Of the next entry to read. */
  entryId = -1;
  /** Where the current entry's body begins in `slab`. */
  start = 0;
  /** One past the current entry's body in `slab`. */
  end = 0;
  messageCount = 0;
  #slab: Slab | undefined;
  /** Records in `#slab` end here. */
  #runEnd = 0;
  /** Of the next entry in the segment's file; −1 where it is not known. */
  #fileOffset = -1;
  #isLoaded = false;
  /** How much the next read from disk brings. */
  #window: number;

  /** @param windowBytes how much is read from disk at once; less where single entries are wanted */
  constructor(
    private readonly log: ReadableLog,
    private readonly windowBytes: number = SLAB_BYTES,
  ) {
    this.#window = windowBytes;
  }

  /** Holds the current entry; retain it to use it after the next call. */
  get slab(): Slab {
    return this.#slab!;
  }

  /** Moves to the first entry behind `after`. */
  seek(after: Position): void {
    this.#letGo();
    this.ledgerId = after.ledgerId;
    this.entryId = after.entryId + 1;
    this.#fileOffset = -1;
    this.#window = this.windowBytes;
  }

  /** Whether an entry before `entryIdEnd` of a ledger is still to be read. */
  isBefore(ledgerId: number, entryIdEnd: number): boolean {
    return this.ledgerId < ledgerId || (this.ledgerId === ledgerId && this.entryId < entryIdEnd);
  }

  /**
   * Makes the next entry the current one.
   *
   * @returns false when there is none yet
   * @throws {BrokerError} `damaged`, `disk_error`
   */
  load(): boolean {
    if (this.#isLoaded) return true;
    const segment = this.#segment();
    if (segment === undefined || this.entryId >= segment.settledEntries) return false;
    if (this.end >= this.#runEnd) this.#fill(segment);
    const { bytes } = this.#slab!;
    this.start = this.end + RECORD_HEADER_BYTES;
    this.messageCount = messageCountAt(bytes, this.end);
    this.end = this.start + bodyLengthAt(bytes, this.end);
    this.#isLoaded = true;
    return true;
  }

  /**
   * Makes one entry the current one; entries near the one before, and behind it, cost no read.
   *
   * @returns false when it is not there, or not any more
   * @throws {BrokerError} `damaged`, `disk_error`
   */
  loadAt(ledgerId: number, entryId: number): boolean {
    const segment = this.log.segmentOf(ledgerId);
    if (segment === undefined || entryId >= segment.settledEntries) return false;
    if (this.ledgerId === ledgerId) this.#stepTo(entryId);
    const isThere = this.ledgerId === ledgerId && this.entryId === entryId;
    if (!isThere) this.#jump(segment, entryId);
    return this.load();
  }

  /** Moves to an entry, looking for it from where the reader stands if that is not far before it. */
  #jump(segment: Segment, entryId: number): void {
    const isBehind = this.ledgerId === segment.ledgerId && this.entryId < entryId;
    const known = isBehind && this.#fileOffset >= 0
      ? { entryId: this.entryId, offset: this.#fileOffset }
      : undefined;
    this.seek({ ledgerId: segment.ledgerId, entryId: entryId - 1 });
    const meanBytes = segment.settledBytes / segment.settledEntries;
    this.#window = Math.min(Math.max(JUMP_BYTES_MIN, JUMP_ENTRIES * meanBytes), this.windowBytes);
    const isInMemory = this.log.tailOf(segment.ledgerId, entryId) !== undefined;
    if (!isInMemory) this.#fileOffset = segment.offsetOf(entryId, known);
  }

  /** Steps forward as far as the memory at hand reaches. */
  #stepTo(entryId: number): void {
    while (this.entryId < entryId) {
      if (this.#isLoaded) this.next();
      else if (this.end < this.#runEnd) this.load();
      else return;
    }
  }

  /** Steps over the current entry. */
  next(): void {
    if (this.#fileOffset >= 0) this.#fileOffset += this.end - this.start + RECORD_HEADER_BYTES;
    this.entryId++;
    this.#isLoaded = false;
  }

  /** Where the next entry is, stepping from ledgers that are read to the end, or gone, to the one behind. */
  #segment(): Segment | undefined {
    const segment = this.log.segmentOf(this.ledgerId);
    const { segments } = this.log;
    if (segment !== undefined) {
      const isAtEnd = this.entryId >= segment.index.entryCount;
      if (!isAtEnd || segment === segments.at(-1)) return segment;
    }
    const behind = segments.find((candidate) => candidate.ledgerId > this.ledgerId);
    if (behind === undefined) return undefined;
    this.seek({ ledgerId: behind.ledgerId, entryId: -1 });
    return behind;
  }

  #fill(segment: Segment): void {
    this.#letGo();
    const tail = this.log.tailOf(this.ledgerId, this.entryId);
    if (tail !== undefined) {
      const at = this.entryId - tail.firstEntryId;
      const settled = segment.settledEntries - tail.firstEntryId;
      tail.slab.retain();
      this.#slab = tail.slab;
      this.end = tail.starts[at]!;
      this.#runEnd = tail.starts[settled] ?? tail.end;
      this.#fileOffset = -1;
      return;
    }
    this.#fillFromDisk(segment);
  }

  #fillFromDisk(segment: Segment): void {
    if (this.#fileOffset < 0) this.#fileOffset = segment.offsetOf(this.entryId);
    const offset = this.#fileOffset;
    let slab = this.log.shared.pool.take(SLAB_BYTES);
    try {
      const window = slab.bytes.subarray(0, this.#window);
      this.#window = Math.min(this.#window * WINDOW_GROWTH, this.windowBytes);
      let count = segment.readRecords(offset, segment.settledBytes, window);
      if (count === 0) {
        slab.release();
        const recordBytes = segment.recordBytesAt(offset);
        slab = this.log.shared.pool.take(recordBytes);
        const whole = slab.bytes.subarray(0, recordBytes);
        count = segment.readRecords(offset, segment.settledBytes, whole);
      }
      this.#runEnd = count;
    } catch (error) {
      slab.release();
      throw error;
    }
    this.#slab = slab;
    this.end = 0;
  }

  /** It will not go on at once: where memory is scarce, what was read from disk is given up and read again when it is wanted. */
  pause(): void {
    const isScarce = this.log.shared.pool.bytesInUse > SCARCE_BYTES;
    if (isScarce && this.#slab !== undefined) this.#letGo();
  }

  #letGo(): void {
    this.#slab?.release();
    this.#slab = undefined;
    this.start = 0;
    this.end = 0;
    this.#runEnd = 0;
    this.#isLoaded = false;
  }

  /** Lets go of everything. */
  close(): void {
    this.#letGo();
    this.log.readers.delete(this);
  }
}
