import process from "node:process";
import { systemClock } from "../base/mod.ts";
import { readControlAddress, type RunFolder } from "../run/mod.ts";

/** Whether a run's runner was killed: it says where it can be steered, and is not there. */
export async function hasDied(folder: RunFolder): Promise<boolean> {
  const address = await readControlAddress(folder);
  if (address === undefined) return false;
  try {
    // Signal 0 reaches nobody, and says whether somebody is there.
    process.kill(address.pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** A report that is not there so long after the verdict could not be drawn: its runner's log says why. */
const REPORT_WITHIN_MS = 60_000;

/** Whether a run is judged and its report drawn; one that could not be drawn takes nothing from the verdict. */
export async function isOver(folder: RunFolder): Promise<boolean> {
  const writtenMs = async (name: string) => {
    const file = await Deno.stat(folder.file(name)).catch(() => undefined);
    return file?.mtime?.getTime();
  };
  if (await writtenMs("report.html") !== undefined) return true;
  const judgedMs = await writtenMs("verdict.json") ?? Infinity;
  return systemClock.wallMs() - judgedMs > REPORT_WITHIN_MS;
}
