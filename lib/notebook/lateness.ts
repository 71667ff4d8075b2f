import type { EventTimeMs } from "../base/mod.ts";
import type { Timeliness } from "../report/mod.ts";
import { Watermark, WindowSet } from "../stream/mod.ts";

/** What decides whether a message comes too late. All in event-time ms. */
export interface LatenessSettings {
  readonly windowMs: number;
  readonly outOfOrdernessMs: number;
  readonly allowedLatenessMs: number;
}

interface Partition {
  readonly watermark: Watermark;
  readonly windows: WindowSet;
}

/** Holds event times against the watermark of their partition, with the watermark and the windows of the aggregator itself. */
export class LatenessJudge {
  readonly #settings: LatenessSettings;
  readonly #partitions = new Map<number, Partition>();
  #messageCount = 0;
  #outOfOrderCount = 0;
  #lateCount = 0;
  #furthestBehindMs = 0;
  #closedCount = 0;
  #waitedMs = 0;

  constructor(settings: LatenessSettings) {
    this.#settings = settings;
  }

  /** Takes the next message of a partition in. */
  judge(partition: number, eventTimeMs: EventTimeMs): Timeliness {
    const { watermark, windows } = this.#partition(partition);
    const behindMs = watermark.maxEventTimeMs - eventTimeMs;
    this.#messageCount++;
    watermark.advance(eventTimeMs);
    const isLate = windows.at(eventTimeMs, watermark.currentMs) === undefined;
    for (const window of windows.takeClosed(watermark.currentMs)) {
      this.#closedCount++;
      this.#waitedMs += watermark.maxEventTimeMs - window.endMs;
      windows.release(window);
    }
    if (isLate) {
      this.#lateCount++;
      return "late";
    }
    if (behindMs <= 0) return "on time";
    this.#outOfOrderCount++;
    this.#furthestBehindMs = Math.max(this.#furthestBehindMs, behindMs);
    return "out of order";
  }

  /** The watermark of a partition; −Infinity before its first message. */
  watermarkMs(partition: number): EventTimeMs {
    return this.#partitions.get(partition)?.watermark.currentMs ?? -Infinity;
  }

  get messageCount(): number {
    return this.#messageCount;
  }

  /** Messages older than one before them in their partition, whose window was still open. */
  get outOfOrderCount(): number {
    return this.#outOfOrderCount;
  }

  /** Messages whose window was closed. */
  get lateCount(): number {
    return this.#lateCount;
  }

  /** How much older the oldest message was that still found its window open, event time. */
  get furthestBehindMs(): number {
    return this.#furthestBehindMs;
  }

  /** How long after its end a window was closed, event time; NaN when none was. */
  get closedAfterMsMean(): number {
    return this.#waitedMs / this.#closedCount;
  }

  #partition(partition: number): Partition {
    const known = this.#partitions.get(partition);
    if (known !== undefined) return known;
    const { windowMs, outOfOrdernessMs, allowedLatenessMs } = this.#settings;
    const made = {
      watermark: new Watermark(outOfOrdernessMs),
      windows: new WindowSet({
        windowSizeMs: windowMs,
        allowedLatenessMs,
        measureCount: 0,
        flagCount: 0,
      }),
    };
    this.#partitions.set(partition, made);
    return made;
  }
}
