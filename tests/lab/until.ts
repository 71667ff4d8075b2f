import { systemClock } from "../../lib/base/mod.ts";

const POLL_MS = 100;

/**
 * Waits for a state, not for a time: the machine may be busy.
 *
 * @param what for the error: "the chart is drawn"
 * @param probe anything but undefined, null and false ends the waiting
 * @throws when it does not come
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  withinMs = 60_000,
): Promise<Exclude<T, undefined | null | false>> {
  const endUs = systemClock.monoUs() + withinMs * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) {
      return found as Exclude<T, undefined | null | false>;
    }
    if (systemClock.monoUs() > endUs) {
      throw new Error(`Cannot wait on: after ${withinMs / 1000} s it is not so that ${what}`);
    }
    await systemClock.sleep(POLL_MS);
  }
}
