import assert from "node:assert/strict";
import { OutcomeTotals, Simulation } from "./simulation.ts";

const SEEDS = 300;

Deno.test("Simulation: every window is stored exactly once in each of 300 histories", async () => {
  const totals = new OutcomeTotals();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await new Simulation(seed).run();
    assert.deepEqual(
      outcome.violations,
      [],
      `seed ${seed}; play it again with: deno task simulate --seed ${seed}`,
    );
    totals.add(outcome);
  }
  // A simulation in which nothing happens would pass as well.
  assert(totals.crashes > SEEDS, `${totals.crashes} crashes`);
  assert(totals.freezes > SEEDS / 4, `${totals.freezes} freezes`);
  assert(totals.powerLosses > SEEDS / 4, `${totals.powerLosses} power losses`);
  assert(totals.swallowed > 0, "no insert was swallowed");
  assert(totals.deduplicated > 0, "no insert was dropped for its token");
  assert(totals.cameLate > 0, "no insert came late");
  assert(totals.stops < SEEDS / 10, `${totals.stops} histories stopped on a torn batch`);
  assert(totals.rows > 10 * SEEDS, `${totals.rows} rows`);
});

Deno.test("Simulation plays the same history again from its seed", async () => {
  const first = await new Simulation(7).run();
  assert.deepEqual(await new Simulation(7).run(), first);
});
