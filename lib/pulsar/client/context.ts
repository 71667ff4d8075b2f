import type { Clock, Crc32c, Random } from "../../base/mod.ts";
import { deferred } from "./deferred.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import type { Lookup } from "./lookup.ts";
import { PulsarError } from "../wire/mod.ts";

/** What the producers and consumers of one client share. */
export interface ClientContext {
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly random: Random;
  readonly crc32c: Crc32c;
  readonly backoff: BackoffOptions;
  /** How long opening tries again after errors that may pass. */
  readonly openTimeoutMs: number;
  /** How long the answer to a request may take. */
  readonly requestTimeoutMs: number;
  /** What the client closes with itself. */
  readonly opened: Set<AsyncDisposable>;
  nextId(): number;
}

/**
 * Calls `attempt` until it succeeds, with growing delays between.
 *
 * @param deadlineMs milliseconds from now after which no new attempt is made; Infinity to go on until the signal says stop
 * @throws the last attempt's error when it is not retryable, nobody listens at the address (while there is a deadline), or the time is over;
 *   the signal's reason as soon as it is aborted, whatever the attempt comes to
 */
export async function retrying<T>(
  context: ClientContext,
  attempt: () => Promise<T>,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<T> {
  const backoff = new Backoff(context.clock, context.random, context.backoff);
  const startUs = context.clock.monoUs();
  for (;;) {
    options.signal.throwIfAborted();
    try {
      return await orAborted(attempt(), options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      const delayMs = backoff.nextMs();
      const elapsedMs = (context.clock.monoUs() - startUs) / 1000;
      const isLate = elapsedMs + delayMs > options.deadlineMs;
      if (isLate || !mayPass(error, options.deadlineMs === Infinity)) throw error;
      await context.clock.sleep(delayMs, options.signal);
    }
  }
}

/** What the promise comes to, or the signal's reason as soon as it is aborted. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = deferred<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    aborted.catch(() => {});
    promise.catch(() => {});
  }
}

function mayPass(error: unknown, wasOpen: boolean): boolean {
  if (!(error instanceof PulsarError) || !error.retryable) return false;
  // Whoever starts wants to hear at once that nothing listens there; who was connected waits for the broker to come back.
  return wasOpen || error.code !== "connection_refused";
}
