import type { Clock } from "../../base/mod.ts";

/** One timer that can be asked for again and again: the earliest time asked for counts. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #dueMs = Infinity;
  #timer: AbortController | undefined;

  /** @param ring is called when it is time; it may ask again */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Rings in `delayMs` at the latest. */
  within(delayMs: number): void {
    const dueMs = this.#clock.monoUs() / 1000 + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.cancel();
    this.#dueMs = dueMs;
    const timer = this.#timer = new AbortController();
    this.#clock.sleep(Math.max(delayMs, 0), timer.signal).then(
      () => this.#fire(timer),
      // Cancelled.
      () => {},
    );
  }

  cancel(): void {
    this.#timer?.abort();
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }

  #fire(timer: AbortController): void {
    if (this.#timer !== timer) return;
    this.#timer = undefined;
    this.#dueMs = Infinity;
    this.#ring();
  }
}
