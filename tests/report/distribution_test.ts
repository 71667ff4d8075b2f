import assert from "node:assert/strict";
import fc from "fast-check";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { distributionData } from "../../lib/report/chart_data.ts";
import { distributionOf, drawDistribution } from "../../lib/report/mod.ts";
import { assertSnapshot } from "./_snapshot.ts";

function histogramOf(latencies: Iterable<number>): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latencyUs of latencies) histogram.record(latencyUs);
  return histogram;
}

function specOf(histogram: LatencyHistogram) {
  return {
    id: "percentiles",
    title: "Latency percentiles",
    description: "Latency over percentiles.",
    lines: [{ name: "publish", tone: "produce", points: distributionOf(histogram) }],
  } as const;
}

Deno.test("distributionOf() rises to the maximum and reads each percentile as the histogram does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1e8 }), { minLength: 1, maxLength: 300 }),
      (latencies) => {
        const histogram = histogramOf(latencies);
        const points = distributionOf(histogram);
        points.forEach(([tail, latencyUs], i) => {
          if (i > 0) {
            assert.ok(tail > points[i - 1]![0]);
            assert.ok(latencyUs >= points[i - 1]![1]);
          }
          if (i < points.length - 1) {
            assert.equal(latencyUs, histogram.percentileUs(100 - 100 / tail));
          }
        });
        assert.deepEqual(points.at(-1), [latencies.length, histogram.summary().max]);
      },
    ),
    { seed: 17, numRuns: 25 },
  );
});

Deno.test("distributionOf() is empty where nothing was recorded", () => {
  assert.deepEqual(distributionOf(new LatencyHistogram()), []);
});

Deno.test("drawDistribution() draws as in the snapshot", () => {
  const latencies = Array.from(
    { length: 2000 },
    (_, i) => 5_000 + 3 * i + (i > 1990 ? 400_000 : 0),
  );
  assertSnapshot(
    "distribution_light.snap",
    drawDistribution(specOf(histogramOf(latencies)), { theme: "light" }),
  );
});

Deno.test("drawDistribution() says no data, and draws a single value", () => {
  assert.match(
    drawDistribution(specOf(new LatencyHistogram()), { theme: "light" }),
    />no data: latency</,
  );
  const one = drawDistribution(specOf(histogramOf([5_000])), { theme: "light" });
  assert.doesNotMatch(one, /NaN|Infinity|no data/);
});

Deno.test("distributionData() gives a page the lines that are drawn, in milliseconds", () => {
  const spec = specOf(histogramOf([1_500, 2_500, 40_000]));
  const { lines, unit, from, to } = distributionData(spec);
  assert.deepEqual([unit, from, to], ["milliseconds", 1, 10]);
  const expected = spec.lines[0].points.flatMap(([tail, latencyUs]) => [tail, latencyUs / 1000]);
  const points = lines[0]!.points.map(Number);
  assert.equal(points.length, expected.length);
  points.forEach((value, i) => assert.ok(Math.abs(value / expected[i]! - 1) < 1e-5, `${value}`));
});
