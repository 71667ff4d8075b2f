import assert from "node:assert/strict";
import { Simulation } from "./simulation.ts";

const SEEDS = 300;

Deno.test("Simulation: every window is stored exactly once in each of 300 histories", async () => {
  const total = { crashes: 0, freezes: 0, powerLosses: 0, stops: 0, rows: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await new Simulation(seed).run();
    assert.deepEqual(
      outcome.violations,
      [],
      `seed ${seed}; play it again with: deno task simulate --seed ${seed}`,
    );
    total.crashes += outcome.crashes;
    total.freezes += outcome.freezes;
    total.powerLosses += outcome.powerLosses;
    total.stops += outcome.stoppedOnPartial ? 1 : 0;
    total.rows += outcome.rows;
  }
  // A simulation in which nothing happens would pass as well.
  assert(total.crashes > SEEDS, `${total.crashes} crashes`);
  assert(total.freezes > SEEDS / 4, `${total.freezes} freezes`);
  assert(total.powerLosses > SEEDS / 4, `${total.powerLosses} power losses`);
  assert(total.stops < SEEDS / 10, `${total.stops} histories stopped on a torn batch`);
  assert(total.rows > 10 * SEEDS, `${total.rows} rows`);
});
