import assert from "node:assert/strict";
import { completePlan, type SensorPlan } from "../../lib/sensor/plan.ts";

const PLAN: SensorPlan = { seed: 1, partitionCount: 2, startWallMs: 5 };

Deno.test("completePlan() fills in the defaults", () => {
  assert.deepEqual(completePlan(PLAN), {
    seed: 1,
    sourceCount: 1000,
    partitionCount: 2,
    skew: 0,
    lateShare: 0,
    duplicateShare: 0,
    startWallMs: 5,
    timeScale: 1,
    windowMs: 60_000,
    outOfOrdernessMs: 5_000,
    allowedLatenessMs: 0,
  });
});

Deno.test("completePlan() refuses values out of range, naming them", () => {
  const refused: readonly Partial<Record<keyof SensorPlan, number>>[] = [
    { seed: 1.5 },
    { sourceCount: 0 },
    { sourceCount: 1_000_001 },
    { sourceCount: 1.5 },
    { partitionCount: 0 },
    { partitionCount: NaN },
    { skew: -0.1 },
    { lateShare: 1.01 },
    { lateShare: -0.01 },
    { duplicateShare: NaN },
    { startWallMs: -1 },
    { startWallMs: 0.5 },
    { timeScale: 0 },
    { timeScale: Infinity },
    { windowMs: 0 },
    { outOfOrdernessMs: -1 },
    { allowedLatenessMs: 0.5 },
  ];
  for (const change of refused) {
    const [name, value] = Object.entries(change)[0]!;
    assert.throws(
      () => completePlan({ ...PLAN, ...change }),
      (error) => error instanceof RangeError && error.message.includes(`${name} is ${value},`),
    );
  }
});
