import {
  formatDurationMs,
  systemClock,
  systemDisk,
  systemRandom,
  UsageError,
} from "../base/mod.ts";
import { newRunId, openRunFolder, type RunFolder } from "../run/mod.ts";
import { parseScenario, type RunOptions, type Scenario, scenarioFlags } from "../scenarios/mod.ts";
import { NotebookError } from "./errors.ts";
import { interruptible } from "./interruptible.ts";
import { ROOT } from "./root.ts";
import { RunHandle } from "./run_handle.ts";

/** What a run may be started with. */
export interface StartOptions extends RunOptions {
  /** Where runs are kept; `runs` in the project unless told. */
  readonly runsFolder?: string;
}

/** Scenarios that have a name of their own. */
export type ScenarioName = "bench50k";

/** The first run on a machine downloads ClickHouse; a part that does not come up ends the run by itself, long before. */
const STARTED_WITHIN_MS = 30 * 60_000;
const POLL_MS = 100;
const CLAIMS_MAX = 100;

interface Place {
  readonly path: string;
  readonly runId: string;
  readonly log: string;
}

/** A name that no other start has: of thirty in one second, two may draw the same number. */
function claimPlace(runs: string, name: string): Place {
  systemDisk.makeFolder(runs);
  for (let claim = 0; claim < CLAIMS_MAX; claim++) {
    const runId = newRunId(name, systemClock.wallMs(), systemRandom.uint32());
    const log = `${runs}/${runId}.log`;
    if (systemDisk.createNew(log)) return { path: `${runs}/${runId}`, runId, log };
  }
  throw new NotebookError(`Cannot start the run: no free name in ${JSON.stringify(runs)}`, {
    code: "not_started",
  });
}

async function lastWords(log: string): Promise<string> {
  const text = await Deno.readTextFile(log).catch(() => "");
  return text.trim().split("\n").at(-1) || "it ended without a word";
}

/** Waits until the run loads, or says why it does not. */
async function untilStarted(
  { path, log }: Place,
  child: Deno.ChildProcess,
  signal: AbortSignal,
): Promise<RunFolder> {
  let status: Deno.CommandStatus | undefined;
  void child.status.then((ended) => status = ended);
  for (let waitedMs = 0; waitedMs < STARTED_WITHIN_MS; waitedMs += POLL_MS) {
    await systemClock.sleep(POLL_MS, signal);
    try {
      const folder = await openRunFolder(path);
      if ((await Deno.readTextFile(folder.file("roles.json"))).includes('"produce"')) return folder;
    } catch {
      // Its folder is not complete yet.
    }
    if (status !== undefined) {
      const words = await lastWords(log);
      await Deno.remove(log);
      throw new NotebookError(`Cannot start the run: ${words.replace(/^[\w-]+: /, "")}`, {
        code: "not_started",
      });
    }
  }
  throw new NotebookError(
    `Cannot start the run: nothing is sent after ${formatDurationMs(STARTED_WITHIN_MS)}`,
    { code: "not_started", cure: `see ${log}` },
  );
}

/** Starts the runner in a session of its own: no signal to the kernel, and no end of it, reaches the run. */
function spawnRunner({ path, runId, log }: Place, flags: readonly string[]): Deno.ChildProcess {
  // Through a file, not a pipe: a pipe would end with the kernel, and the run with it.
  const output = `exec "$0" "$@" >"$WEIR_OUTPUT" 2>&1 </dev/null`;
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      output,
      Deno.execPath(),
      "run",
      "--quiet",
      "--allow-all",
      `--config=${ROOT}/deno.json`,
      `${ROOT}/jobs/bench.ts`,
      ...flags,
      `--run-id=${runId}`,
      `--out=${path}`,
    ],
    env: { WEIR_OUTPUT: log },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  return child;
}

/**
 * Starts a run in a process of its own, which neither stopping a cell nor ending the kernel touches. A run that nobody looks at ends by itself: when
 * its load is sent, or, where parts of it hang, about four minutes later.
 *
 * @param what `bench50k`, or a scenario of your own
 * @param options what differs from the defaults, or from the scenario
 * @returns once messages are about to be sent
 * @throws {UsageError} with every mistake in scenario or options
 * @throws {NotebookError} `not_started` with what the run said
 *
 * @example
 * ```ts ignore
 * const run = await weir.start("bench50k", { rate: 20_000, duration: "1m", timeScale: 60 });
 * const other = await weir.start({ name: "ramp", stages: [{ ramp: [0, 50_000], for: "1m" }] });
 * ```
 */
export async function start(
  what: ScenarioName | Scenario,
  options: StartOptions = {},
): Promise<RunHandle> {
  const { runsFolder = `${ROOT}/runs`, ...rest } = options;
  if (typeof what === "string" && what !== "bench50k") {
    throw new UsageError(
      `Cannot start ${
        JSON.stringify(what)
      }: expected "bench50k" or a scenario, e.g. { name: "mine", rate: 1000, duration: "30s" }`,
    );
  }
  const named: Scenario = typeof what === "string" ? { name: what } : what;
  const flags = scenarioFlags(parseScenario({ ...named, ...rest }));
  const place = claimPlace(runsFolder, named.name);
  const child = spawnRunner(place, flags);
  const folder = await interruptible((signal) => untilStarted(place, child, signal));
  await Deno.rename(place.log, folder.file("logs/runner.log"));
  return new RunHandle(folder);
}

/**
 * Finds a run again, by its folder or its id, e.g. after the kernel was started anew.
 *
 * @throws {RunError} `folder_missing`
 */
export async function attach(idOrPath: string): Promise<RunHandle> {
  const inProject = `${ROOT}/runs/${idOrPath}`;
  const folder = await openRunFolder(inProject).catch(() => openRunFolder(idOrPath));
  return new RunHandle(folder);
}
