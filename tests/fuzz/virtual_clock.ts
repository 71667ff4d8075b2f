import { setImmediate } from "node:timers";
import type { Clock, MonoUs, WallTimeMs } from "../../lib/base/mod.ts";

interface Timer {
  readonly dueUs: number;
  readonly order: number;
  readonly wake: () => void;
}

const TURNS = 3;

/** A clock that jumps to the next timer as soon as nothing else is going on: minutes of a client's life take milliseconds. */
export class VirtualClock implements Clock {
  #nowUs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  wallMs(): WallTimeMs {
    return 1_700_000_000_000 + this.#nowUs / 1000;
  }

  monoUs(): MonoUs {
    return this.#nowUs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#timers.delete(timer);
        reject(signal?.reason);
      };
      const timer = this.#at(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  every(intervalMs: number, action: () => void): () => void {
    let timer: Timer | undefined;
    const again = () => {
      timer = this.#at(intervalMs, () => {
        again();
        action();
      });
    };
    again();
    return () => void this.#timers.delete(timer!);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets time go on until the promise has settled.
   *
   * @returns false when it has not after `limitMs` or `stepsMax` timers, or nothing is left that could settle it
   */
  async run(
    promise: Promise<unknown>,
    options: { readonly limitMs: number; readonly stepsMax: number },
  ): Promise<boolean> {
    const { limitMs, stepsMax } = options;
    const untilUs = this.#nowUs + limitMs * 1000;
    let isSettled = false;
    const settled = () => void (isSettled = true);
    promise.then(settled, settled);
    for (let step = 0; step < stepsMax; step++) {
      for (let turn = 0; turn < TURNS && !isSettled; turn++) await turnOfTheLoop();
      if (isSettled) return true;
      const next = this.#next();
      if (next === undefined || next.dueUs > untilUs) return false;
      this.#timers.delete(next);
      this.#nowUs = Math.max(this.#nowUs, next.dueUs);
      next.wake();
    }
    return false;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      const isSooner = first === undefined || timer.dueUs < first.dueUs ||
        timer.dueUs === first.dueUs && timer.order < first.order;
      if (isSooner) first = timer;
    }
    return first;
  }

  #at(delayMs: number, wake: () => void): Timer {
    const timer = { dueUs: this.#nowUs + Math.max(delayMs, 0) * 1000, order: this.#order++, wake };
    this.#timers.add(timer);
    return timer;
  }
}

/** Lets every promise that is ready go on. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
