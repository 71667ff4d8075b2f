import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";

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

  constructor() {
    this.#hdr = newHdr();
  }

  /**
   * @param latencyUs microseconds
   * @param count how many messages had it
   */
  record(latencyUs: number, count = 1): void {
    if (latencyUs < 0) {
      this.#negative += count;
      return;
    }
    this.#hdr.recordValueWithCount(Math.round(latencyUs), count);
  }

  /** How many values were below zero. */
  get negativeCount(): number {
    return this.#negative;
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  /** The smallest value that `percent` of the recorded values do not exceed, in µs. */
  percentileUs(percent: number): number {
    return this.#hdr.totalCount === 0 ? 0 : this.#hdr.getValueAtPercentile(percent);
  }

  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr);
    this.#negative += other.#negative;
  }

  reset(): void {
    this.#hdr.reset();
    this.#negative = 0;
  }

  summary(): LatencySummary {
    return {
      p50: this.percentileUs(50),
      p90: this.percentileUs(90),
      p99: this.percentileUs(99),
      p999: this.percentileUs(99.9),
      max: this.#hdr.totalCount === 0 ? 0 : this.#hdr.maxValue,
      count: this.#hdr.totalCount,
    };
  }

  /** HdrHistogram's own compressed encoding in Base64, and the count of negative values. */
  toJSON(): { readonly hdr: string; readonly negative: number } {
    return { hdr: encodeIntoCompressedBase64(this.#hdr), negative: this.#negative };
  }

  /** The histogram of {@link LatencyHistogram.toJSON}. */
  static fromJSON(json: { readonly hdr: string; readonly negative: number }): LatencyHistogram {
    const histogram = new LatencyHistogram();
    histogram.#hdr.add(decodeFromCompressedBase64(json.hdr, "packed", false));
    histogram.#negative = json.negative;
    return histogram;
  }
}
