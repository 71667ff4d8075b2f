import assert from "node:assert/strict";
import { comparison, comparisonPicture } from "../../lib/notebook/compare.ts";
import { judge } from "../../lib/verdict/judge.ts";
import { EVIDENCE, MEASURED } from "../verdict/_result.ts";

function results(cpuNsPerMessage: readonly number[]) {
  return cpuNsPerMessage.map((value) => judge({ ...MEASURED, cpuNsPerMessage: value }, EVIDENCE));
}

const FIVE = [100, 101, 102, 103, 104];

Deno.test("comparison() gives the measures that were asked for, in that order", async () => {
  const one = results(FIVE);
  const all = await comparison(one, one);
  assert.ok(all.length > 10, `${all.length} measures`);
  const two = await comparison(one, one, { measures: ["publish.p99", "cpuNsPerMessage"] });
  assert.deepEqual(two.map(({ name }) => name), ["publish.p99", "cpuNsPerMessage"]);
});

Deno.test("comparisonPicture() shows ratio, range and what may be said of it", () => {
  const text = comparisonPicture(results(FIVE), results([50, 51, 52, 53, 54]), {
    measures: ["cpuNsPerMessage"],
  })["text/plain"];
  assert.match(text, /cpuNsPerMessage +102 ns +52 ns +0\.51 \(0\.49 to 0\.53\) +better/);
  assert.match(text, /5 against 5 runs\. Better or worse is said where/);
});

Deno.test("comparisonPicture() calls nothing better from fewer than five runs", () => {
  const text = comparisonPicture(results([100]), results([50]))["text/plain"];
  assert.doesNotMatch(text, / better$/m);
  assert.match(text, /Nothing is called better or worse: that takes at least 5 runs on each side/);
});

Deno.test("comparisonPicture() counts the VOID that are left out", () => {
  const [first, ...rest] = results(FIVE);
  const text =
    comparisonPicture([{ ...first!, verdict: "VOID" }, ...rest], results(FIVE))["text/plain"];
  assert.match(text, /5 against 5 runs\. 1 VOID left out\. Nothing is called better/);
});
