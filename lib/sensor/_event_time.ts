import type { SensorPlan } from "./plan.ts";

/** Largest natural delay as a part of the out-of-orderness bound: the rest is room, so that no event is late by nature. */
const DELAY_SHARE = 0.4;

/** Event times of a plan. Times are ms since 1970, schedules µs since the start. */
export class EventTimes {
  readonly #startMs: number;
  readonly #eventMsPerUs: number;
  readonly #delayMaxMs: number;
  readonly #windowMs: number;
  readonly #lateBaseMs: number;
  readonly #closedAfterMs: number;
  readonly #firstWindowClosedMs: number;

  constructor(plan: Required<SensorPlan>) {
    const { startWallMs, timeScale, windowMs, outOfOrdernessMs, allowedLatenessMs } = plan;
    this.#startMs = startWallMs;
    this.#eventMsPerUs = timeScale / 1000;
    this.#delayMaxMs = DELAY_SHARE * outOfOrdernessMs;
    this.#windowMs = windowMs;
    this.#lateBaseMs = 1.5 * windowMs + 2 * outOfOrdernessMs + allowedLatenessMs;
    // A quarter of a window is left for consumers that move the watermark once per batch.
    this.#closedAfterMs = 1.25 * windowMs + allowedLatenessMs + outOfOrdernessMs +
      this.#delayMaxMs;
    this.#firstWindowClosedMs = (Math.floor(startWallMs / windowMs) + 1) * windowMs +
      allowedLatenessMs + outOfOrdernessMs + this.#delayMaxMs;
  }

  /** Event time of a message without delay. */
  base(intendedUs: number): number {
    return this.#startMs + Math.floor(intendedUs * this.#eventMsPerUs);
  }

  /**
   * Event time of a message that is not planted late: mostly a little, at most 0.4 of the bound behind its base.
   *
   * @param draw 32 random bits
   */
  onTime(intendedUs: number, draw: number): number {
    const part = draw / 4294967296;
    const square = part * part;
    return this.base(intendedUs) - Math.floor(this.#delayMaxMs * square * square);
  }

  /**
   * Event time of a message planted late, or NaN where its window may be open still.
   *
   * @param intendedUs of the message
   * @param draw 32 random bits
   * @param previousUs intended time of the last message of the partition that came on time, −Infinity before the first
   */
  late(intendedUs: number, draw: number, previousUs: number): number {
    const newestMs = this.#startMs + Math.floor(previousUs * this.#eventMsPerUs);
    if (!(newestMs >= this.#firstWindowClosedMs)) return NaN;
    const behindMs = this.#lateBaseMs + Math.floor((draw / 4294967296) * this.#windowMs);
    const eventTimeMs = Math.floor(this.base(intendedUs) - behindMs);
    return eventTimeMs + this.#closedAfterMs <= newestMs ? eventTimeMs : NaN;
  }
}
