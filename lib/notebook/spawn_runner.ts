import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type process from "node:process";
import { ROOT } from "./root.ts";

/** Where a run goes that is about to start. */
export interface RunPlace {
  /** Of its folder, which is not there yet. */
  readonly path: string;
  readonly runId: string;
  /** File that takes what the runner says; it is there. */
  readonly log: string;
}

/** A runner that was started. */
export interface SpawnedRunner {
  readonly pid: number;
  readonly hasEnded: boolean;
}

/**
 * Whether a variable would change what a cell says, as a flag that is not given: `PULSAR_URL` in the shell that started the kernel must not make a
 * run with embedded parts one on that Pulsar. What is a secret, or a user's name, stays.
 */
export function changesRun(variable: string): boolean {
  return variable === "PULSAR_URL" || variable === "CLICKHOUSE_URL" || variable.startsWith("WEIR_");
}

function environment(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => !changesRun(name)));
}

/**
 * Starts the runner in a session of its own: no signal to the kernel, and no end of it, reaches the run. Its output goes to a file, because a pipe
 * would end with the kernel, and the run with it; `Deno.Command` knows pipes only.
 */
export function spawnRunner(
  { path, runId, log }: RunPlace,
  flags: readonly string[],
): SpawnedRunner {
  const output = openSync(log, "a");
  try {
    const child = spawn(Deno.execPath(), [
      "run",
      "--quiet",
      "--allow-all",
      `--config=${ROOT}/deno.json`,
      `${ROOT}/jobs/bench.ts`,
      ...flags,
      `--run-id=${runId}`,
      `--out=${path}`,
    ], {
      env: environment() as typeof process.env,
      stdio: ["ignore", output, output],
      detached: true,
      windowsHide: true,
    });
    child.unref();
    let hasEnded = false;
    child.once("exit", () => hasEnded = true);
    // One that cannot be started at all, e.g. for want of memory, says so here and never exits.
    child.once("error", () => hasEnded = true);
    return {
      pid: child.pid ?? 0,
      get hasEnded() {
        return hasEnded;
      },
    };
  } finally {
    closeSync(output);
  }
}
