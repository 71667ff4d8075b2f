import { assert } from "./errors.ts";

/** Milliseconds since 1970 taken from data. */
export type EventTimeMs = number & { readonly __unit?: "event ms" };
/** Milliseconds since 1970 of the host's clock. */
export type WallTimeMs = number & { readonly __unit?: "wall ms" };
/** Microseconds of a monotonic clock: only differences mean something. */
export type MonoUs = number & { readonly __unit?: "mono us" };

/** Time, passed in wherever it is used, so that tests and simulations own it. */
export interface Clock {
  /** The host's clock in ms since 1970, with fractions. */
  wallMs(): WallTimeMs;
  /** A monotonic clock in µs. */
  monoUs(): MonoUs;
  /**
   * Resolves after `delayMs` at the earliest.
   *
   * @throws the signal's reason when it is aborted before
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `action` every `intervalMs` until the result is called. */
  every(intervalMs: number, action: () => void): () => void;
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function every(intervalMs: number, action: () => void): () => void {
  const timer = setInterval(action, intervalMs);
  return () => clearInterval(timer);
}

/** Beyond this the wall clock was set, or drifted away, and is read anew; below it is its own coarseness. */
const WALL_TOLERANCE_MS = 2;

let wallOffsetMs = performance.timeOrigin;

/** The wall clock with the fractions of the monotonic one; a clock that is set or slewed is followed. */
function wallMs(): WallTimeMs {
  const monoMs = performance.now();
  const nowMs = Date.now();
  if (Math.abs(monoMs + wallOffsetMs - nowMs) > WALL_TOLERANCE_MS) wallOffsetMs = nowMs - monoMs;
  return monoMs + wallOffsetMs;
}

/** The clock of this host. */
export const systemClock: Clock = {
  wallMs,
  monoUs: () => performance.now() * 1000,
  sleep,
  every,
};

interface Waiter {
  dueUs: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until a test moves it.
 *
 * @example
 * ```ts
 * import { FakeClock } from "./clock.ts";
 * import assert from "node:assert/strict";
 * const clock = new FakeClock(1_000);
 * let woken = false;
 * const sleeping = clock.sleep(50).then(() => (woken = true));
 * await clock.advance(50);
 * await sleeping;
 * assert.equal(woken, true);
 * assert.equal(clock.wallMs(), 1_050);
 * ```
 */
export class FakeClock implements Clock {
  #nowUs = 0;
  #order = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(readonly startWallMs: WallTimeMs = 0) {}

  wallMs(): WallTimeMs {
    return this.startWallMs + this.#nowUs / 1000;
  }

  monoUs(): MonoUs {
    return this.#nowUs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#at(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  every(intervalMs: number, action: () => void): () => void {
    assert(intervalMs > 0, `an interval of ${intervalMs} ms would never let the clock go on`);
    let stopped = false;
    let cancel = () => {};
    const again = () => {
      cancel = this.#at(intervalMs, () => {
        action();
        if (!stopped) again();
      });
    };
    again();
    return () => {
      stopped = true;
      cancel();
    };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#waiters.size;
  }

  /** Moves time forward by `deltaMs`, waking what falls due in order, and lets promises settle. */
  async advance(deltaMs: number): Promise<void> {
    const untilUs = this.#nowUs + deltaMs * 1000;
    for (;;) {
      await settle();
      const next = this.#next(untilUs);
      if (next === undefined) break;
      this.#waiters.delete(next);
      this.#nowUs = Math.max(this.#nowUs, next.dueUs);
      next.wake();
    }
    this.#nowUs = untilUs;
    await settle();
  }

  #next(untilUs: number): Waiter | undefined {
    let best: Waiter | undefined;
    for (const waiter of this.#waiters) {
      if (waiter.dueUs > untilUs) continue;
      const sooner = best === undefined || waiter.dueUs < best.dueUs ||
        (waiter.dueUs === best.dueUs && waiter.order < best.order);
      if (sooner) best = waiter;
    }
    return best;
  }

  #at(delayMs: number, wake: () => void): () => void {
    const waiter = { dueUs: this.#nowUs + delayMs * 1000, order: this.#order++, wake };
    this.#waiters.add(waiter);
    return () => this.#waiters.delete(waiter);
  }
}

/** Lets every promise that is ready go on; a macrotask, because one promise may start a chain of others. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
