import { comparePositions } from "./position.ts";
import { LogReader } from "./log_reader.ts";
import type { Position } from "./position.ts";
import type { ReadableLog } from "./log_reader.ts";
import type { Slab } from "./slab.ts";

/** What stands for the beginning of a log. */
export interface EarlierEntries {
  /** Everything up to here is in it, or has been replaced. */
  readonly horizon: Position;
  /** The last message in it, undefined where there is none. */
  readonly last: (Position & { readonly batchIndex: number }) | undefined;
  reader(): EarlierReader;
}

/** Walks {@link EarlierEntries}; the fields describe the entry that was loaded. */
export interface EarlierReader extends Position {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
  readonly messageCount: number;
  /**
   * Makes the first entry at or behind a position the current one.
   *
   * @returns false when there is none
   * @throws {BrokerError} `damaged`, `disk_error`
   */
  loadFrom(position: Position): boolean;
  close(): void;
}

/** A log's reader that takes what lies before the horizon of a compacted view from there. */
export class CompactingReader extends LogReader {
  #earlier: { readonly of: EarlierEntries; readonly reader: EarlierReader } | undefined;
  #isEarlier = false;

  /** @param view asked before each entry; undefined to read the log alone */
  constructor(log: ReadableLog, private readonly view: () => EarlierEntries | undefined) {
    super(log);
  }

  override get slab(): Slab {
    return this.#isEarlier ? this.#earlier!.reader.slab : super.slab;
  }

  override seek(after: Position): void {
    this.#isEarlier = false;
    super.seek(after);
  }

  override load(): boolean {
    if (this.#isEarlier) return true;
    const view = this.view();
    if (view === undefined || comparePositions(this, view.horizon) > 0) return super.load();
    // What the log's own reader holds is of no use here.
    super.seek({ ledgerId: this.ledgerId, entryId: this.entryId - 1 });
    const reader = this.#readerOf(view);
    if (!reader.loadFrom(this)) {
      super.seek(view.horizon);
      return super.load();
    }
    this.ledgerId = reader.ledgerId;
    this.entryId = reader.entryId;
    this.start = reader.start;
    this.end = reader.end;
    this.messageCount = reader.messageCount;
    this.#isEarlier = true;
    return true;
  }

  #readerOf(view: EarlierEntries): EarlierReader {
    if (this.#earlier?.of !== view) {
      this.#earlier?.reader.close();
      this.#earlier = { of: view, reader: view.reader() };
    }
    return this.#earlier.reader;
  }

  override next(): void {
    if (!this.#isEarlier) return super.next();
    this.#isEarlier = false;
    this.entryId++;
  }

  override pause(): void {
    if (!this.#isEarlier) super.pause();
  }

  override close(): void {
    this.#earlier?.reader.close();
    this.#earlier = undefined;
    this.#isEarlier = false;
    super.close();
  }
}
