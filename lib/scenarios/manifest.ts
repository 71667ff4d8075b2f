import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { Restart } from "../run/mod.ts";
import type { BenchConfig } from "./config.ts";

/** On what a run ran. */
export interface Environment {
  readonly weir: string;
  readonly deno: string;
  readonly v8: string;
  readonly os: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** The project's commit, with `+` when files were changed; null where it is no checkout or there is no git. */
  readonly commit: string | null;
}

/** What the producer says of its own timing when it ends. */
export interface GeneratorReport {
  /** Wall ms of the schedule's start. */
  readonly startWallMs: number;
  /** Wall ms of the last receipt; null when none came. */
  readonly lastReceiptWallMs: number | null;
  /** Share of the messages that went out late because of this process alone, 0 to 1. */
  readonly ownLatenessShare: number;
  /** Longest lateness of its own making, µs. */
  readonly ownLatenessUsMax: number;
  /** How far the wall clock moved against the monotonic one, ms. */
  readonly clockJumpMs: number;
}

/** Why a run ended before its load was through. */
export interface EarlyEnd {
  readonly kind: "interrupted" | "role_failed" | "not_drained";
  readonly message: string;
  /** Code of the error where a role gave one, e.g. `disk_full`. */
  readonly code: string | null;
}

/** What a run was and how it went: `manifest.json`. Written when the run begins, and again when it ends. */
export interface Manifest {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly runId: string;
  readonly config: BenchConfig;
  readonly environment: Environment;
  /** By name and version, e.g. `embedded broker 0.1.0` or `Apache Pulsar 4.2.4`. */
  readonly systems: { readonly broker: string; readonly clickhouse: string };
  /** Process id of the runner, on the machine of the run; runs of before 0.2 lack it. */
  readonly runnerPid?: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** When the load was about to begin and when everything was drained: what CPU and memory are counted between. */
  readonly measuredFromMs: number | null;
  readonly measuredToMs: number | null;
  readonly restarts: readonly Restart[];
  readonly earlyEnd: EarlyEnd | null;
  readonly generator: GeneratorReport | null;
  /** Partitions whose end marker was reached and stored. */
  readonly drainedPartitions: readonly number[];
  /** Size of the ledger when the run had ended: one that is shorter was cut. Runs of before 0.2 lack it; null where there was none. */
  readonly ledgerBytes?: number | null;
  /** Whether `rows.jsonl` holds all rows of the run, or why not. */
  readonly rowsExported: true | string;
}

async function gitOutput(root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command("git", { args: ["-C", root, ...args], stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    // No git on this machine: the manifest says null.
    return undefined;
  }
}

/**
 * Describes this machine and this checkout.
 *
 * @param root the project's root
 * @param version of weir, as in deno.json
 */
export async function describeEnvironment(root: string, version: string): Promise<Environment> {
  const commit = await gitOutput(root, ["rev-parse", "--short=12", "HEAD"]);
  const changes = await gitOutput(root, ["status", "--porcelain", "--untracked-files=no"]);
  return {
    weir: version,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    os: `${Deno.build.os} ${release()} ${Deno.build.arch}`,
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    commit: commit === undefined ? null : commit + (changes === "" ? "" : "+"),
  };
}
