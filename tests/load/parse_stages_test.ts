import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { parseStages } from "../../lib/load/parse_stages.ts";

Deno.test("parseStages() reads constant, ramp and pause stages in order", () => {
  assert.deepEqual(parseStages("ramp 0 to 50k for 30s, constant 50000/s for 3m ,pause for 10s"), [
    { durationMs: 30_000, rateFrom: 0, rateTo: 50_000 },
    { durationMs: 180_000, rateFrom: 50_000, rateTo: 50_000 },
    { durationMs: 10_000, rateFrom: 0, rateTo: 0 },
  ]);
});

Deno.test("parseStages() takes a bare rate as a constant stage", () => {
  assert.deepEqual(parseStages("1.5M for 1m30s"), [
    { durationMs: 90_000, rateFrom: 1_500_000, rateTo: 1_500_000 },
  ]);
});

Deno.test("parseStages() names every stage that it cannot read at once", () => {
  assert.throws(() => parseStages("constant abc for 3m, ramp 1 to 2 for 5, 10 for 1s"), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /"constant abc for 3m"/);
    assert.match(error.message, /"ramp 1 to 2 for 5"/);
    assert.doesNotMatch(error.message, /"10 for 1s"/);
    return true;
  });
});

for (const text of ["", "constant 5", "constant 5 for 0", "constant -5 for 3m", "pause 5 for 3m"]) {
  Deno.test(`parseStages() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseStages(text), UsageError);
  });
}

Deno.test("parseStages() refuses stages that send nothing at all", () => {
  assert.throws(() => parseStages("pause for 10s, ramp 0 to 0 for 1s"), /none sends anything/);
});
