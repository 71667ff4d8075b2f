/** Bounds per doubling: neighbours differ by 19 %, so an interpolated quantile is off by less than that. */
const BOUNDS_PER_OCTAVE = 4;
const SMALLEST_BOUND_US = 100;
/** The last bound is 100 µs × 2^23, 14 minutes. */
const BOUND_COUNT = 23 * BOUNDS_PER_OCTAVE + 1;

const BOUNDS_US = Float64Array.from(
  { length: BOUND_COUNT },
  (_, i) => SMALLEST_BOUND_US * 2 ** (i / BOUNDS_PER_OCTAVE),
);

/**
 * Latencies counted in fixed buckets, as Prometheus scrapes them. Beside an HDR histogram, not instead of it: that one
 * is precise over a run, this one can be read every second and subtracted from the reading before.
 *
 * @example
 * ```ts
 * import { LatencyBuckets } from "./buckets.ts";
 * import assert from "node:assert/strict";
 * const buckets = new LatencyBuckets();
 * buckets.record(1_500, 3);
 * assert.equal(buckets.count, 3);
 * ```
 */
export class LatencyBuckets {
  readonly #counts = new Float64Array(BOUND_COUNT + 1);
  #count = 0;
  #sumUs = 0;

  /**
   * @param latencyUs microseconds; below zero counts as zero here, the HDR histogram tells them apart
   * @param count how many messages had it
   */
  record(latencyUs: number, count = 1): void {
    const index = bucketOf(latencyUs);
    this.#counts[index] = this.#counts[index]! + count;
    this.#count += count;
    this.#sumUs += Math.max(0, latencyUs) * count;
  }

  get count(): number {
    return this.#count;
  }

  /** Sum of all recorded values, in seconds. */
  get sumSec(): number {
    return this.#sumUs / 1e6;
  }

  /** Bounds in seconds with the count of values at or below each; the last is +∞. */
  cumulative(): (readonly [boundSec: number, count: number])[] {
    let total = 0;
    return Array.from(this.#counts, (count, i) => {
      total += count;
      // Seven digits: enough to tell bounds apart, few enough that the text is short and stable.
      const boundSec = i < BOUND_COUNT ? Number((BOUNDS_US[i]! / 1e6).toPrecision(7)) : Infinity;
      return [boundSec, total] as const;
    });
  }
}

/** The first bucket whose bound is not below the value. */
function bucketOf(latencyUs: number): number {
  if (latencyUs <= SMALLEST_BOUND_US) return 0;
  const estimate = Math.ceil(Math.log2(latencyUs / SMALLEST_BOUND_US) * BOUNDS_PER_OCTAVE);
  // The logarithm may be off by one at a bound.
  if (estimate > 0 && estimate <= BOUND_COUNT && BOUNDS_US[estimate - 1]! >= latencyUs) {
    return estimate - 1;
  }
  return Math.min(estimate, BOUND_COUNT);
}

/** Cumulative counts by bound in seconds, ascending, as a scrape or a sample holds them. */
export type CumulativeBuckets = readonly (readonly [boundSec: number, count: number])[];

/**
 * The value that a share of the counted values do not exceed, in seconds, interpolated inside its bucket as
 * Prometheus's `histogram_quantile` does.
 *
 * @param quantile from 0 to 1
 * @returns undefined where nothing was counted; the largest finite bound where the quantile lies beyond it
 */
export function bucketQuantileSec(
  buckets: CumulativeBuckets,
  quantile: number,
): number | undefined {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const wanted = quantile * total;
  let lowerSec = 0;
  let below = 0;
  for (const [boundSec, count] of buckets) {
    if (count >= wanted && count > below) {
      if (boundSec === Infinity) return lowerSec;
      return lowerSec + (boundSec - lowerSec) * ((wanted - below) / (count - below));
    }
    if (boundSec !== Infinity) lowerSec = boundSec;
    below = count;
  }
  return lowerSec;
}
