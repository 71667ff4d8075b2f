import { systemClock, systemDisk, systemRandom, UsageError } from "../base/mod.ts";
import { LiveDisplay } from "../report/mod.ts";
import { lastWordsOf, newRunId, openRunFolder, type RunFolder } from "../run/mod.ts";
import { parseScenario, type RunOptions, type Scenario, scenarioFlags } from "../scenarios/mod.ts";
import { NotebookError } from "./errors.ts";
import { interruptible } from "./interruptible.ts";
import { runsRoot } from "./root.ts";
import { RunHandle } from "./run_handle.ts";
import { type RunPlace, type SpawnedRunner, spawnRunner } from "./spawn_runner.ts";
import { untilStarted } from "./until_started.ts";

/** What a run may be started with. */
export interface StartOptions extends RunOptions {
  /** Where runs are kept; `runs` in the project, or what `WEIR_RUNS` names, unless told. */
  readonly runsFolder?: string;
}

/** Scenarios that have a name of their own. */
export type ScenarioName = "bench50k";

const CLAIMS_MAX = 100;

/** A name that no other start has: of thirty in one second, two may draw the same number. */
function claimPlace(runs: string, name: string): RunPlace {
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

/** What a runner said last, without the name that it begins its lines with. */
async function lastWords(log: string): Promise<string> {
  const text = await Deno.readTextFile(log).catch(() => "");
  return lastWordsOf(text.split("\n")).replace(/^[\w-]+: /, "");
}

/** @returns undefined as long as nothing is sent */
async function openStarted(path: string): Promise<RunFolder | undefined> {
  try {
    const folder = await openRunFolder(path);
    const roles = await Deno.readTextFile(folder.file("roles.json"));
    return roles.includes('"produce"') ? folder : undefined;
  } catch {
    // Its folder is not complete yet.
    return undefined;
  }
}

/** Waits for a run; of one that does not start, nothing stays behind. */
async function waitFor(
  { path, log, runId }: RunPlace,
  runner: SpawnedRunner,
  signal: AbortSignal,
): Promise<RunFolder> {
  const run = {
    runId,
    hasEnded: () => runner.hasEnded,
    words: () => lastWords(log),
    started: () => openStarted(path),
  };
  const display = new LiveDisplay(`weir-${runId}-start`);
  try {
    return await untilStarted(run, { clock: systemClock, display, signal });
  } catch (error) {
    if (runner.hasEnded) await Deno.remove(log);
    throw error;
  }
}

/**
 * Starts a run in a process of its own, which neither stopping a cell nor ending the kernel touches. A run that nobody looks at ends by itself: when
 * its load is sent, or, where parts of it hang, about four minutes later.
 *
 * Its parts are the embedded ones unless `pulsar` and `clickhouse` say otherwise: the variables that stand in for flags in a terminal (`PULSAR_URL`,
 * `CLICKHOUSE_URL`, `WEIR_…`) do not count here, so that a cell does what it says on every machine.
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
  const { runsFolder = runsRoot(), ...rest } = options;
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
  const runner = spawnRunner(place, flags);
  const folder = await interruptible((signal) => waitFor(place, runner, signal));
  await Deno.rename(place.log, folder.file("logs/runner.log"));
  return new RunHandle(folder);
}

/**
 * Finds a run again, by its folder or its id, e.g. after the kernel was started anew.
 *
 * @throws {RunError} `folder_missing`
 */
export async function attach(idOrPath: string): Promise<RunHandle> {
  const folder = await openRunFolder(`${runsRoot()}/${idOrPath}`).catch(() =>
    openRunFolder(idOrPath)
  );
  return new RunHandle(folder);
}
