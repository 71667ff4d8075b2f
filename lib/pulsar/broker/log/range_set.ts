/** Whole numbers kept as disjoint ranges, so that a million neighbours take two numbers. */
export class RangeSet {
  /** Pairs of first and last, rising, never touching. */
  readonly #bounds: number[] = [];
  #count = 0;

  /** How many numbers there are. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Index of the first range that ends at or behind `value`. */
  #find(value: number): number {
    let low = 0;
    let high = this.#bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[middle * 2 + 1]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(value: number): boolean {
    const at = this.#find(value) * 2;
    return at < this.#bounds.length && this.#bounds[at]! <= value;
  }

  /** The last number of the range that holds `value`, or undefined. */
  rangeEnd(value: number): number | undefined {
    const at = this.#find(value) * 2;
    return at < this.#bounds.length && this.#bounds[at]! <= value
      ? this.#bounds[at + 1]
      : undefined;
  }

  /** Adds `first` to `last`, joining what it touches. */
  add(first: number, last: number = first): void {
    const from = this.#find(first - 1);
    let low = first;
    let high = last;
    let to = from;
    while (to * 2 < this.#bounds.length && this.#bounds[to * 2]! <= last + 1) {
      const oldLow = this.#bounds[to * 2]!;
      const oldHigh = this.#bounds[to * 2 + 1]!;
      low = Math.min(low, oldLow);
      high = Math.max(high, oldHigh);
      this.#count -= oldHigh - oldLow + 1;
      to++;
    }
    this.#bounds.splice(from * 2, (to - from) * 2, low, high);
    this.#count += high - low + 1;
  }

  /** Removes everything up to and with `value`. */
  removeUpTo(value: number): void {
    const whole = this.#find(value + 1);
    for (let i = 0; i < whole; i++) {
      this.#count -= this.#bounds[i * 2 + 1]! - this.#bounds[i * 2]! + 1;
    }
    this.#bounds.splice(0, whole * 2);
    const first = this.#bounds[0];
    if (first === undefined || first > value) return;
    this.#count -= value - first + 1;
    this.#bounds[0] = value + 1;
  }

  /** How many ranges there are. */
  get rangeCount(): number {
    return this.#bounds.length / 2;
  }

  /** The ranges as distances: how many numbers lie between one's end and the next one's beginning, and how many are in it. */
  gaps(): number[] {
    const gaps: number[] = [];
    let end = 0;
    for (let i = 0; i < this.#bounds.length; i += 2) {
      const first = this.#bounds[i]!;
      gaps.push(first - end, this.#bounds[i + 1]! + 1 - first);
      end = this.#bounds[i + 1]! + 1;
    }
    return gaps;
  }

  /** The set of {@link RangeSet.gaps}. */
  static ofGaps(gaps: readonly number[]): RangeSet {
    const set = new RangeSet();
    let first = 0;
    for (let i = 0; i + 1 < gaps.length; i += 2) {
      first += gaps[i]!;
      set.add(first, first + gaps[i + 1]! - 1);
      first += gaps[i + 1]!;
    }
    return set;
  }

  /** Ranges as pairs of first and last. */
  ranges(): [number, number][] {
    const ranges: [number, number][] = [];
    for (let i = 0; i < this.#bounds.length; i += 2) {
      ranges.push([this.#bounds[i]!, this.#bounds[i + 1]!]);
    }
    return ranges;
  }
}
