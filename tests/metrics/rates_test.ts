import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bucketIncrease,
  counterIncrease,
  gauges,
  ratesPerSec,
  type Sample,
  totals,
} from "../../lib/metrics/mod.ts";
import { addBuckets } from "../../lib/metrics/rates.ts";

const SEED = 14;

/** One sample a second; undefined where the instance did not answer. */
function samplesOf(instances: Readonly<Record<string, readonly (number | undefined)[]>>): Sample[] {
  const length = Math.max(...Object.values(instances).map((values) => values.length));
  return Array.from({ length }, (_, i) => ({
    atMs: 1000 * i,
    roles: Object.fromEntries(
      Object.entries(instances).flatMap(([name, values]) =>
        values[i] === undefined ? [] : [[name, { values: { n: values[i] }, buckets: {} }]]
      ),
    ),
  }));
}

Deno.test("counterIncrease() takes a counter that fell as one that began again", () => {
  assert.equal(counterIncrease(10, 10), 0);
  assert.equal(counterIncrease(10, 14), 4);
  assert.equal(counterIncrease(10, 3), 3);
  assert.equal(counterIncrease(undefined, 3), undefined);
  assert.equal(counterIncrease(3, undefined), undefined);
});

Deno.test("ratesPerSec() survives a restart, with a gap while the role is away", () => {
  const samples = samplesOf({ produce: [0, 100, 200, undefined, undefined, 90, 190] });
  assert.deepEqual(ratesPerSec(samples, "produce", "n"), [null, 100, 100, null, null, 30, 100]);
});

Deno.test("ratesPerSec() spreads what was counted over a missed sample", () => {
  const samples = samplesOf({ produce: [0, undefined, 200] });
  assert.deepEqual(ratesPerSec(samples, "produce", "n"), [null, null, 100]);
});

Deno.test("ratesPerSec() sums the instances of a role and leaves other roles out", () => {
  const samples = samplesOf({ "aggregate-1": [0, 10], "aggregate-2": [5, 6], produce: [0, 1000] });
  assert.deepEqual(ratesPerSec(samples, "aggregate", "n"), [null, 11]);
});

Deno.test("ratesPerSec() makes nothing of two samples of one instant", () => {
  const [first, second] = samplesOf({ produce: [0, 10] });
  assert.deepEqual(ratesPerSec([first!, { ...second!, atMs: 0 }], "produce", "n"), [null, null]);
});

Deno.test("totals() counts every restart's work, and what was counted before the first sample", () => {
  const samples = samplesOf({ produce: [5, 10, undefined, 4, 6] });
  assert.deepEqual(totals(samples, "produce", "n"), [5, 10, 10, 14, 16]);
});

Deno.test("totals() ends at all that was counted, whatever restarts and misses there are", () => {
  const process = fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(process, { minLength: 1, maxLength: 4 }), (processes) => {
      // Each process is sampled at its end, and the next one below it at its beginning, so that nothing is unseen.
      const readings = processes.flatMap((steps) => {
        let count = 0;
        return [0, ...steps.map((step) => count += step + 1)];
      });
      const worked = processes.flat().reduce((sum, step) => sum + step + 1, 0);
      assert.equal(totals(samplesOf({ produce: readings }), "produce", "n").at(-1), worked);
    }),
    { seed: SEED },
  );
});

Deno.test("gauges() sums instances, and is null where none answers", () => {
  const samples = samplesOf({ "aggregate-1": [1, undefined, 3], "aggregate-2": [10, undefined] });
  assert.deepEqual(gauges(samples, "aggregate", "n"), [11, null, 3]);
});

Deno.test("bucketIncrease() subtracts readings that list different bounds", () => {
  const before = [[1, 0], [2, 5], [Infinity, 5]] as const;
  const after = [[1, 2], [2, 8], [4, 9], [Infinity, 9]] as const;
  assert.deepEqual(bucketIncrease(before, after), [[1, 2], [2, 3], [4, 4], [Infinity, 4]]);
});

Deno.test("bucketIncrease() takes all of a histogram that began again", () => {
  const after = [[1, 2], [Infinity, 3]] as const;
  assert.deepEqual(bucketIncrease([[1, 9], [Infinity, 9]], after), after);
});

Deno.test("addBuckets() adds readings that list different bounds", () => {
  const sum = addBuckets([[[1, 2], [Infinity, 3]], [[2, 4], [Infinity, 4]]]);
  assert.deepEqual(sum, [[1, 2], [2, 6], [Infinity, 7]]);
});
