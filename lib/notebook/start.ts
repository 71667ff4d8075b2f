import { formatDurationMs, parseDurationMs, systemClock, systemRandom } from "../base/mod.ts";
import { newRunId, openRunFolder, type RunFolder } from "../run/mod.ts";
import { NotebookError } from "./errors.ts";
import { RunHandle } from "./run_handle.ts";

/** What a run of bench50k may be started with; everything else has the default of `deno task bench50k --help`. */
export interface StartOptions {
  /** Messages a second. */
  readonly rate?: number;
  /** How long to send, with its unit: `20s`, `3m`. */
  readonly duration?: string;
  readonly sources?: number;
  readonly partitions?: number;
  readonly aggregators?: number;
  readonly seed?: number;
  /** Seconds of event time a second: at 60 a window of a minute closes every second. */
  readonly timeScale?: number;
  /** Share of messages planted too late, 0 to 1. */
  readonly lateShare?: number;
  /** Share of messages planted twice, 0 to 1. */
  readonly duplicateShare?: number;
  /** `embedded`, or `pulsar://host:6650`. */
  readonly pulsar?: string;
  /** `embedded`, or `http://host:8123`. */
  readonly clickhouse?: string;
  /** What must hold for PASS, e.g. `windowVisible.p99<1s`. */
  readonly thresholds?: readonly string[];
  /** Where runs are kept; `runs` in the project unless told. */
  readonly runsFolder?: string;
}

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const STARTED_WITHIN_MS = 90_000;
const POLL_MS = 100;

function flagsOf(options: StartOptions): string[] {
  const {
    thresholds = [],
    runsFolder: _runsFolder,
    timeScale,
    lateShare,
    duplicateShare,
    ...rest
  } = options;
  const named = {
    ...rest,
    "time-scale": timeScale,
    "late-share": lateShare,
    "duplicate-share": duplicateShare,
  };
  const flags = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`]
  );
  return [...flags, ...thresholds.map((text) => `--threshold=${text}`)];
}

/** Waits until the run loads, or says why it does not. */
async function untilStarted(
  path: string,
  child: Deno.ChildProcess,
  log: string,
): Promise<RunFolder> {
  let status: Deno.CommandStatus | undefined;
  void child.status.then((ended) => status = ended);
  for (let waitedMs = 0; waitedMs < STARTED_WITHIN_MS; waitedMs += POLL_MS) {
    await systemClock.sleep(POLL_MS);
    try {
      const folder = await openRunFolder(path);
      if ((await Deno.readTextFile(folder.file("roles.json"))).includes('"produce"')) return folder;
    } catch (error) {
      if (status !== undefined) {
        const words = (await Deno.readTextFile(log)).trim().split("\n").at(-1);
        throw new NotebookError(`Cannot start the run: ${words}`, {
          code: "not_started",
          cause: error,
        });
      }
    }
  }
  throw new NotebookError(
    `Cannot start the run: nothing is sent after ${formatDurationMs(STARTED_WITHIN_MS)}`,
    { code: "not_started", cure: `see ${log}` },
  );
}

/**
 * Starts a run of bench50k in a process of its own, which neither stopping a cell nor ending the kernel touches.
 *
 * @param name which scenario
 * @param options what differs from its defaults
 * @returns once messages are about to be sent
 * @throws {NotebookError} `not_started` with what the run said
 */
export async function start(name: "bench50k", options: StartOptions = {}): Promise<RunHandle> {
  if (options.duration !== undefined) parseDurationMs(options.duration);
  const runId = newRunId(name, systemClock.wallMs(), systemRandom.uint32());
  const runs = options.runsFolder ?? `${ROOT}/runs`;
  await Deno.mkdir(runs, { recursive: true });
  const path = `${runs}/${runId}`;
  const log = `${runs}/${runId}.log`;
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
      ...flagsOf(options),
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
  const folder = await untilStarted(path, child, log);
  await Deno.rename(log, folder.file("logs/runner.log"));
  return new RunHandle(folder);
}

/**
 * Finds a run again, by its folder or its id.
 *
 * @throws {RunError} `folder_missing`
 */
export async function attach(path: string): Promise<RunHandle> {
  const inProject = `${ROOT}/runs/${path}`;
  const folder = await openRunFolder(inProject).catch(() => openRunFolder(path));
  return new RunHandle(folder);
}
