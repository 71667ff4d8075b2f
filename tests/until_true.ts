import { systemClock } from "../lib/base/mod.ts";

/** Patience with a process, a server or a disk: far beyond what a busy machine needs. */
const PATIENCE_MS = 60_000;

/**
 * Asks until the answer is yes. Each question takes a turn of the event loop, so nothing sleeps, and whoever waits for something that never
 * comes is told what it was.
 *
 * @param what for the error: "the topic is compacted"
 * @param ask of whatever is outside: a process, a server, a file
 * @throws when it does not come true in time
 */
export async function untilTrue(what: string, ask: () => Promise<boolean>): Promise<void> {
  const endUs = systemClock.monoUs() + PATIENCE_MS * 1000;
  while (!await ask()) {
    if (systemClock.monoUs() < endUs) continue;
    throw new Error(`Cannot wait on: after ${PATIENCE_MS / 1000} s it is not so that ${what}`);
  }
}
