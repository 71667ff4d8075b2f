import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { assert } from "../base/mod.ts";

/** About 31 years: nothing that is measured takes longer, and the histogram's own arithmetic holds. */
const LATENCY_US_MAX = 1e15;

/** The figures of a latency that a result carries; all in µs. */
export interface LatencySummary {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

type HdrHistogram = ReturnType<typeof build>;

/** What HdrHistogram counts by: its types leave it out, and asking it for percentiles instead takes a thousand times as long. */
interface WithIterator {
  readonly recordedValuesIterator: {
    reset(): void;
    hasNext(): boolean;
    next(): { readonly valueIteratedTo: number; readonly countAtValueIteratedTo: number };
  };
}

function newHdr(): HdrHistogram {
  // Grows by itself past an hour; three significant digits as HdrHistogram's own tools use.
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
    bitBucketSize: "packed",
  });
}

/**
 * An HDR histogram of latencies in µs. Histograms are merged as histograms; percentiles are never averaged.
 *
 * Negative values (clocks that disagree) are counted beside it, never dropped and never recorded as 0.
 *
 * @example
 * ```ts
 * import { LatencyHistogram } from "./histogram.ts";
 * import assert from "node:assert/strict";
 * const histogram = new LatencyHistogram();
 * histogram.record(1_500, 3);
 * assert.equal(histogram.summary().count, 3);
 * ```
 */
export class LatencyHistogram {
  readonly #hdr: HdrHistogram;
  #negative = 0;
  // HdrHistogram knows values only to three digits, and so the largest after a round trip through its encoding.
  #maxUs = 0;

  constructor() {
    this.#hdr = newHdr();
  }

  /**
   * @param latencyUs microseconds, rounded to whole ones
   * @param count how many messages had it
   * @throws {AssertionError} when one of them is no number that can be counted
   */
  record(latencyUs: number, count = 1): void {
    assert(
      latencyUs <= LATENCY_US_MAX && count >= 0 && Number.isInteger(count),
      `cannot record ${count} × ${latencyUs} µs`,
    );
    if (count === 0) return;
    if (latencyUs < 0) {
      this.#negative += count;
      return;
    }
    const wholeUs = Math.round(latencyUs);
    this.#hdr.recordValueWithCount(wholeUs, count);
    this.#maxUs = Math.max(this.#maxUs, wholeUs);
  }

  /** How many values were below zero. */
  get negativeCount(): number {
    return this.#negative;
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  /** The smallest value that `percent` of the recorded values do not exceed, in µs, to three digits; 0 where there are none. */
  percentileUs(percent: number): number {
    if (this.#hdr.totalCount === 0) return 0;
    // HdrHistogram answers with the upper end of a bucket, which may lie above everything recorded.
    return Math.min(this.#hdr.getValueAtPercentile(percent), this.#maxUs);
  }

  /** How many values are above `us`, to three digits of `us`. */
  countAbove(us: number): number {
    return this.countsAbove([us])[0]!;
  }

  /** How many values are above each of `us`, to three digits of them, in one walk over the histogram. */
  countsAbove(us: readonly number[]): number[] {
    const above = us.map(() => 0);
    const { recordedValuesIterator: iterator } = this.#hdr as unknown as WithIterator;
    iterator.reset();
    while (iterator.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = iterator.next();
      // HdrHistogram names the upper end of a bucket, which may lie above everything recorded.
      const value = Math.min(valueIteratedTo, this.#maxUs);
      us.forEach((bound, i) => {
        if (value > bound) above[i]! += countAtValueIteratedTo;
      });
    }
    return above;
  }

  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr);
    this.#maxUs = Math.max(this.#maxUs, other.#maxUs);
    this.#negative += other.#negative;
  }

  reset(): void {
    this.#hdr.reset();
    this.#maxUs = 0;
    this.#negative = 0;
  }

  summary(): LatencySummary {
    return {
      p50: this.percentileUs(50),
      p90: this.percentileUs(90),
      p99: this.percentileUs(99),
      p999: this.percentileUs(99.9),
      max: this.#maxUs,
      count: this.#hdr.totalCount,
    };
  }

  /** HdrHistogram's own compressed encoding in Base64, the count of negative values, and the exact maximum. */
  toJSON(): { readonly hdr: string; readonly negative: number; readonly maxUs: number } {
    return {
      hdr: encodeIntoCompressedBase64(this.#hdr),
      negative: this.#negative,
      maxUs: this.#maxUs,
    };
  }

  /** The histogram of {@link LatencyHistogram.toJSON}. Without its maximum, that of HdrHistogram stands in, right to three digits. */
  static fromJSON(
    json: { readonly hdr: string; readonly negative: number; readonly maxUs?: number },
  ): LatencyHistogram {
    const histogram = new LatencyHistogram();
    histogram.#hdr.add(decodeFromCompressedBase64(json.hdr, "packed", false));
    histogram.#negative = json.negative;
    histogram.#maxUs = json.maxUs ?? histogram.#hdr.maxValue;
    return histogram;
  }
}
