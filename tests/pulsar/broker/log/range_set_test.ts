import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "../../../../lib/pulsar/broker/log/range_set.ts";

const steps = fc.array(
  fc.record({
    isRemoval: fc.boolean(),
    first: fc.integer({ min: 0, max: 60 }),
    length: fc.integer({ min: 0, max: 12 }),
  }),
  { maxLength: 40 },
);

Deno.test("RangeSet holds what a set of numbers holds", () => {
  fc.assert(
    fc.property(steps, (actions) => {
      const ranges = new RangeSet();
      const model = new Set<number>();
      for (const { isRemoval, first, length } of actions) {
        if (isRemoval) {
          ranges.removeUpTo(first);
          for (const value of [...model]) if (value <= first) model.delete(value);
        } else {
          ranges.add(first, first + length);
          for (let i = 0; i <= length; i++) model.add(first + i);
        }
        assert.equal(ranges.count, model.size);
        for (let value = 0; value < 75; value++) assert.equal(ranges.has(value), model.has(value));
      }
      const listed = ranges.ranges();
      assert.equal(ranges.rangeCount, listed.length);
      const again = RangeSet.ofGaps(JSON.parse(JSON.stringify(ranges.gaps())));
      assert.deepEqual([again.ranges(), again.count], [listed, ranges.count]);
      for (let i = 1; i < listed.length; i++) assert.ok(listed[i]![0] > listed[i - 1]![1] + 1);
    }),
    { seed: 7, numRuns: 500 },
  );
});

Deno.test("RangeSet.rangeEnd() gives the end of the range that holds a value", () => {
  const ranges = new RangeSet();
  ranges.add(3, 9);
  assert.deepEqual([2, 3, 9, 10].map((value) => ranges.rangeEnd(value)), [
    undefined,
    9,
    9,
    undefined,
  ]);
});
