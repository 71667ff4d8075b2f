import process from "node:process";
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
