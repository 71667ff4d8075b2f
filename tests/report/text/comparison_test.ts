import assert from "node:assert/strict";
import { comparisonOf, comparisonText } from "../../../lib/report/text/mod.ts";
import type { Result } from "../../../lib/verdict/mod.ts";
import { fixtureReport } from "../_fixture.ts";

const BASE = fixtureReport({ durationSec: 20 }).result;

/** Runs whose rate is as given, and all else the same. */
function runsOf(rates: readonly number[], change: Partial<Result> = {}): Result[] {
  return rates.map((rateMessagesPerSec, i) => ({
    ...BASE,
    ...change,
    runId: `run-${i}`,
    rateMessagesPerSec,
  }));
}

const FIVE = [100, 101, 102, 103, 104];

Deno.test("comparisonText() says nothing of better or worse from fewer than five runs", () => {
  const text = comparisonText(comparisonOf(runsOf([100, 101]), runsOf([200, 210])));
  assert.match(text, /rate +101\/s +205\/s +2\.04 +1\.98–2\.10$/m);
  assert.match(text, /2 runs before, 2 after/);
  assert.match(text, /Nothing is called better or worse: that takes at least 5 runs/);
  assert.doesNotMatch(text, / {2}(?:better|worse)$/m);
});

Deno.test("comparisonText() says better with the interval from five runs", () => {
  const text = comparisonText(comparisonOf(runsOf(FIVE), runsOf(FIVE.map((rate) => rate * 2))));
  assert.match(text, /measure +before +after +ratio +95 %/);
  assert.match(text, /rate +102\/s +204\/s +2\.00 +1\.9\d–2\.0\d +better/);
  assert.match(text, /publish\.p99 .* no difference shown$/m);
});

Deno.test("comparisonOf() says what else differs than what was measured, and leaves out names", () => {
  const { remarks } = comparisonOf(
    runsOf([100]),
    runsOf([100], {
      configuration: { ...BASE.configuration, partitions: 8, runId: "another" },
      environment: { ...BASE.environment, cores: 4 },
      systems: { ...BASE.systems, broker: "Apache Pulsar 4.2.4" },
    }),
  );
  assert.deepEqual(remarks.toSorted(), [
    "differs, broker: embedded broker 0.1.0 → Apache Pulsar 4.2.4",
    "differs, cores: 2 → 4",
    "differs, partitions: 4 → 8",
  ]);
});

Deno.test("comparisonOf() warns of runs that are not what they seem", () => {
  const { remarks, runs } = comparisonOf(
    [...runsOf([100]), ...runsOf([1], { verdict: "VOID" })],
    runsOf([100], { verdict: "FAIL", plants: ["drop:a:1"], unsafe: ["no-token"], loop: "closed" }),
  );
  assert.deepEqual(runs, { before: 1, after: 1 });
  assert.deepEqual(remarks, [
    "before: 1 of 2 VOID, left out: they measured nothing",
    "after: 1 of 1 FAIL: see their reports",
    "after: 1 of 1 with planted faults",
    "after: 1 of 1 with protections switched off",
    "after: 1 of 1 in closed loop: publish latency hides stalls",
  ]);
});

Deno.test("comparisonText() of runs that measured nothing says so", () => {
  const none = runsOf([100], { verdict: "VOID" });
  assert.match(comparisonText(comparisonOf(none, none)), /no measure that both sides have/);
});
