import assert from "node:assert/strict";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { percentilesOf } from "../../lib/report/percentiles_chart.ts";

function histogramOf(latenciesUs: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latencyUs of latenciesUs) histogram.record(latencyUs);
  return histogram;
}

Deno.test("percentilesOf() draws a line for each name, as SVG and as PNG", async () => {
  const picture = await percentilesOf({
    open: histogramOf(Array.from({ length: 1000 }, (_, i) => 1000 + i)),
    closed: histogramOf([10, 20, 30]),
  }, { title: "Two loops", subtitle: "of one stall" });
  const svg = picture["image/svg+xml"]!;
  for (const text of ["Two loops", "of one stall", "open", "closed", "99.9%"]) {
    assert.ok(svg.includes(`>${text}<`), text);
  }
  assert.ok(svg.includes('stroke="#0067ac"') && svg.includes('stroke="#b84a00"'), "two colours");
  assert.match(picture["image/png"]!, /^iVBOR/);
});

Deno.test("percentilesOf() says no data where nothing was recorded", async () => {
  const { "image/svg+xml": svg } = await percentilesOf({ none: histogramOf([]) });
  assert.match(svg!, /no data/);
});
