import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketQuantileSec, LatencyBuckets } from "../../lib/metrics/mod.ts";

const SEED = 11;

Deno.test("LatencyBuckets.record() counts a value in the first bucket whose bound is not below it", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2e9, noNaN: true }), (latencyUs) => {
      const buckets = new LatencyBuckets();
      buckets.record(latencyUs);
      const all = buckets.cumulative();
      const index = all.findIndex(([, count]) => count === 1);
      assert.ok(latencyUs / 1e6 <= all[index]![0] * (1 + 1e-6));
      if (index > 0) assert.ok(latencyUs / 1e6 > all[index - 1]![0] * (1 - 1e-6));
    }),
    { seed: SEED },
  );
});

Deno.test("LatencyBuckets.record() puts a value on a bound into that bucket", () => {
  const bounds = new LatencyBuckets().cumulative().map(([boundSec]) => boundSec);
  for (let octave = 0; octave <= 23; octave++) {
    const buckets = new LatencyBuckets();
    buckets.record(100 * 2 ** octave);
    const index = buckets.cumulative().findIndex(([, count]) => count === 1);
    assert.equal(bounds[index], Number((2 ** octave / 1e4).toPrecision(7)));
  }
});

Deno.test("LatencyBuckets.cumulative() ends at +∞ with all values, those beyond the last bound too", () => {
  const buckets = new LatencyBuckets();
  buckets.record(1_000, 5);
  buckets.record(1e12);
  buckets.record(-3);
  assert.deepEqual(buckets.cumulative().at(-1), [Infinity, 7]);
  assert.equal(buckets.cumulative().at(-2)![1], 6);
  assert.equal(buckets.count, 7);
  assert.equal(buckets.sumSec, 1_000_000.005);
});

Deno.test("bucketQuantileSec() is within a bucket's width of the exact quantile", () => {
  const values = fc.array(fc.integer({ min: 200, max: 60_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (latencies, quantile) => {
      const buckets = new LatencyBuckets();
      for (const latencyUs of latencies) buckets.record(latencyUs);
      const exactUs = latencies.toSorted((a, b) =>
        a - b
      )[Math.ceil(quantile * latencies.length) - 1]!;
      const estimateUs = bucketQuantileSec(buckets.cumulative(), quantile)! * 1e6;
      assert.ok(
        estimateUs >= exactUs / 1.2 && estimateUs <= exactUs * 1.2,
        `${estimateUs} ${exactUs}`,
      );
    }),
    { seed: SEED },
  );
});

Deno.test("bucketQuantileSec() is undefined where nothing was counted", () => {
  assert.equal(bucketQuantileSec([], 0.5), undefined);
  assert.equal(bucketQuantileSec(new LatencyBuckets().cumulative(), 0.99), undefined);
});

Deno.test("bucketQuantileSec() stays at the last finite bound for values beyond it", () => {
  assert.equal(bucketQuantileSec([[1, 0], [2, 0], [Infinity, 3]], 0.5), 2);
});

Deno.test("bucketQuantileSec() interpolates inside a bucket as Prometheus does", () => {
  // histogram_quantile(0.9, …) of Prometheus for 10 in (1, 2] is 1 + 0.9.
  assert.equal(bucketQuantileSec([[1, 0], [2, 10], [Infinity, 10]], 0.9), 1.9);
});
