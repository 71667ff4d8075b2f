/**
 * Plays many histories: `deno task simulate --seeds 10000`, or one again: `deno task simulate --seed 42`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Outcome } from "./simulation.ts";
import { Simulation } from "./simulation.ts";

async function playAll(first: number, count: number): Promise<boolean> {
  const total = { crashes: 0, freezes: 0, powerLosses: 0, stops: 0, failed: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const outcome: Outcome = await new Simulation(seed).run();
    total.crashes += outcome.crashes;
    total.freezes += outcome.freezes;
    total.powerLosses += outcome.powerLosses;
    total.stops += outcome.stoppedOnPartial ? 1 : 0;
    if (outcome.violations.length === 0) continue;
    total.failed++;
    console.log(`seed ${seed}: ${outcome.violations.join("; ")}`);
  }
  console.log(
    `${count} histories from seed ${first}: ${total.crashes} crashes, ${total.freezes} freezes, ${total.powerLosses} power losses, ` +
      `${total.stops} stopped on a torn batch, ${total.failed} failed`,
  );
  return total.failed === 0;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
    },
  });
  const one = values.seed === undefined ? undefined : Number(values.seed);
  const sound = one === undefined
    ? await playAll(Number(values.from), Number(values.seeds))
    : await playAll(one, 1);
  if (!sound) Deno.exit(1);
}
