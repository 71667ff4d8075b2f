import { assert } from "../../../base/mod.ts";
import { BrokerError, diskError } from "../errors.ts";
import type { AppendListener, Entry } from "./append.ts";
import { LogReader } from "./log_reader.ts";
import { LogSyncer } from "./log_syncer.ts";
import type { Group } from "./log_syncer.ts";
import type { Position } from "./position.ts";
import {
  messageCountAt,
  publishTimeMsAt,
  RECORD_HEADER_BYTES,
  writeRecordHeader,
} from "./record.ts";
import { listSegments, Segment } from "./segment.ts";
import type { RecordVisitor, SegmentPlace } from "./segment.ts";
import type { LogShared } from "./log_shared.ts";
import { Tail } from "./tail.ts";
import { WriteLatencies } from "./write_latencies.ts";

/** Where to begin to look at entries while opening. */
export interface Replay {
  /** Entries behind this position are shown. */
  readonly after: Position;
  readonly visit: RecordVisitor;
}

/**
 * The append-only log of one partition: segments on disk, the last of them open for writing, and its tail in memory.
 *
 * Entries are staged by {@link PartitionLog.append} and written together by {@link PartitionLog.flush}, one write for all.
 */
export class PartitionLog {
  readonly #place: SegmentPlace;
  #segments: Segment[] = [];
  /** The last segment takes entries; otherwise the next append begins a new one. */
  #isOpenForAppend = false;
  #tails: Tail[] = [];
  #stagedCount = 0;
  #stagedFrom = 0;
  #listeners: AppendListener[] = [];
  #repair: (() => void) | undefined;
  #reservedLedgerId: number | undefined;
  #isClosed = false;
  readonly #syncer: LogSyncer | undefined;
  readonly writeLatencies = new WriteLatencies();
  /** Those whose position keeps tails in memory. */
  readonly readers = new Set<LogReader>();
  /** Called when new entries can be read. */
  onReadable: () => void = () => {};
  /** Called when a segment was sealed. */
  onSealed: () => void = () => {};

  private constructor(readonly shared: LogShared, readonly folder: string) {
    const { disk, crc32c, random, spares, openFiles } = shared;
    this.#place = { disk, folder, crc32c, random, spares, openFiles };
    if (shared.durability === "fsync") {
      this.#syncer = new LogSyncer(disk, folder, {
        settled: (group) => this.#settle(group),
        failed: (groups, error) => this.#loseUnsynced(groups, error),
      });
    }
  }

  /**
   * Opens the log in a folder, which is made where there is none. Sealed segments are taken by their index; the last one is read.
   *
   * @throws {BrokerError} `damaged`, `disk_error`, `disk_full`
   */
  static async open(shared: LogShared, folder: string, replay?: Replay): Promise<PartitionLog> {
    const log = new PartitionLog(shared, folder);
    try {
      shared.disk.makeFolder(folder);
      for (const ledgerId of listSegments(shared.disk, folder)) log.#openSegment(ledgerId, replay);
      if (log.#syncer !== undefined) await log.#syncAll();
    } catch (error) {
      for (const segment of log.#segments) segment.closeFile();
      throw diskError(`open the log in ${JSON.stringify(folder)}`, error);
    }
    return log;
  }

  /**
   * What is read after this, or told to be a duplicate, must not vanish in a power loss: a broker that was killed while its disk was slow
   * has left any number of files unsynced, and their names.
   */
  async #syncAll(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) return;
    for (const segment of this.#segments) {
      await segment.file().sync();
      if (segment !== last) segment.closeFile();
    }
    await this.shared.disk.syncFolder(this.folder);
  }

  #openSegment(ledgerId: number, replay: Replay | undefined): void {
    const isReplayed = replay !== undefined && ledgerId >= replay.after.ledgerId;
    const visit: RecordVisitor | undefined = !isReplayed
      ? undefined
      : (header, bytes, start, end) => {
        const isBehind = ledgerId > replay.after.ledgerId || header.entryId > replay.after.entryId;
        if (isBehind) replay.visit(header, bytes, start, end);
      };
    const sealed = Segment.openSealed(this.#place, ledgerId);
    const isSeen = !isReplayed || (ledgerId === replay.after.ledgerId &&
      sealed?.index.entryCount === replay.after.entryId + 1);
    if (sealed !== undefined && isSeen) {
      this.#take(sealed);
      return;
    }
    sealed?.closeFile();
    const segment = Segment.recover(this.#place, ledgerId, visit);
    if (segment.index.entryCount === 0) {
      segment.remove();
      return;
    }
    this.#take(segment);
    if (sealed === undefined) this.#seal(segment);
  }

  #take(segment: Segment): void {
    segment.settle(segment.index.entryCount, segment.index.sizeBytes);
    this.#segments.at(-1)?.closeFile();
    this.#segments.push(segment);
  }

  #seal(segment: Segment): void {
    try {
      segment.seal(this.shared.clock.wallMs());
    } catch {
      // Without its index the segment is read at the next start, which costs time but no message.
    }
  }

  /** Oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#segments.reduce((bytes, segment) => bytes + segment.index.sizeBytes, 0);
  }

  get entryCount(): number {
    return this.#segments.reduce((count, segment) => count + segment.settledEntries, 0);
  }

  /** The last entry that readers may have, or undefined in an empty log. */
  get last(): Position | undefined {
    const segment = this.#segments.findLast((candidate) => candidate.settledEntries > 0);
    return segment && { ledgerId: segment.ledgerId, entryId: segment.settledEntries - 1 };
  }

  /** Before the first entry that is kept, or of an empty log before the first that will come. */
  get beforeFirst(): Position {
    const ledgerId = this.#segments[0]?.ledgerId ?? this.#upcomingLedgerId();
    return { ledgerId, entryId: -1 };
  }

  /** The entry that follows a position, written or still to come. */
  nextPosition(position: Position): Position {
    const { ledgerId, entryId } = position;
    const segment = this.segmentOf(ledgerId);
    const last = this.#segments.at(-1);
    const isInside = segment !== undefined &&
      (entryId + 1 < segment.index.entryCount || segment === last);
    if (isInside) return { ledgerId, entryId: entryId + 1 };
    const behind = this.#segments.find((candidate) => candidate.ledgerId > ledgerId);
    if (behind === undefined) return { ledgerId, entryId: entryId + 1 };
    return { ledgerId: behind.ledgerId, entryId: 0 };
  }

  /** The entry before a position, or the place before all. */
  previousPosition(position: Position): Position {
    if (position.entryId > 0) return { ledgerId: position.ledgerId, entryId: position.entryId - 1 };
    const before = this.#segments.findLast((one) => one.ledgerId < position.ledgerId);
    if (before === undefined) return { ledgerId: position.ledgerId, entryId: -1 };
    return { ledgerId: before.ledgerId, entryId: before.settledEntries - 1 };
  }

  /** Entries and bytes behind a position; bytes within its segment are estimated from the mean. */
  behind(position: Position): { readonly entries: number; readonly bytes: number } {
    let entries = 0;
    let bytes = 0;
    for (const { ledgerId, settledEntries, settledBytes } of this.#segments) {
      if (ledgerId < position.ledgerId || settledEntries === 0) continue;
      const first = ledgerId === position.ledgerId ? position.entryId + 1 : 0;
      const count = Math.max(0, settledEntries - first);
      entries += count;
      bytes += Math.round((settledBytes * count) / settledEntries);
    }
    return { entries, bytes };
  }

  /** The last entry published before `timeMs`, or the place before the first. */
  lastBefore(timeMs: number): Position {
    for (const segment of this.#segments) {
      if (segment.index.lastPublishTimeMs < timeMs) continue;
      const entryId = segment.entryAtTime(timeMs);
      if (entryId < segment.settledEntries) {
        return this.previousPosition({ ledgerId: segment.ledgerId, entryId });
      }
    }
    return this.last ?? this.beforeFirst;
  }

  /** The segment of a ledger. */
  segmentOf(ledgerId: number): Segment | undefined {
    // Readers are nearly always at the end.
    return this.#segments.findLast((segment) => segment.ledgerId === ledgerId);
  }

  /** A reader at the first entry behind `after`. */
  reader(after: Position): LogReader {
    const reader = new LogReader(this);
    reader.seek(after);
    return reader;
  }

  /** The stretch of memory that holds an entry. */
  tailOf(ledgerId: number, entryId: number): Tail | undefined {
    return this.#tails.findLast((tail) => tail.holds(ledgerId, entryId));
  }

  /**
   * Stages an entry. Its bytes are copied before this returns; the listener hears of it after {@link PartitionLog.flush} at the earliest.
   */
  append(entry: Entry, listener: AppendListener): void {
    try {
      const tail = this.#tailFor(entry.end - entry.start);
      this.#stage(tail, entry);
    } catch (error) {
      this.flush();
      listener.appendFailed(diskError("store a message", error));
      return;
    }
    this.#listeners.push(listener);
  }

  #stage(tail: Tail, entry: Entry): void {
    const segment = this.#segments.at(-1)!;
    const { bytes } = tail.slab;
    const bodyLength = entry.end - entry.start;
    writeRecordHeader(bytes, tail.end, {
      salt: segment.salt,
      bodyLength,
      entryId: tail.entryIdEnd,
      messageCount: entry.messageCount,
      publishTimeMs: entry.publishTimeMs,
      settledBytes: segment.settledBytes,
    }, this.shared.crc32c);
    const bodyAt = tail.end + RECORD_HEADER_BYTES;
    bytes.set(entry.bytes.subarray(entry.start, entry.end), bodyAt);
    tail.starts.push(tail.end);
    tail.end = bodyAt + bodyLength;
    // Another log's appends may drop this tail before its bytes are written.
    if (this.#stagedCount === 0) tail.slab.retain();
    this.#stagedCount++;
  }

  /** The memory where the next record of the last segment goes, beginning a new segment and a new slab where needed. */
  #tailFor(bodyBytes: number): Tail {
    if (this.#isClosed) {
      throw new BrokerError("Cannot store a message: the topic is closed", { code: "closed" });
    }
    this.#repair?.();
    const segment = this.#segments.at(-1);
    if (!this.#isOpenForAppend || segment!.index.sizeBytes >= this.shared.segmentBytesMax) {
      this.flush();
      this.#assertStored();
      this.#roll();
    }
    const tail = this.#tails.at(-1);
    if (tail !== undefined && !tail.isDropped && tail.hasRoomFor(bodyBytes)) return tail;
    this.flush();
    this.#assertStored();
    return this.#newTail(bodyBytes);
  }

  /** Were an entry stored although those staged before it were not, a resend would take theirs for duplicates. */
  #assertStored(): void {
    if (this.#repair === undefined) return;
    throw new BrokerError("Cannot store a message: one before it could not be stored", {
      code: "disk_error",
      retryable: true,
    });
  }

  /** Of the next segment: an empty log has a ledger id too, as in Pulsar. */
  #upcomingLedgerId(): number {
    this.#reservedLedgerId ??= this.shared.ledgerIds.next();
    return this.#reservedLedgerId;
  }

  #roll(): void {
    const next = Segment.create(this.#place, this.#upcomingLedgerId());
    this.#reservedLedgerId = undefined;
    if (this.#isOpenForAppend) {
      const full = this.#segments.at(-1)!;
      this.#seal(full);
      if (this.#syncer === undefined) full.closeFile();
      this.onSealed();
    }
    this.#segments.push(next);
    this.#isOpenForAppend = true;
    this.#dropReadTails();
    // A tail holds the records of one ledger.
    this.#newTail(0);
  }

  #newTail(bodyBytes: number): Tail {
    const segment = this.#segments.at(-1)!;
    this.#dropReadTails();
    const slab = this.shared.pool.take(bodyBytes + RECORD_HEADER_BYTES);
    const tail = new Tail(slab, segment.ledgerId, segment.index.entryCount);
    this.#tails.push(tail);
    this.#stagedFrom = 0;
    this.shared.tails.add(tail);
    return tail;
  }

  /** Gives back the memory that no reader will come to, so that the same few slabs stay in the processor's cache. */
  #dropReadTails(): void {
    for (const tail of this.#tails) {
      let isAhead = false;
      for (const reader of this.readers) {
        isAhead ||= reader.isBefore(tail.ledgerId, tail.entryIdEnd);
      }
      if (!isAhead) tail.drop();
    }
    this.#tails = this.#tails.filter((tail) => !tail.isDropped);
  }

  /** Writes what is staged with one call, and tells the listeners as the durability allows. */
  flush(): void {
    if (this.#stagedCount === 0) return;
    const { slab } = this.#tails.at(-1)!;
    this.#writeStaged();
    slab.release();
  }

  #writeStaged(): void {
    const tail = this.#tails.at(-1)!;
    const segment = this.#segments.at(-1)!;
    const listeners = this.#listeners;
    const firstEntryId = tail.entryIdEnd - this.#stagedCount;
    this.#listeners = [];
    const sinceUs = this.shared.clock.monoUs();
    try {
      segment.append(tail.slab.bytes.subarray(this.#stagedFrom, tail.end));
    } catch (error) {
      tail.cut(tail.starts.length - this.#stagedCount);
      this.#stagedCount = 0;
      this.#repair = () => this.#cutTo(segment);
      const failure = diskError("store a message", error);
      for (const listener of listeners) listener.appendFailed(failure);
      return;
    }
    this.#noteWritten(segment, tail);
    const group = {
      segment,
      listeners,
      firstEntryId,
      sinceUs,
      entryCount: segment.index.entryCount,
      sizeBytes: segment.index.sizeBytes,
    };
    if (this.#syncer === undefined) this.#settle(group);
    else this.#syncer.add(group);
  }

  #noteWritten(segment: Segment, tail: Tail): void {
    const { bytes } = tail.slab;
    const { starts } = tail;
    for (let i = starts.length - this.#stagedCount; i < starts.length; i++) {
      const at = starts[i]!;
      const end = starts[i + 1] ?? tail.end;
      segment.index.add(end - at, messageCountAt(bytes, at), publishTimeMsAt(bytes, at));
    }
    this.#stagedCount = 0;
    this.#stagedFrom = tail.end;
  }

  /** Part of a failed write may be in the file: it must go before anything else is written behind it. */
  #cutTo(segment: Segment): void {
    segment.file().truncate(segment.index.sizeBytes);
    this.#repair = undefined;
  }

  #settle(group: Group): void {
    const { segment, listeners, firstEntryId } = group;
    segment.settle(group.entryCount, group.sizeBytes);
    const latencyMs = (this.shared.clock.monoUs() - group.sinceUs) / 1000;
    this.writeLatencies.add(listeners.length, latencyMs);
    for (let i = 0; i < listeners.length; i++) {
      listeners[i]!.appended(segment.ledgerId, firstEntryId + i);
    }
    this.onReadable();
  }

  /**
   * After a failed sync nobody knows what the disk holds of what was written since the last good one. None of it has a receipt:
   * it is cut off, and the log goes on in a new segment.
   */
  #loseUnsynced(groups: readonly Group[], error: unknown): void {
    assert(this.#stagedCount === 0, "entries were staged across a turn of the event loop");
    this.#tails.forEach((tail) => tail.drop());
    this.#tails = [];
    this.#repair = () => this.#cutUnsettled();
    const failure = diskError("sync a message to the disk", error);
    for (const group of groups) {
      for (const listener of group.listeners) listener.appendFailed(failure);
    }
  }

  #cutUnsettled(): void {
    this.#segments = this.#segments.flatMap((segment) => {
      if (segment.settledBytes === segment.index.sizeBytes) return [segment];
      if (segment.settledEntries === 0) {
        segment.remove();
        return [];
      }
      segment.file().truncate(segment.settledBytes);
      segment.closeFile();
      const cut = Segment.recover(this.#place, segment.ledgerId);
      cut.settle(cut.index.entryCount, cut.index.sizeBytes);
      this.#seal(cut);
      return [cut];
    });
    this.#isOpenForAppend = false;
    this.#repair = undefined;
  }

  /**
   * Removes whole segments from the front, never the one with the last entry, for as long as `isDone` says so.
   *
   * @returns how many were removed
   */
  trim(isDone: (segment: Segment) => boolean): number {
    const last = this.#segments.findLast((segment) => segment.settledEntries > 0);
    if (last === undefined) return 0;
    let removed = 0;
    while (this.#segments[0] !== last && isDone(this.#segments[0]!)) {
      this.#segments.shift()!.remove();
      removed++;
    }
    return removed;
  }

  /** Closes file handles; they are opened again when used, so many quiet topics cost few of them. */
  closeIdleFiles(): void {
    for (const segment of this.#segments) {
      if (segment.isQuiet) segment.closeFile();
    }
  }

  /** Resolves when everything that was appended has its answer. */
  async settled(): Promise<void> {
    this.flush();
    await this.#syncer?.idle();
  }

  /** Writes what is staged, waits for the syncs, and seals the last segment, so that the next open need not read it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.flush();
    this.#isClosed = true;
    await this.#syncer?.idle();
    if (this.#isOpenForAppend && this.#repair === undefined) {
      this.#seal(this.#segments.at(-1)!);
    }
    for (const tail of this.#tails) tail.drop();
    for (const reader of this.readers) reader.close();
    for (const segment of this.#segments) segment.closeFile();
  }
}
