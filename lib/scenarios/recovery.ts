import type { Clock } from "../base/mod.ts";
import { METRIC, scrapeMetrics } from "../metrics/mod.ts";
import type { ReadyLine, Restart } from "../run/mod.ts";

/** The count that shows that a role does its work again. */
const WORK_METRIC: Readonly<Record<string, string>> = {
  produce: METRIC.messagesAcknowledged,
  broker: METRIC.messagesAcknowledged,
  aggregate: METRIC.messagesAggregated,
};

const POLL_INTERVAL_MS = 50;
const POLLS_MAX = 1200;
/** A role that does not work so long after it is ready again is not waited for any more. */
export const RECOVERY_WITHIN_MS = POLLS_MAX * POLL_INTERVAL_MS;

async function workOf(ready: ReadyLine | undefined, metric: string): Promise<number | undefined> {
  if (ready === undefined) return undefined;
  try {
    return (await scrapeMetrics(ready.metricsUrl)).values[metric];
  } catch {
    // It is not up again yet; the next poll asks again.
    return undefined;
  }
}

/**
 * Measures how long a role was away: from its death until its count of work moves on. A role without such a count has
 * recovered when it is ready.
 *
 * @param restart gets `recoveryMs`
 * @param readyOf who counts the work, asked each time
 * @param options.signal aborted when there is no more work by which it could show
 */
export async function awaitRecovery(
  restart: Restart,
  readyOf: () => ReadyLine | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const metric = WORK_METRIC[restart.role];
  if (metric === undefined) {
    restart.recoveryMs = restart.readyAfterMs;
    return;
  }
  const before = await workOf(readyOf(), metric) ?? 0;
  for (let poll = 0; poll < POLLS_MAX && !signal.aborted; poll++) {
    const work = await workOf(readyOf(), metric);
    if (work !== undefined && work > before) {
      restart.recoveryMs = clock.wallMs() - restart.atMs;
      return;
    }
    await clock.sleep(POLL_INTERVAL_MS, signal).catch(() => {/* the loop ends */});
  }
}
