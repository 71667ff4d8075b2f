import assert from "node:assert/strict";
import fc from "fast-check";
import { AssertionError } from "../../lib/base/errors.ts";
import { LatencyHistogram } from "../../lib/latency/histogram.ts";

const SEED = 17;
const samples = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 5_000_000_000 }), fc.integer({ min: 1, max: 50 })),
  { minLength: 1, maxLength: 60 },
);

function histogramOf(list: readonly (readonly [number, number])[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const [latencyUs, count] of list) histogram.record(latencyUs, count);
  return histogram;
}

/** The percentile by sorting everything: the smallest value that so many per cent do not exceed. */
function plainPercentile(list: readonly (readonly [number, number])[], percent: number): number {
  const sorted = list.flatMap(([value, count]) => new Array<number>(count).fill(value))
    .sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length - 1e-9));
  return sorted[rank - 1]!;
}

function assertClose(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1 + expected * 0.001, `${actual}, not ${expected}`);
}

Deno.test("percentileUs() agrees with sorting everything, to three digits", () => {
  fc.assert(
    fc.property(samples, (list) => {
      const histogram = histogramOf(list);
      for (const percent of [50, 90, 99, 100]) {
        assertClose(histogram.percentileUs(percent), plainPercentile(list, percent));
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("summary() has ordered percentiles, none above the exact maximum", () => {
  fc.assert(
    fc.property(samples, (list) => {
      const { p50, p90, p99, p999, max, count } = histogramOf(list).summary();
      assert.ok(p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max);
      assert.equal(max, Math.max(...list.map(([value]) => value)));
      assert.equal(count, list.reduce((sum, [, times]) => sum + times, 0));
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("add() gives the histogram of all values together", () => {
  fc.assert(
    fc.property(samples, samples, (one, other) => {
      const merged = histogramOf(one);
      merged.add(histogramOf(other));
      assert.deepEqual(merged.summary(), histogramOf([...one, ...other]).summary());
    }),
    { seed: SEED, numRuns: 50 },
  );
});

Deno.test("fromJSON() gives back what toJSON() wrote, through JSON text", () => {
  fc.assert(
    fc.property(samples, (list) => {
      const histogram = histogramOf(list);
      histogram.record(-5, 3);
      const copy = LatencyHistogram.fromJSON(JSON.parse(JSON.stringify(histogram)));
      assert.deepEqual(copy.summary(), histogram.summary());
      assert.equal(copy.negativeCount, 3);
      copy.record(7);
      assert.equal(copy.count, histogram.count + 1);
    }),
    { seed: SEED, numRuns: 50 },
  );
});

Deno.test("fromJSON() does without the exact maximum", () => {
  const { hdr, negative } = histogramOf([[1_000_000, 1]]).toJSON();
  assertClose(LatencyHistogram.fromJSON({ hdr, negative }).summary().max, 1_000_000);
});

Deno.test("record() counts negative values beside the histogram, and add() sums them", () => {
  const histogram = new LatencyHistogram();
  histogram.record(-1, 4);
  histogram.record(-0.2);
  assert.deepEqual([histogram.negativeCount, histogram.count], [5, 0]);
  const other = new LatencyHistogram();
  other.record(-9);
  histogram.add(other);
  assert.equal(histogram.negativeCount, 6);
});

Deno.test("record() refuses what cannot be counted", () => {
  const histogram = new LatencyHistogram();
  for (
    const [latencyUs, count] of [[NaN, 1], [Infinity, 1], [1e16, 1], [1, -1], [1, 0.5], [1, NaN]]
  ) {
    assert.throws(() => histogram.record(latencyUs!, count), AssertionError);
  }
  histogram.record(5, 0);
  assert.deepEqual(histogram.summary(), new LatencyHistogram().summary());
});

Deno.test("an empty histogram is all zeros, also after reset()", () => {
  const empty = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, count: 0 };
  const histogram = new LatencyHistogram();
  assert.deepEqual(histogram.summary(), empty);
  histogram.record(10);
  histogram.record(-1);
  histogram.reset();
  assert.deepEqual(histogram.summary(), empty);
  assert.equal(histogram.negativeCount, 0);
});

Deno.test("record() takes latencies far beyond an hour", () => {
  assert.equal(histogramOf([[1e15, 1]]).summary().max, 1e15);
  assertClose(histogramOf([[1e12, 1], [3, 1]]).percentileUs(99), 1e12);
});

Deno.test("countsAbove() agrees with counting everything, to three digits", () => {
  const histogram = new LatencyHistogram();
  const values = Array.from({ length: 500 }, (_, i) => Math.round(1.03 ** i));
  for (const value of values) histogram.record(value, 2);
  const bounds = [0, 1, 50, 1234, 99_999, 1e9];
  histogram.countsAbove(bounds).forEach((count, i) => {
    const within = (bound: number) => 2 * values.filter((value) => value > bound).length;
    assert.ok(count <= within(bounds[i]! * 0.999) && count >= within(bounds[i]! * 1.001), `${i}`);
  });
  assert.equal(histogram.countAbove(1e12), 0);
});
