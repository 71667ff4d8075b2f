/**
 * Plays many histories: `deno task simulate --seeds 10000`, or one again: `deno task simulate --seed 42`.
 *
 * @module
 */
import { OutcomeTotals, Simulation } from "./simulation.ts";
import { taskCall } from "../task_flags.ts";

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

const HELP = `Plays torn files, lost answers and stale owners against the aggregator.

  deno task simulate [flags]

  --seeds N   how many histories (default 1000)
  --from N    seed of the first (default 1)
  --seed N    one history again
  --help`;

const COUNT = { kind: "count", min: 1 } as const;
const SEED = { kind: "count", min: 0 } as const;

if (import.meta.main) {
  const { flags } = taskCall({
    name: "simulate",
    help: HELP,
    table: {
      seeds: { ...COUNT, default: "1000", help: "how many histories" },
      from: { ...SEED, default: "1", help: "seed of the first" },
      seed: { ...SEED, help: "one history again" },
    },
  });
  const { seed, seeds, from } = flags;
  const sound = seed === undefined ? await playAll(from, seeds) : await playAll(seed, 1);
  if (!sound) Deno.exit(1);
}
