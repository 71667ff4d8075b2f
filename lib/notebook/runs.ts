import { readManifest } from "../scenarios/mod.ts";
import { formatCount, formatDurationMs, systemDisk } from "../base/mod.ts";
import { type Picture, show, tableOf } from "../report/mod.ts";
import { askStatus, openRunFolder, type RunFolder } from "../run/mod.ts";
import { isRunnerThere } from "./liveness.ts";
import { runsRoot } from "./root.ts";
import { readResult } from "./run_picture.ts";

/** Where a run stands: `died` is one that neither runs nor has a verdict. */
export type RunState = "running" | "ended" | "died";

/** One run in a list. */
export interface RunSummary {
  /** What `attach` takes. */
  readonly id: string;
  readonly path: string;
  readonly state: RunState;
  readonly verdict: "PASS" | "FAIL" | "VOID" | null;
  readonly startedAt: Date;
  /** Planned, wall seconds. */
  readonly durationSec: number;
  /** Acknowledged messages per second, of the whole run or of the last second. */
  readonly rateMessagesPerSec: number | null;
}

const STATUS_WITHIN_MS = 1000;

async function summaryOf(folder: RunFolder): Promise<RunSummary> {
  const manifest = await readManifest(folder);
  const common = {
    id: folder.id,
    path: folder.path,
    startedAt: new Date(manifest.startedAtMs),
    durationSec: manifest.config.load.durationMs / 1000,
  };
  try {
    const { verdict, rateMessagesPerSec } = await readResult(folder);
    return { ...common, state: "ended", verdict, rateMessagesPerSec };
  } catch {
    // It has no verdict yet, or never will.
  }
  const state = await isRunnerThere(folder) === true ? "running" : "died";
  let rateMessagesPerSec: number | null = null;
  if (state === "running") {
    try {
      rateMessagesPerSec = (await askStatus(folder, STATUS_WITHIN_MS)).rateMessagesPerSec;
    } catch {
      // It is being judged, or the machine is too busy to say how it stands.
    }
  }
  return { ...common, state, verdict: null, rateMessagesPerSec };
}

/**
 * All runs of a folder, the newest first.
 *
 * @param runsFolder `runs` in the project, or what `WEIR_RUNS` names, unless told
 */
export async function listRuns(runsFolder = runsRoot()): Promise<RunSummary[]> {
  const found = await Promise.all(
    systemDisk.list(runsFolder).map(async (name): Promise<RunSummary | undefined> => {
      try {
        return await summaryOf(await openRunFolder(`${runsFolder}/${name}`));
      } catch {
        // No run, or one that is only just beginning.
        return undefined;
      }
    }),
  );
  return found.filter((one) => one !== undefined)
    .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

/** Runs as a table. */
export function runsPicture(list: readonly RunSummary[]): Picture {
  return tableOf(list.map(({ id, state, verdict, startedAt, durationSec, rateMessagesPerSec }) => ({
    run: id,
    state,
    verdict: verdict ?? "–",
    started: startedAt.toISOString().slice(0, 19).replace("T", " "),
    planned: formatDurationMs(durationSec * 1000),
    "messages/s": rateMessagesPerSec === null ? "–" : formatCount(rateMessagesPerSec),
  })));
}

/**
 * Shows all runs of a folder, the newest first; {@link listRuns} gives them as data.
 *
 * @param runsFolder `runs` in the project unless told
 */
export async function runs(runsFolder?: string): Promise<void> {
  await show(runsPicture(await listRuns(runsFolder)));
}
