/**
 * Plays many histories: `deno task simulate --seeds 10000`, or one again: `deno task simulate --seed 42`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { OutcomeTotals, Simulation } from "./simulation.ts";

async function playAll(first: number, count: number): Promise<boolean> {
  const totals = new OutcomeTotals();
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await new Simulation(seed).run();
    totals.add(outcome);
    if (outcome.violations.length === 0) continue;
    failed++;
    console.log(`seed ${seed}: ${outcome.violations.join("; ")}`);
  }
  const figures = Object.entries(totals).map(([name, value]) => `${name} ${value}`).join(", ");
  console.log(`${count} histories from seed ${first}: ${failed} failed; ${figures}`);
  return failed === 0;
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
