import type { Clock, Random } from "../../base/mod.ts";

/** Bounds of the delay between attempts. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** As Pulsar's clients begin; the maximum is lower than their 60 s, because a broker that is back should be noticed. */
export const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 10_000 };

/** Delays that double from attempt to attempt, each shortened by up to a fifth, so that many clients do not come at once. */
export class Backoff {
  #delayMs: number;
  #sessionStartUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly options: BackoffOptions = DEFAULT_BACKOFF,
  ) {
    this.#delayMs = options.initialMs;
  }

  /** The next delay in ms. */
  nextMs(): number {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, this.options.maxMs);
    return delayMs * (1 - this.random.float() / 5);
  }

  /** Waits for the next delay. */
  async wait(signal?: AbortSignal): Promise<void> {
    await this.clock.sleep(this.nextMs(), signal);
  }

  /** Notes that a session with the broker begins. */
  sessionBegins(): void {
    this.#sessionStartUs = this.clock.monoUs();
  }

  /**
   * After a session: goes on at once if it was of use, else waits, so that a broker that takes and drops us in turn is not flooded.
   *
   * @param didWork whether the session got anything done
   */
  async afterSession(didWork: boolean, signal: AbortSignal): Promise<void> {
    const lastedMs = (this.clock.monoUs() - this.#sessionStartUs) / 1000;
    if (didWork || lastedMs >= this.options.maxMs) this.reset();
    else await this.wait(signal);
  }

  /** Begins again with the first delay. */
  reset(): void {
    this.#delayMs = this.options.initialMs;
  }
}
