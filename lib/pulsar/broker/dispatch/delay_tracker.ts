/** Numbers of one delayed entry in the heap: when it is due, its place, the hash of its key. */
const STRIDE = 3;
/** Memory for so many entries is enough until there are more. */
const INITIAL_ENTRIES = 64;

/** An entry whose time has come. */
export interface DueEntry {
  readonly place: number;
  /** Of its key, 0 where nobody asks for it. */
  readonly hash: number;
}

/**
 * Entries that are to be delivered later, the earliest first: a heap of numbers, 24 bytes an entry.
 * Nothing of it is stored: what is not acknowledged lies behind the cursor and is met again when the log is read from there.
 */
export class DelayTracker {
  #heap = new Float64Array(INITIAL_ENTRIES * STRIDE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the next entry is due, ms since 1970, or Infinity. */
  get nextDueMs(): number {
    return this.#size === 0 ? Infinity : this.#heap[0]!;
  }

  add(dueMs: number, place: number, hash: number): void {
    if ((this.#size + 1) * STRIDE > this.#heap.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(dueMs, place, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, dueMs, place, hash);
  }

  /** Takes out an entry that is due, the earliest first; undefined when there is none. */
  takeDue(nowMs: number): DueEntry | undefined {
    if (this.#size === 0 || this.#heap[0]! > nowMs) return undefined;
    const due = { place: this.#heap[1]!, hash: this.#heap[2]! };
    this.#size--;
    if (this.#size > 0) this.#sink();
    else if (this.#heap.length > INITIAL_ENTRIES * STRIDE) this.clear();
    return due;
  }

  /** Puts the last entry where it belongs, from the top down. */
  #sink(): void {
    const from = this.#size * STRIDE;
    const dueMs = this.#heap[from]!;
    const place = this.#heap[from + 1]!;
    const hash = this.#heap[from + 2]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      const { [right * STRIDE]: rightDueMs = 0, [right * STRIDE + 1]: rightPlace = 0 } = this.#heap;
      if (right < this.#size && this.#isBefore(rightDueMs, rightPlace, child)) child = right;
      if (this.#isBefore(dueMs, place, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, dueMs, place, hash);
  }

  #isBefore(dueMs: number, place: number, other: number): boolean {
    const otherMs = this.#heap[other * STRIDE]!;
    return dueMs < otherMs || (dueMs === otherMs && place < this.#heap[other * STRIDE + 1]!);
  }

  #move(from: number, to: number): void {
    this.#heap.copyWithin(to * STRIDE, from * STRIDE, from * STRIDE + STRIDE);
  }

  #put(at: number, dueMs: number, place: number, hash: number): void {
    this.#heap[at * STRIDE] = dueMs;
    this.#heap[at * STRIDE + 1] = place;
    this.#heap[at * STRIDE + 2] = hash;
  }

  #grow(): void {
    const larger = new Float64Array(this.#heap.length * 2);
    larger.set(this.#heap);
    this.#heap = larger;
  }

  clear(): void {
    this.#heap = new Float64Array(INITIAL_ENTRIES * STRIDE);
    this.#size = 0;
  }
}
