/** Entries that something is due for at a time: redelivery after a negative acknowledgement, or after a timeout. Pure: its owner has the timer. */
import type { Position } from "../../contract.ts";
import { keyOf } from "./ack_tracker.ts";

/** Entries in buckets of time, so that one command and one timer serve many. */
export class DelayedPositions {
  readonly #granularityMs: number;
  readonly #buckets = new Map<number, Map<string, Position>>();
  readonly #bucketOf = new Map<string, number>();

  /** @param granularityMs by how much an entry may be late */
  constructor(granularityMs: number) {
    this.#granularityMs = granularityMs;
  }

  get size(): number {
    return this.#bucketOf.size;
  }

  /** Adds an entry; one that is there already keeps its time. */
  add({ ledgerId, entryId }: Position, dueMs: number): void {
    const position = { ledgerId, entryId };
    const key = keyOf(position);
    if (this.#bucketOf.has(key)) return;
    const number = Math.ceil(dueMs / this.#granularityMs);
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) this.#buckets.set(number, bucket = new Map());
    bucket.set(key, position);
    this.#bucketOf.set(key, number);
  }

  /** Takes an entry out; false if it is not there. */
  delete(position: Position): boolean {
    if (this.#bucketOf.size === 0) return false;
    const key = keyOf(position);
    const number = this.#bucketOf.get(key);
    if (number === undefined) return false;
    this.#bucketOf.delete(key);
    const bucket = this.#buckets.get(number)!;
    bucket.delete(key);
    if (bucket.size === 0) this.#buckets.delete(number);
    return true;
  }

  /** Takes out every entry that `isGone` says so of. */
  deleteWhere(isGone: (position: Position) => boolean): void {
    for (const bucket of this.#buckets.values()) {
      for (const position of bucket.values()) if (isGone(position)) this.delete(position);
    }
  }

  /** When the first bucket is due, or undefined for none. */
  nextDueMs(): number | undefined {
    let first = Infinity;
    for (const number of this.#buckets.keys()) first = Math.min(first, number);
    return first === Infinity ? undefined : first * this.#granularityMs;
  }

  /** Takes out what is due. */
  takeDue(nowMs: number): Position[] {
    const due: Position[] = [];
    for (const [number, bucket] of this.#buckets) {
      if (number * this.#granularityMs > nowMs) continue;
      this.#buckets.delete(number);
      for (const [key, position] of bucket) {
        this.#bucketOf.delete(key);
        due.push(position);
      }
    }
    return due;
  }

  clear(): void {
    this.#buckets.clear();
    this.#bucketOf.clear();
  }
}
