import process from "node:process";
import { systemClock } from "../base/mod.ts";
import { readControlAddress, type RunFolder } from "../run/mod.ts";
import type { Manifest } from "../scenarios/mod.ts";

/** Process id of a run's runner; undefined where the folder does not say it. */
async function runnerPidOf(folder: RunFolder): Promise<number | undefined> {
  const address = await readControlAddress(folder);
  if (address !== undefined) return address.pid;
  try {
    const manifest: Manifest = JSON.parse(await Deno.readTextFile(folder.file("manifest.json")));
    return manifest.runnerPid;
  } catch {
    return undefined;
  }
}

/** Whether the runner of a run is there; undefined where nobody knows. A busy machine may keep it from answering for seconds: that is no death. */
export async function isRunnerThere(folder: RunFolder): Promise<boolean | undefined> {
  const pid = await runnerPidOf(folder);
  if (pid === undefined) return undefined;
  try {
    // Signal 0 reaches nobody, and says whether somebody is there.
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether a run's runner is known to be gone: it has ended, or was killed. */
export async function hasDied(folder: RunFolder): Promise<boolean> {
  return await isRunnerThere(folder) === false;
}

/** A report that is not there so long after the verdict could not be drawn: its runner's log says why. */
const REPORT_WITHIN_MS = 60_000;

/** Whether a run is judged and its report drawn; one that could not be drawn takes nothing from the verdict. */
export async function isOver(folder: RunFolder): Promise<boolean> {
  const writtenMs = async (name: string) => {
    const file = await Deno.stat(folder.file(name)).catch(() => undefined);
    return file?.mtime?.getTime();
  };
  // Asked first: a runner that is gone draws nothing any more, and has drawn before.
  const isGone = await hasDied(folder);
  if (await writtenMs("report.html") !== undefined) return true;
  const judgedMs = await writtenMs("verdict.json");
  if (judgedMs === undefined) return false;
  return isGone || systemClock.wallMs() - judgedMs > REPORT_WITHIN_MS;
}
