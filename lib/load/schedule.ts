import { assert } from "../base/mod.ts";

/**
 * When each message should go out, whatever the system under test does (open loop).
 *
 * A segment accumulates messages along its rate, a straight line in time: A(t) = ∫ rate. Message `firstIndex + k` is
 * due where A(t) = phase + k. `phase` carries the broken message over a change of rate, so that a slider
 * moved a thousand times adds none.
 *
 *     rate ▲      ┌────────┐
 *          │    ╱ │        │          segments: ramp, constant, pause, constant
 *          │  ╱   │        │   ┌───   a later segment cuts the one before it; what it
 *          │╱     │        └───┘      cuts keeps its own numbers, so no past instant moves
 *          └──────────────────────► t
 */

/** A part of a plan. Rates are messages per second; equal rates are constant, others a ramp. */
export interface Stage {
  readonly durationMs: number;
  readonly rateFrom: number;
  readonly rateTo: number;
}

/** A piece of the schedule. Rates are messages per second, times µs since the schedule's start. */
export interface Segment {
  readonly startUs: number;
  /** As planned; null goes on for ever. A later segment may cut it. */
  readonly durationUs: number | null;
  readonly rateFrom: number;
  readonly rateTo: number;
  /** Index of the first message that is due in it. */
  readonly firstIndex: number;
  /** How much of a message, 0 to 1, must accumulate before the first is due. */
  readonly phase: number;
}

/** A live change as it is logged: with its first message index. */
export type ScheduleChange =
  | { readonly kind: "rate"; readonly segment: Segment }
  | { readonly kind: "stop"; readonly index: number };

/** A schedule as it is stored. */
export interface ScheduleJson {
  readonly segments: readonly Segment[];
  /** No message with this index or a higher one goes out. */
  readonly stopIndex: number | null;
}

/** Below this share of a message, an excess is rounding. */
const ROUNDING_MESSAGES = 1e-6;

const US_PER_SEC = 1e6;

function isConstant(segment: Segment): boolean {
  return segment.rateFrom === segment.rateTo || segment.durationUs === null;
}

/** Messages accumulated `sinceUs` after the segment's start. */
function accumulated(segment: Segment, sinceUs: number): number {
  if (isConstant(segment)) return (segment.rateFrom * sinceUs) / US_PER_SEC;
  const slope = (segment.rateTo - segment.rateFrom) / segment.durationUs!;
  return ((segment.rateFrom + (slope * sinceUs) / 2) * sinceUs) / US_PER_SEC;
}

/** When message `k` of a segment is due, µs since the schedule's start. */
function dueUs(segment: Segment, k: number): number {
  const scaled = (segment.phase + k) * US_PER_SEC;
  if (isConstant(segment)) return segment.startUs + scaled / segment.rateFrom;
  if (scaled === 0) return segment.startUs;
  // The root of A(t) = x in the form that does not cancel when the slope is small.
  const slope = (segment.rateTo - segment.rateFrom) / segment.durationUs!;
  const square = Math.max(0, segment.rateFrom * segment.rateFrom + 2 * slope * scaled);
  const sinceUs = (2 * scaled) / (segment.rateFrom + Math.sqrt(square));
  return segment.startUs + Math.min(sinceUs, segment.durationUs!);
}

/** One past the last message of a segment that nothing cuts. */
function uncutEnd(segment: Segment): number {
  if (segment.durationUs === null) return segment.rateFrom > 0 ? Infinity : segment.firstIndex;
  const total = accumulated(segment, segment.durationUs);
  return segment.firstIndex + Math.max(0, Math.ceil(total - segment.phase - ROUNDING_MESSAGES));
}

function followedBy(
  segment: Segment,
  stage: Omit<Segment, "startUs" | "firstIndex" | "phase">,
): Segment {
  assert(segment.durationUs !== null, "a segment without end is followed by a stage");
  const firstIndex = uncutEnd(segment);
  const used = accumulated(segment, segment.durationUs) - segment.phase;
  const phase = Math.max(0, firstIndex - segment.firstIndex - used);
  const snapped = phase < ROUNDING_MESSAGES ? 0 : phase;
  return { ...stage, startUs: segment.startUs + segment.durationUs, firstIndex, phase: snapped };
}

function assertRate(rate: number): void {
  if (!Number.isFinite(rate) || rate < 0) {
    throw new RangeError(`Cannot schedule rate ${rate}: expected messages per second, 0 or more`);
  }
}

/**
 * An open-loop schedule: which message is due when.
 *
 * A pure function of its segments, with the four basic operations and square root only, so each process that reads
 * them gets the same instants to the last bit.
 *
 * @example
 * ```ts
 * import { Schedule } from "./schedule.ts";
 * import assert from "node:assert/strict";
 * const schedule = Schedule.constant(50_000, 180_000);
 * assert.equal(schedule.messageCount, 9_000_000);
 * assert.equal(schedule.intendedUs(50_000), 1_000_000);
 * assert.equal(schedule.countAt(40), 3); // messages 0, 1 and 2 are due at 0, 20 and 40 µs
 * ```
 */
export class Schedule {
  readonly #segments: Segment[];
  #stopIndex: number;
  /** Where the last look-up ended: walking forward costs O(1) amortised. */
  #hint = 0;
  /** One past the last planned message, were there no stop. */
  #plannedEnd: number;

  private constructor(segments: readonly Segment[], stopIndex: number) {
    assert(segments.length > 0, "a schedule has no segment");
    this.#segments = [...segments];
    this.#stopIndex = stopIndex;
    this.#plannedEnd = uncutEnd(segments.at(-1)!);
  }

  /**
   * @param stages in order; at least one
   * @throws {RangeError} when a rate is negative or a duration is not positive
   */
  static ofStages(stages: readonly Stage[]): Schedule {
    const segments: Segment[] = [];
    for (const { durationMs, rateFrom, rateTo } of stages) {
      assertRate(rateFrom);
      assertRate(rateTo);
      if (!(durationMs > 0) || !Number.isFinite(durationMs)) {
        throw new RangeError(`Cannot schedule a stage of ${durationMs} ms: expected more than 0`);
      }
      const stage = { durationUs: durationMs * 1000, rateFrom, rateTo };
      const last = segments.at(-1);
      segments.push(
        last === undefined
          ? { ...stage, startUs: 0, firstIndex: 0, phase: 0 }
          : followedBy(last, stage),
      );
    }
    if (segments.length === 0) throw new RangeError("Cannot schedule no stages: expected one");
    return new Schedule(segments, Infinity);
  }

  /**
   * @param rate messages per second
   * @param durationMs how long; without it for ever
   */
  static constant(rate: number, durationMs?: number): Schedule {
    if (durationMs !== undefined) {
      return Schedule.ofStages([{ durationMs, rateFrom: rate, rateTo: rate }]);
    }
    assertRate(rate);
    const endless = { startUs: 0, durationUs: null, firstIndex: 0, phase: 0 };
    return new Schedule([{ ...endless, rateFrom: rate, rateTo: rate }], Infinity);
  }

  /** The schedule that {@link Schedule.toJSON} stored. */
  static fromJSON(json: ScheduleJson): Schedule {
    return new Schedule(json.segments, json.stopIndex ?? Infinity);
  }

  /** Everything that later instants depend on. */
  toJSON(): ScheduleJson {
    const stopIndex = this.#stopIndex === Infinity ? null : this.#stopIndex;
    return { segments: [...this.#segments], stopIndex };
  }

  /** How many messages the schedule holds, Infinity when it goes on for ever. */
  get messageCount(): number {
    return Math.min(this.#stopIndex, this.#plannedEnd);
  }

  /** No message with this index or a higher one goes out; Infinity unless it was stopped. */
  get stopIndex(): number {
    return this.#stopIndex;
  }

  /** When the last segment ends, µs since the start, Infinity when it goes on for ever. */
  get durationUs(): number {
    const last = this.#segments.at(-1)!;
    return last.durationUs === null ? Infinity : last.startUs + last.durationUs;
  }

  /** When message `index` should go out, µs since the start; Infinity when it is not planned. */
  intendedUs(index: number): number {
    if (index >= this.#stopIndex) return Infinity;
    const segment = this.#segmentOfIndex(index);
    if (index >= this.#endOf(this.#hint)) return Infinity;
    return dueUs(segment, index - segment.firstIndex);
  }

  /** How many messages should have gone out by `elapsedUs`, that instant included. */
  countAt(elapsedUs: number): number {
    if (elapsedUs < 0) return 0;
    return Math.min(this.#stopIndex, this.#countUnstopped(elapsedUs));
  }

  /** Messages per second at `elapsedUs`; 0 after the end. */
  rateAt(elapsedUs: number): number {
    if (elapsedUs < 0 || elapsedUs >= this.durationUs) return 0;
    const segment = this.#segments[this.#atTime(elapsedUs)]!;
    if (isConstant(segment)) return segment.rateFrom;
    const share = (elapsedUs - segment.startUs) / segment.durationUs!;
    return segment.rateFrom + (segment.rateTo - segment.rateFrom) * share;
  }

  /**
   * Goes on at a constant rate from `atUs` to the planned end, in place of what was planned from there.
   *
   * @param atUs not before the newest message that went out, or the ledger would contradict the schedule
   * @param rate messages per second, 0 to pause
   * @returns the change to log, with its first message index
   * @throws {RangeError} on a negative rate, or when `atUs` lies before an earlier change or after the end
   */
  setRate(atUs: number, rate: number): ScheduleChange {
    assertRate(rate);
    const endUs = this.durationUs;
    if (!(atUs >= 0) || atUs >= endUs) {
      throw new RangeError(`Cannot change the rate at ${atUs} µs: the schedule ends at ${endUs}`);
    }
    const cut = this.#segments[this.#atTime(atUs)]!;
    const firstIndex = this.#countUnstopped(atUs);
    const used = accumulated(cut, atUs - cut.startUs);
    const phase = Math.min(1, Math.max(0, firstIndex - cut.firstIndex + cut.phase - used));
    const durationUs = endUs === Infinity ? null : endUs - atUs;
    const segment = { startUs: atUs, durationUs, rateFrom: rate, rateTo: rate, firstIndex, phase };
    const change: ScheduleChange = { kind: "rate", segment };
    this.apply(change);
    return change;
  }

  /** Sends nothing from `atUs` on; see {@link Schedule.setRate}. */
  pause(atUs: number): ScheduleChange {
    return this.setRate(atUs, 0);
  }

  /** Goes on at the rate that held before the pause; see {@link Schedule.setRate}. */
  resume(atUs: number): ScheduleChange {
    for (let i = this.#atTime(atUs); i >= 0; i--) {
      const untilUs = this.#segments[i + 1]?.startUs ?? atUs;
      const rate = this.#rateAtEnd(this.#segments[i]!, untilUs);
      if (rate > 0) return this.setRate(atUs, rate);
    }
    throw new RangeError("Cannot resume: no rate held before; set one");
  }

  /**
   * Ends the schedule before message `index`.
   *
   * @returns the change to log
   */
  stopAt(index: number): ScheduleChange {
    const change: ScheduleChange = { kind: "stop", index: Math.min(index, this.messageCount) };
    this.apply(change);
    return change;
  }

  /** Repeats a logged change. */
  apply(change: ScheduleChange): void {
    if (change.kind === "stop") {
      this.#stopIndex = Math.min(this.#stopIndex, change.index);
      return;
    }
    const { segment } = change;
    while (this.#segments.length > 1 && this.#segments.at(-1)!.startUs > segment.startUs) {
      this.#segments.pop();
    }
    this.#segments.push(segment);
    this.#plannedEnd = uncutEnd(segment);
    this.#hint = 0;
  }

  #rateAtEnd(segment: Segment, untilUs: number): number {
    if (isConstant(segment)) return segment.rateFrom;
    const share = Math.min(1, (untilUs - segment.startUs) / segment.durationUs!);
    return segment.rateFrom + (segment.rateTo - segment.rateFrom) * share;
  }

  #countUnstopped(elapsedUs: number): number {
    const i = this.#atTime(elapsedUs);
    const segment = this.#segments[i]!;
    const end = this.#endOf(i);
    if (segment.rateFrom === 0 && segment.rateTo === 0) return segment.firstIndex;
    const planned = segment.durationUs ?? Infinity;
    const sinceUs = Math.min(elapsedUs - segment.startUs, planned);
    const estimate = segment.firstIndex +
      Math.floor(accumulated(segment, sinceUs) - segment.phase) + 1;
    let count = Math.min(end, Math.max(segment.firstIndex, estimate));
    // The estimate may be one off by rounding; the instants themselves decide.
    while (count < end && dueUs(segment, count - segment.firstIndex) <= elapsedUs) count++;
    while (
      count > segment.firstIndex && dueUs(segment, count - 1 - segment.firstIndex) > elapsedUs
    ) count--;
    return count;
  }

  /** One past the last message of segment `i`. */
  #endOf(i: number): number {
    return this.#segments[i + 1]?.firstIndex ?? this.#plannedEnd;
  }

  #segmentOfIndex(index: number): Segment {
    const segments = this.#segments;
    let i = this.#hint;
    if (segments[i]!.firstIndex > index) i = 0;
    while (i + 1 < segments.length && segments[i + 1]!.firstIndex <= index) i++;
    this.#hint = i;
    return segments[i]!;
  }

  /** The last segment that has begun at `elapsedUs`. */
  #atTime(elapsedUs: number): number {
    let i = this.#segments.length - 1;
    while (i > 0 && this.#segments[i]!.startUs > elapsedUs) i--;
    return i;
  }
}
