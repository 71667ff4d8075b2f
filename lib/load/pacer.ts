import { assert } from "../base/mod.ts";
import { LatencyHistogram } from "../latency/mod.ts";
import type { Clock, MonoUs } from "../base/mod.ts";
import type { Schedule } from "./schedule.ts";

/** The longest tick: a message waits no longer for its turn. */
export const TICK_MS_MAX = 5;

/** How messages are paced. */
export interface PacerOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** The schedule's start on the monotonic clock; before now for a producer that goes on after a restart. */
  readonly startUs: MonoUs;
  /** The first message to send. What is due before now counts as held by the system: a restart is not the generator's lateness. */
  readonly nextIndex?: number;
  /** At most {@link TICK_MS_MAX}. */
  readonly tickMs?: number;
  /** Messages that one tick sends at most, so that receipts are handled between. */
  readonly tickMessagesMax?: number;
  /** A message is late by the generator's own making when it goes out so much after its instant though nothing held it. */
  readonly ownLatenessAllowedUs?: number;
}

/**
 * Sends messages up to, but without, message `until`. Called at every tick, also when nothing new is due.
 *
 * @returns the index of the next message that has not gone: less than `until` when the system holds back
 */
export type PacerTick = (until: number, elapsedUs: number) => number;

/** What the pacer saw; plain numbers. */
export interface PacerReport {
  readonly sentCount: number;
  /** Of them late by the generator's own making, beyond what is allowed. */
  readonly ownLateCount: number;
  /** `ownLateCount ÷ sentCount`, 0 to 1. */
  readonly ownLatenessShare: number;
  readonly ownLatenessUsMax: number;
  /** Messages that waited because the system held back. */
  readonly heldCount: number;
  /** Ticks at which the system took less than was due. */
  readonly heldTickCount: number;
  readonly tickCount: number;
  /** The longest time between two ticks. */
  readonly tickGapUsMax: number;
  /** How far the wall clock has moved against the monotonic one, ms. */
  readonly clockJumpMs: number;
}

/**
 * Sends what is due, tick by tick, on an open-loop schedule; there is no timer a message.
 *
 * It tells two kinds of lateness apart. When the system takes less than is due, these messages and those that fall due
 * until the backlog is gone are *held*: the system's lateness. Everything else that goes out late was late because this
 * process did not get to it: the generator's own, and grounds to void the run.
 */
export class Pacer {
  /** Lateness at sending, µs, of messages that nothing held. */
  readonly ownLateness = new LatencyHistogram();
  /** Lateness at sending, µs, of messages that the system held. */
  readonly heldLateness = new LatencyHistogram();
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #startUs: MonoUs;
  readonly #tickMs: number;
  readonly #tickMessagesMax: number;
  readonly #allowedUs: number;
  readonly #clockOffsetMs: number;
  #next: number;
  /** Messages before this index were held. */
  #heldUntil: number;
  #lastTickUs: MonoUs;
  #sentCount = 0;
  #ownLateCount = 0;
  #ownLatenessUsMax = 0;
  #heldCount = 0;
  #heldTickCount = 0;
  #tickCount = 0;
  #tickGapUsMax = 0;
  #clockJumpMs = 0;

  /** @throws {RangeError} when the tick is longer than {@link TICK_MS_MAX} */
  constructor(options: PacerOptions) {
    const { clock, tickMs = TICK_MS_MAX, nextIndex = 0 } = options;
    if (!(tickMs > 0) || tickMs > TICK_MS_MAX) {
      throw new RangeError(`Cannot pace: tickMs is ${tickMs}, expected at most ${TICK_MS_MAX}`);
    }
    this.#clock = clock;
    this.#schedule = options.schedule;
    this.#startUs = options.startUs;
    this.#tickMs = tickMs;
    this.#tickMessagesMax = options.tickMessagesMax ?? 50_000;
    this.#allowedUs = options.ownLatenessAllowedUs ?? 100_000;
    this.#next = nextIndex;
    // What is only just due may as well go with the first tick: it was not held.
    this.#heldUntil = this.#schedule.countAt(this.elapsedUs - tickMs * 1000);
    this.#lastTickUs = clock.monoUs();
    this.#clockOffsetMs = this.#offsetMs();
  }

  /** µs since the schedule's start: the instant for a change of the schedule made now. */
  get elapsedUs(): number {
    return this.#clock.monoUs() - this.#startUs;
  }

  /** Index of the next message to send. */
  get next(): number {
    return this.#next;
  }

  /** Whether every message of the schedule has gone. */
  get isFinished(): boolean {
    const { messageCount, stopIndex } = this.#schedule;
    if (this.#next < messageCount) return false;
    // A schedule that pauses to its end may still be steered, until it is stopped.
    return this.#next >= stopIndex || this.elapsedUs >= this.#schedule.durationUs;
  }

  /** Messages per second that the schedule asks for now. */
  targetRate(): number {
    return this.#schedule.rateAt(this.elapsedUs);
  }

  /** What was counted so far. */
  report(): PacerReport {
    return {
      sentCount: this.#sentCount,
      ownLateCount: this.#ownLateCount,
      ownLatenessShare: this.#sentCount === 0 ? 0 : this.#ownLateCount / this.#sentCount,
      ownLatenessUsMax: this.#ownLatenessUsMax,
      heldCount: this.#heldCount,
      heldTickCount: this.#heldTickCount,
      tickCount: this.#tickCount,
      tickGapUsMax: this.#tickGapUsMax,
      clockJumpMs: this.#clockJumpMs,
    };
  }

  /**
   * Ticks until every message has gone.
   *
   * @param options.signal ends it early, without an error: what has not gone by then stays
   * @param options.tick sends
   * @throws what `tick` throws
   */
  run({ signal, tick }: { readonly signal: AbortSignal; readonly tick: PacerTick }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopTicking = this.#clock.every(this.#tickMs, () => {
      try {
        if (!signal.aborted) this.tick(tick);
        if (signal.aborted || this.isFinished) resolve();
      } catch (error) {
        reject(error);
      }
    });
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    return promise.finally(stopTicking);
  }

  /** Has what is due now sent. */
  tick(send: PacerTick): void {
    this.#watchClocks();
    const elapsedUs = this.elapsedUs;
    const first = this.#next;
    const due = Math.max(first, this.#schedule.countAt(elapsedUs));
    const until = Math.min(due, first + this.#tickMessagesMax);
    const next = send(until, elapsedUs);
    assert(next >= first && next <= until, `a tick went to ${next} of ${first} to ${until}`);
    const wasCatchingUp = first < this.#heldUntil;
    this.#next = next;
    this.#record(first, next, elapsedUs);
    if (next < until) {
      this.#heldTickCount++;
      this.#heldUntil = due;
    } else if (wasCatchingUp && next < due) {
      // Still behind for the backlog that was held: what fell due meanwhile waits for the same reason.
      this.#heldUntil = due;
    }
  }

  #record(first: number, next: number, elapsedUs: number): void {
    if (next === first) return;
    this.#sentCount += next - first;
    const held = Math.max(0, Math.min(next, this.#heldUntil) - first);
    const ownFirst = first + held;
    // One value a tick, of the oldest message in it: no message is later than recorded.
    if (held > 0) {
      this.#heldCount += held;
      this.heldLateness.record(elapsedUs - this.#schedule.intendedUs(first), held);
    }
    if (ownFirst === next) return;
    const latenessUs = elapsedUs - this.#schedule.intendedUs(ownFirst);
    this.ownLateness.record(latenessUs, next - ownFirst);
    this.#ownLatenessUsMax = Math.max(this.#ownLatenessUsMax, latenessUs);
    const lateUntil = this.#schedule.countAt(elapsedUs - this.#allowedUs);
    this.#ownLateCount += Math.max(0, Math.min(next, lateUntil) - ownFirst);
  }

  #watchClocks(): void {
    const nowUs = this.#clock.monoUs();
    this.#tickCount++;
    this.#tickGapUsMax = Math.max(this.#tickGapUsMax, nowUs - this.#lastTickUs);
    this.#lastTickUs = nowUs;
    const jumpMs = Math.abs(this.#offsetMs() - this.#clockOffsetMs);
    this.#clockJumpMs = Math.max(this.#clockJumpMs, jumpMs);
  }

  #offsetMs(): number {
    return this.#clock.wallMs() - this.#clock.monoUs() / 1000;
  }
}
