/**
 * Breaks runs on purpose and looks at what they say: `deno task chaos`. Each scenario is a whole run of bench50k in processes of its own; its roles are
 * killed or frozen by their process ids, and the run must still prove that nothing was lost or doubled.
 *
 * Takes about six minutes. Give names of scenarios to run only those.
 */
import { systemClock } from "../../lib/base/mod.ts";
import { type Result, resultSchema } from "../../lib/verdict/mod.ts";
import { taskCall } from "../task_flags.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Something done to a run, seconds after its load began. */
interface Fault {
  readonly atSec: number;
  readonly role: string;
  readonly signal: Deno.Signal;
}

interface ChaosScenario {
  readonly name: string;
  readonly durationSec: number;
  readonly flags: readonly string[];
  readonly faults: readonly Fault[];
}

const kill = (atSec: number, role: string): Fault => ({ atSec, role, signal: "SIGKILL" });

const SCENARIOS: readonly ChaosScenario[] = [
  {
    name: "each role killed once",
    durationSec: 60,
    flags: [],
    faults: [
      kill(8, "aggregate-1"),
      kill(20, "broker"),
      kill(32, "produce"),
      kill(44, "clickhouse"),
    ],
  },
  {
    name: "killed while a window closes every second",
    durationSec: 30,
    flags: ["--time-scale=60", "--late-share=0.001", "--duplicate-share=0.001"],
    faults: [
      kill(6, "aggregate-1"),
      kill(11, "clickhouse"),
      kill(16, "aggregate-1"),
      kill(21, "broker"),
      kill(26, "produce"),
    ],
  },
  {
    name: "aggregator frozen for 30 s",
    durationSec: 50,
    flags: [],
    faults: [
      { atSec: 10, role: "aggregate-1", signal: "SIGSTOP" },
      { atSec: 40, role: "aggregate-1", signal: "SIGCONT" },
    ],
  },
  {
    name: "one of two aggregators killed",
    durationSec: 30,
    flags: ["--aggregators=2"],
    faults: [kill(10, "aggregate-2")],
  },
  {
    name: "one of two aggregators frozen, then woken",
    durationSec: 50,
    flags: ["--aggregators=2", "--time-scale=60"],
    faults: [
      { atSec: 10, role: "aggregate-1", signal: "SIGSTOP" },
      { atSec: 40, role: "aggregate-1", signal: "SIGCONT" },
    ],
  },
];

async function pidOf(folder: string, role: string): Promise<number> {
  const roles = JSON.parse(await Deno.readTextFile(`${folder}/roles.json`));
  return roles[role].pid;
}

async function untilLoading(folder: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    try {
      if ((await Deno.stat(`${folder}/ledger/produce.jsonl`)).size > 0) return;
    } catch {
      // Not there yet.
    }
    await systemClock.sleep(100);
  }
  throw new Error("the run did not begin to load");
}

async function play(scenario: ChaosScenario): Promise<Result> {
  const folder = await Deno.makeTempDir({ prefix: "weir-chaos-" }) + "/run";
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "-A",
      `--config=${ROOT}/deno.json`,
      `${ROOT}/jobs/bench.ts`,
      "--json",
      `--out=${folder}`,
      `--duration=${scenario.durationSec}s`,
      // Latency and rate suffer from the faults; integrity may not.
      "--threshold=rate>=50%",
      ...scenario.flags,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.output();
  await untilLoading(folder);
  const beganMs = systemClock.wallMs();
  for (const { atSec, role, signal } of scenario.faults) {
    await systemClock.sleep(Math.max(0, beganMs + atSec * 1000 - systemClock.wallMs()));
    const pid = await pidOf(folder, role);
    console.error(`— ${signal} to ${role} (${pid}) at ${atSec} s`);
    Deno.kill(pid, signal);
  }
  const { stdout } = await output;
  return resultSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

function report(name: string, result: Result): boolean {
  const { messages, rows, restarts, verdict } = result;
  const isWhole = messages.lost === 0 && messages.duplicated === 0 && rows.missing === 0 &&
    rows.extra === 0 && rows.wrong === 0 && result.findingCount === 0 && verdict !== "FAIL" &&
    rows.found > 0;
  console.log(`${isWhole ? "ok    " : "FAILED"} ${name}: ${verdict}, ${result.reasons[0]}`);
  for (const { name: role, readyAfterMs, recoveryMs } of restarts) {
    const text = (ms: number | null) => ms === null ? "never" : `${Math.round(ms)} ms`;
    console.log(
      `         ${role}: ready after ${text(readyAfterMs)}, at work after ${text(recoveryMs)}`,
    );
  }
  return isWhole;
}

let failed = 0;
const { chosen } = taskCall({
  name: "chaos",
  help: `Breaks runs on purpose; each must still prove that nothing was lost or doubled.

  deno task chaos [NAME …]

A NAME is a part of a scenario's name; all are played without one:
${SCENARIOS.map(({ name }) => `  ${name}`).join("\n")}`,
  table: {},
  names: SCENARIOS.map(({ name }) => name),
});
const wanted = SCENARIOS.filter(({ name }) => chosen.includes(name));
for (const scenario of wanted) {
  console.error(`\n== ${scenario.name}`);
  const kills = scenario.faults.filter(({ signal }) => signal === "SIGKILL").length;
  const result = await play(scenario);
  const isWhole = report(scenario.name, result);
  const missed = result.restarts.length !== kills;
  if (missed) console.log(`         ${result.restarts.length} restarts, expected ${kills}`);
  if (!isWhole || missed) failed++;
}
console.log(`${wanted.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
