import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../lib/base/mod.ts";
import { compareResults } from "../../lib/verdict/compare.ts";
import { judge } from "../../lib/verdict/judge.ts";
import type { Result } from "../../lib/verdict/result.ts";
import { EVIDENCE, MEASURED } from "./_result.ts";

const SEED = 20_260_904;

function runs(values: readonly number[]): Result[] {
  return values.map((cpuNsPerMessage) => judge({ ...MEASURED, cpuNsPerMessage }, EVIDENCE));
}

function cpuOf(before: readonly number[], after: readonly number[]) {
  const comparison = compareResults(runs(before), runs(after))
    .find(({ name }) => name === "cpuNsPerMessage");
  assert.ok(comparison !== undefined);
  return comparison;
}

Deno.test("compareResults() gives ratio, range and interval, and says what is better", () => {
  const compared = cpuOf([100, 101, 102, 103, 104], [50, 51, 52, 53, 54]);
  assert.equal(compared.conclusion, "better");
  assert.deepEqual(
    [compared.before.median, compared.before.min, compared.before.max, compared.before.runs],
    [102, 100, 104, 5],
  );
  assert.ok(Math.abs(compared.ratio - 0.51) < 0.01);
  const { low, high } = compared.ratioInterval!;
  assert.ok(0.48 < low && low < 0.51 && 0.51 < high && high < 0.54, `${low} ${high}`);
});

Deno.test("compareResults() knows which direction is better", () => {
  const rates = (values: number[]) =>
    values.map((rateMessagesPerSec) => judge({ ...MEASURED, rateMessagesPerSec }, EVIDENCE));
  const compared = compareResults(rates([10, 11, 12, 13, 14]), rates([20, 21, 22, 23, 24]));
  assert.equal(compared.find(({ name }) => name === "rate")?.conclusion, "better");
  assert.equal(cpuOf([10, 11, 12, 13, 14], [20, 21, 22, 23, 24]).conclusion, "worse");
});

Deno.test("compareResults() never says better from fewer than five runs each", () => {
  for (const [n, m] of [[1, 1], [4, 4], [4, 20], [20, 4]] as const) {
    const before = Array.from({ length: n }, (_, i) => 1_000 + i);
    const after = Array.from({ length: m }, (_, i) => 10 + i / 100);
    assert.equal(cpuOf(before, after).conclusion, "too few runs");
  }
});

Deno.test("compareResults() has no interval where the runs are too few for one", () => {
  assert.equal(cpuOf([1, 2, 3], [7, 8, 9]).ratioInterval, null);
  // 4 against 4: the extreme order has a chance of 2 in 70, below 5 %.
  assert.notEqual(cpuOf([1, 2, 3, 4], [7, 8, 9, 10]).ratioInterval, null);
});

Deno.test("compareResults() shows no difference between equal sets", () => {
  assert.equal(
    cpuOf([100, 105, 98, 102, 99], [101, 99, 104, 97, 103]).conclusion,
    "no difference shown",
  );
});

Deno.test("compareResults() is wrong about equal systems in about one case of twenty", () => {
  const random = seededRandom(SEED);
  const draw = () => Array.from({ length: 6 }, () => 100 * (1 + 0.1 * random.float()));
  let shown = 0;
  for (let i = 0; i < 400; i++) {
    const { conclusion } = cpuOf(draw(), draw());
    if (conclusion !== "no difference shown") shown++;
  }
  assert.ok(shown <= 400 * 0.08, `${shown} of 400`);
  assert.ok(shown >= 400 * 0.01, `${shown} of 400`);
});

Deno.test("compareResults() puts the ratio of the swapped sets upside down", () => {
  const values = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 5, maxLength: 8 });
  fc.assert(
    fc.property(values, values, (before, after) => {
      const there = cpuOf(before, after);
      const back = cpuOf(after, before);
      const { low, high } = there.ratioInterval!;
      assert.ok(Math.abs(1 / high - back.ratioInterval!.low) < 1e-9);
      assert.ok(low <= there.ratio && there.ratio <= high);
    }),
    { seed: SEED },
  );
});

Deno.test("compareResults() leaves VOID runs out, and measures that one side lacks", () => {
  const late = { ownLatenessShare: 1, ownLatenessUsMax: 1, clockJumpMs: 0 };
  const voided = judge({ ...MEASURED, cpuNsPerMessage: 1 }, { ...EVIDENCE, generator: late });
  assert.equal(voided.verdict, "VOID");
  const compared = compareResults([...runs([100]), voided], runs([100]));
  const cpu = compared.find(({ name }) => name === "cpuNsPerMessage");
  assert.equal(cpu?.before.runs, 1);
  assert.equal(compared.find(({ name }) => name === "cpuSeconds.broker"), undefined);
  assert.deepEqual(compareResults([], runs([1])), []);
});
