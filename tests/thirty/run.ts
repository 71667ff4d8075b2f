/**
 * Thirty whole runs on one machine at once, as a workshop on one server has them: `deno task thirty`, or `deno task thirty 8` for fewer.
 *
 * Each run has embedded parts of its own (five processes) and a low load. They are started some at a time, load together, and are stopped together.
 * Asserted: no port and no folder is shared, `weir.runs()` lists all, each verdict's rows are whole, and no process is left.
 */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { formatBytes, formatCount, formatDurationMs, systemClock } from "../../lib/base/mod.ts";
import { listRuns, type RunHandle, start } from "../../lib/notebook/mod.ts";
import type { ReadyLine } from "../../lib/run/mod.ts";
import type { Result } from "../../lib/verdict/mod.ts";
import { survivors } from "../jobs/_bench.ts";
import { taskCall } from "../task_flags.ts";

const RUNS = 30;
/** A machine on which all begin at once only proves that it is slow. */
const STARTING_AT_ONCE = 3;
const TOGETHER_MS = 15_000;
/** With less memory left, no further run is started: without swap, somebody's process would be killed. */
const FREE_BYTES_MIN = 1.5e9;
/** The end is said by `stop`, long before; if this process is killed, they end by themselves. */
const LOAD = {
  rate: 50,
  duration: "20m",
  partitions: 2,
  sources: 20,
  timeScale: 6,
  batchDelay: "500ms",
  seed: 30,
} as const;

interface Processes {
  readonly pids: readonly number[];
  readonly ports: readonly number[];
}

async function processesOf({ path }: RunHandle): Promise<Processes> {
  const roles: Record<string, ReadyLine> = JSON.parse(
    await Deno.readTextFile(`${path}/roles.json`),
  );
  const control = JSON.parse(await Deno.readTextFile(`${path}/control.json`));
  const ready = Object.values(roles);
  const urls = ready.flatMap(({ url, adminUrl, metricsUrl }) => [url, adminUrl, metricsUrl])
    .filter((url) => url !== undefined);
  const ports = [control.url, ...urls].map((url: string) => Number(new URL(url).port));
  return { pids: [control.pid, ...ready.map(({ pid }) => pid)], ports: [...new Set(ports)] };
}

/** Memory that the processes take, what they share counted once; null where the system does not tell. */
function memoryBytes(pids: readonly number[]): number | null {
  try {
    return pids.reduce((sum, pid) => {
      const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
      return sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)![1]);
    }, 0);
  } catch {
    return null;
  }
}

/** CPU that the processes have used, seconds; null where the system does not tell. */
function cpuSeconds(pids: readonly number[]): number | null {
  try {
    return pids.reduce((sum, pid) => {
      const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
      return sum + (Number(fields[11]) + Number(fields[12])) / 100;
    }, 0);
  } catch {
    return null;
  }
}

/** Starts as many as were asked for, or as the machine's memory bears. */
async function startAll(count: number, runsFolder: string): Promise<RunHandle[]> {
  const runs: RunHandle[] = [];
  let asked = 0;
  const starter = async () => {
    while (asked < count && Deno.systemMemoryInfo().available > FREE_BYTES_MIN) {
      asked++;
      runs.push(await start("bench50k", { ...LOAD, runsFolder }));
      console.log(`${runs.length} of ${count} load`);
    }
  };
  await Promise.all(Array.from({ length: STARTING_AT_ONCE }, starter));
  return runs;
}

/** Each row and message where it belongs; lateness of a crowded machine is no fault of them. */
function assertWhole({ runId, verdict, reasons, messages, rows }: Result): void {
  const text = `${runId}: ${verdict}, ${reasons.join("; ")}`;
  assert.notEqual(verdict, "FAIL", text);
  if (verdict === "VOID") assert.match(reasons[0]!, /generator itself was late|clock/, text);
  const { lost, duplicated, acked, aggregated } = messages;
  const { missing, extra, wrong } = rows;
  assert.deepEqual({ lost, duplicated, missing, extra, wrong }, {
    lost: 0,
    duplicated: 0,
    missing: 0,
    extra: 0,
    wrong: 0,
  }, text);
  assert.ok(acked > 0 && acked === aggregated, text);
}

function assertApart(processes: readonly Processes[]): void {
  for (const what of ["ports", "pids"] as const) {
    const all = processes.flatMap((one) => one[what]);
    assert.equal(new Set(all).size, all.length, `two runs share ${what}`);
  }
}

async function prove(count: number, runsFolder: string): Promise<void> {
  const beganMs = systemClock.wallMs();
  const runs = await startAll(count, runsFolder);
  const startedMs = systemClock.wallMs() - beganMs;
  const processes = await Promise.all(runs.map(processesOf));
  assertApart(processes);
  const pids = processes.flatMap((one) => one.pids);
  const listed = await listRuns(runsFolder);
  assert.deepEqual(
    listed.map(({ id, state }) => `${id} ${state}`).sort(),
    runs.map(({ id }) => `${id} running`).sort(),
  );
  const before = cpuSeconds(pids);
  await systemClock.sleep(TOGETHER_MS);
  const after = cpuSeconds(pids);
  const memory = memoryBytes(pids);
  await Promise.all(runs.map((run) => run.stop()));
  const results = await Promise.all(runs.map((run) => run.result()));
  results.forEach(assertWhole);
  assert.ok((await listRuns(runsFolder)).every(({ state }) => state === "ended"));
  assert.deepEqual(await survivors(pids), [], "processes are left");
  const passed = results.filter(({ verdict }) => verdict === "PASS").length;
  const messages = results.reduce((sum, result) => sum + result.messages.acked, 0);
  const cores = before === null || after === null
    ? "unknown"
    : ((after - before) / (TOGETHER_MS / 1000)).toFixed(2);
  console.log(`
runs at once       ${runs.length} (${pids.length} processes, ${availableParallelism()} cores)
verdicts           ${passed} PASS, ${
    results.length - passed
  } VOID (the generator late); rows whole in all
messages           ${formatCount(messages)}, none lost or doubled
all started after  ${formatDurationMs(startedMs)}, ${STARTING_AT_ONCE} at a time
memory             ${memory === null ? "unknown" : formatBytes(memory)}, shared pages once
CPU while loading  ${cores} cores
until all judged   ${formatDurationMs(systemClock.wallMs() - beganMs)}`);
  assert.equal(runs.length, count, `the memory was enough for ${runs.length} runs only`);
}

/** Ends what a failed proof leaves: the roles of a runner end with it. */
async function abandonAll(runsFolder: string): Promise<void> {
  for (const { path } of await listRuns(runsFolder)) {
    try {
      const { pid } = JSON.parse(await Deno.readTextFile(`${path}/control.json`));
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

const { flags: { runs } } = taskCall({
  name: "thirty",
  help: `Thirty whole runs on one machine at once, as a workshop on one server has them.

  deno task thirty [--runs N]

  --runs N   fewer (default ${RUNS}); \`deno task thirty 8\` says the same
  --help`,
  table: { runs: { kind: "count", min: 1, default: String(RUNS), help: "" } },
}, Deno.args.map((arg, i) => i === 0 && !arg.startsWith("-") ? `--runs=${arg}` : arg));
const runsFolder = await Deno.makeTempDir({ prefix: "weir-thirty-" });
try {
  await prove(runs, runsFolder);
  await Deno.remove(runsFolder, { recursive: true });
} catch (error) {
  console.log(`FAILED: ${error instanceof Error ? error.message : error}\nsee ${runsFolder}`);
  await abandonAll(runsFolder);
  Deno.exit(1);
}
