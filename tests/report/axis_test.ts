import assert from "node:assert/strict";
import fc from "fast-check";
import { axisText, timeTicks } from "../../lib/report/axis.ts";

Deno.test("axisText() is short and has its unit", () => {
  assert.equal(axisText(0, "count"), "0");
  assert.equal(axisText(999, "count"), "999");
  assert.equal(axisText(12_500, "count"), "12.5k");
  assert.equal(axisText(1_500_000, "count"), "1.5M");
  assert.equal(axisText(0.25, "cores"), "0.25");
  assert.equal(axisText(0.1 + 0.2, "cores"), "0.3");
  assert.equal(axisText(0, "milliseconds"), "0");
  assert.equal(axisText(0.05, "milliseconds"), "50 µs");
  assert.equal(axisText(20, "milliseconds"), "20 ms");
  assert.equal(axisText(10_000, "milliseconds"), "10 s");
  assert.equal(axisText(3, "seconds"), "3 s");
});

Deno.test("timeTicks() writes seconds, minutes and hours in round steps", () => {
  const ticksOf = (spanSec: number) => {
    const { stepSec, text } = timeTicks(spanSec, 10);
    return [text(0), text(stepSec), text(2 * stepSec)];
  };
  assert.deepEqual(ticksOf(20), ["0", "2 s", "4 s"]);
  assert.deepEqual(ticksOf(180), ["0", "20 s", "40 s"]);
  assert.deepEqual(ticksOf(600), ["0", "1 min", "2 min"]);
  assert.deepEqual(ticksOf(3600), ["0", "10 min", "20 min"]);
  assert.deepEqual(ticksOf(24 * 3600), ["0", "3 h", "6 h"]);
});

Deno.test("timeTicks() never has more labels than there is room for", () => {
  const span = fc.double({ min: 0.5, max: 1e8, noNaN: true });
  fc.assert(
    fc.property(span, fc.integer({ min: 3, max: 12 }), (spanSec, ticksMax) => {
      const { stepSec } = timeTicks(spanSec, ticksMax);
      assert.ok(stepSec > 0 && spanSec / stepSec <= ticksMax, `${stepSec} s for ${spanSec} s`);
    }),
    { seed: 16 },
  );
});
