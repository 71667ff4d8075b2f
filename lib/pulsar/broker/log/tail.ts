import { RECORD_HEADER_BYTES } from "./record.ts";
import type { Slab } from "./slab.ts";

/** A stretch of a log's end that is still in memory: records as in the file, one behind the other. */
export class Tail {
  /** Offset of each record. */
  readonly starts: number[] = [];
  /** One past the last record. */
  end = 0;
  #dropped = false;

  constructor(readonly slab: Slab, readonly ledgerId: number, readonly firstEntryId: number) {}

  get isDropped(): boolean {
    return this.#dropped;
  }

  get entryIdEnd(): number {
    return this.firstEntryId + this.starts.length;
  }

  hasRoomFor(bodyBytes: number): boolean {
    return this.end + RECORD_HEADER_BYTES + bodyBytes <= this.slab.bytes.length;
  }

  holds(ledgerId: number, entryId: number): boolean {
    return !this.#dropped && this.ledgerId === ledgerId && entryId >= this.firstEntryId &&
      entryId < this.entryIdEnd;
  }

  /** Forgets the records from number `count` on. */
  cut(count: number): void {
    if (count >= this.starts.length) return;
    this.end = this.starts[count]!;
    this.starts.length = count;
  }

  /** Gives the memory up; whoever still writes from it holds it by himself. */
  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.slab.release();
  }
}

/** Bounds the memory of all tails together; the oldest goes first. */
export class TailBudget {
  #tails: Tail[] = [];
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** Takes a new tail in, dropping old ones that nobody must keep. */
  add(tail: Tail): void {
    this.#bytes += tail.slab.bytes.length;
    this.#tails.push(tail);
    if (this.#bytes <= this.bytesMax) return;
    this.#forgetDropped();
    for (const oldest of this.#tails) {
      if (this.#bytes <= this.bytesMax || oldest === tail) break;
      oldest.drop();
      this.#bytes -= oldest.slab.bytes.length;
    }
    this.#tails = this.#tails.filter((kept) => !kept.isDropped);
  }

  #forgetDropped(): void {
    this.#tails = this.#tails.filter((tail) => !tail.isDropped);
    this.#bytes = this.#tails.reduce((bytes, tail) => bytes + tail.slab.bytes.length, 0);
  }
}
