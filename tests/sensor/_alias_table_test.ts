import assert from "node:assert/strict";
import fc from "fast-check";
import { aliasTable, zipfWeights } from "../../lib/sensor/_alias_table.ts";

/** What each index gets of all columns together. */
function sharesOf(weights: Float64Array): Float64Array {
  const { keep, alias } = aliasTable(weights);
  const shares = new Float64Array(weights.length);
  keep.forEach((part, i) => {
    assert.ok(part >= 0 && part <= 1);
    shares[i]! += part / keep.length;
    shares[alias[i]!]! += (1 - part) / keep.length;
  });
  return shares;
}

Deno.test("aliasTable() gives each index its weight's share", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (list) => {
        const weights = Float64Array.from(list);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        sharesOf(weights).forEach((share, i) => {
          assert.ok(Math.abs(share - weights[i]! / total) < 1e-9);
        });
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

Deno.test("zipfWeights() falls with the rank, and is level for exponent 0", () => {
  assert.deepEqual([...zipfWeights(4, 0)], [1, 1, 1, 1]);
  assert.deepEqual([...zipfWeights(4, 1)], [1, 0.5, Math.fround(1 / 3), 0.25]);
});
