import assert from "node:assert/strict";
import fc from "fast-check";
import { downsample, type Points } from "../../lib/metrics/mod.ts";

const SEED = 13;
const values = fc.array(fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null }), {
  maxLength: 3000,
});

function pointsOf(list: readonly (number | null)[]): Points {
  return list.map((value, i) => [i, value] as const);
}

Deno.test("downsample() keeps the smallest and the largest value of a series", () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 4, max: 500 }), (list, pointsMax) => {
      const known = list.filter((value) => value !== null);
      const kept = downsample(pointsOf(list), pointsMax).flatMap(([, value]) => value ?? []);
      assert.equal(Math.max(...kept), Math.max(...known));
      assert.equal(Math.min(...kept), Math.min(...known));
    }),
    { seed: SEED },
  );
});

Deno.test("downsample() keeps order, first and last, invents nothing and stays below its bound", () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 4, max: 500 }), (list, pointsMax) => {
      const points = pointsOf(list);
      const kept = downsample(points, pointsMax);
      assert.deepEqual(kept.at(0), points.at(0));
      assert.deepEqual(kept.at(-1), points.at(-1));
      kept.forEach(([atSec, value], i) => {
        assert.equal(value, list[atSec]);
        assert.ok(i === 0 || atSec > kept[i - 1]![0]);
      });
      // Two values and at most one gap a stretch.
      assert.ok(
        kept.length <= Math.max(points.length <= pointsMax ? points.length : 0, 1.5 * pointsMax),
      );
    }),
    { seed: SEED },
  );
});

Deno.test("downsample() leaves a short series as it is", () => {
  const points = pointsOf([1, null, 3]);
  assert.equal(downsample(points, 4), points);
});

Deno.test("downsample() keeps a gap", () => {
  const list = Array.from({ length: 1000 }, (_, i) => i > 500 && i < 520 ? null : 5);
  assert.ok(downsample(pointsOf(list), 50).some(([, value]) => value === null));
});
