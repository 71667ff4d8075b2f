import assert from "node:assert/strict";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { RunLatencies } from "../../lib/scenarios/run_latencies.ts";

function json(us: number) {
  const histogram = new LatencyHistogram();
  histogram.record(us);
  return histogram.toJSON();
}

Deno.test("RunLatencies keeps the warm-up apart, whole intervals of it", () => {
  const latencies = new RunLatencies(5000);
  latencies.begin(1000);
  const add = (fromMs: number, us: number) =>
    latencies.add({
      event: "interval",
      fromMs,
      atMs: fromMs + 1000,
      histograms: { publish: json(us), insert: json(7) },
    });
  [[1000, 10], [5999, 20], [6000, 30], [9000, 40]].forEach(([fromMs, us]) => add(fromMs!, us!));
  assert.deepEqual(
    [latencies.warmUp.of("publish").count, latencies.warmUp.of("publish").summary().max],
    [2, 20],
  );
  assert.deepEqual(
    [latencies.measured.of("publish").count, latencies.measured.of("publish").percentileUs(0)],
    [2, 30],
  );
  assert.equal(latencies.measured.of("insert").count, 4, "work is counted in all");
});

Deno.test("RunLatencies without a warm-up keeps everything together", () => {
  const latencies = new RunLatencies(0);
  latencies.begin(1000);
  latencies.add({ event: "interval", atMs: 900, histograms: { publish: json(5) } });
  assert.equal(latencies.measured.of("publish").count, 1);
});
