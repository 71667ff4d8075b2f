import { type EventTimeMs, parseDurationMs, systemClock, type WallTimeMs } from "../base/mod.ts";
import { END_MARKER_PROPERTY, type MessageBatch } from "../contract.ts";
import {
  chartPicture,
  drawEventTimes,
  type EventDot,
  LiveDisplay,
  type Picture,
  pngOf,
} from "../report/mod.ts";
import { openRunFolder, type RunFolder } from "../run/mod.ts";
import { type Manifest, readManifest } from "../scenarios/mod.ts";
import { createSensorProjection } from "../sensor/mod.ts";
import { interruptible } from "./interruptible.ts";
import { hasDied, isOver } from "./liveness.ts";
import { LatenessJudge, type LatenessSettings } from "./lateness.ts";
import { readTopic, type RunPath } from "./message_tap.ts";
import { Thinned } from "./thinned.ts";

const REDRAW_MS = 1000;
/** Dots of one kind in one partition, and points of a line; half as many where there were more. */
const DOTS_MAX = 200;
const POINTS_MAX = 200;
/** A partition with so many times fewer messages than the busiest is called quiet. */
const QUIET_FACTOR = 50;

/** What a run's messages were like, by one setting of watermark and lateness. */
export interface LatenessCounts {
  readonly messages: number;
  /** Older than one before them in their partition, with their window still open. */
  readonly outOfOrder: number;
  /** Their window was closed. */
  readonly late: number;
  /** How much older a message was at most and still found its window open, seconds of event time. */
  readonly furthestBehindSec: number;
  /** How long after its end a window was closed, seconds of event time; NaN when none was. */
  readonly closedAfterSecMean: number;
}

/** Another setting to try on the same messages; what is left out is as in the run. */
export interface LatenessTrial {
  /** E.g. `5s`. */
  readonly outOfOrderness?: string;
  readonly allowedLateness?: string;
  readonly window?: string;
}

/** The event times of a run, read from its topic beside the aggregator, in the order in which they came. */
export class EventTimes {
  readonly #settings: LatenessSettings;
  readonly #partitionCount: number;
  readonly #judge: LatenessJudge;
  readonly #partitions: number[] = [];
  readonly #eventTimesMs: EventTimeMs[] = [];
  readonly #dots = new Map<string, Thinned<EventDot>>();
  readonly #watermarks: readonly Thinned<readonly [atSec: number, windows: number]>[];
  #startMs: WallTimeMs | undefined;
  #firstWindowMs: EventTimeMs = 0;
  #spanSec = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(settings: LatenessSettings, partitionCount: number) {
    this.#settings = settings;
    this.#partitionCount = partitionCount;
    this.#judge = new LatenessJudge(settings);
    this.#watermarks = Array.from({ length: partitionCount }, () => new Thinned(POINTS_MAX));
  }

  /**
   * Takes the next message in.
   *
   * @param atMs when it came into the topic
   */
  add(partition: number, eventTimeMs: EventTimeMs, atMs: WallTimeMs): void {
    const { windowMs } = this.#settings;
    if (this.#startMs === undefined) {
      this.#startMs = atMs;
      this.#firstWindowMs = Math.floor(eventTimeMs / windowMs) * windowMs;
    }
    const timeliness = this.#judge.judge(partition, eventTimeMs);
    this.#partitions.push(partition);
    this.#eventTimesMs.push(eventTimeMs);
    const atSec = (atMs - this.#startMs) / 1000;
    this.#spanSec = Math.max(this.#spanSec, atSec);
    this.#dotsOf(`${partition} ${timeliness}`).add([
      atSec,
      this.#windowsAt(eventTimeMs),
      timeliness,
    ]);
    const watermarkMs = this.#judge.watermarkMs(partition);
    this.#watermarks[partition]!.add([atSec, this.#windowsAt(watermarkMs)]);
  }

  /** What the messages were like, by the run's own settings; waits until all have come. */
  async counts(): Promise<LatenessCounts> {
    await this.complete();
    return countsOf(this.#judge);
  }

  /**
   * What the same messages would have been like by another setting; waits until all have come.
   *
   * @throws {RangeError} for a duration that cannot be read
   *
   * @example
   * ```ts ignore
   * const strict = await times.replay({ outOfOrderness: "0s" });
   * console.log(strict.late);
   * ```
   */
  async replay(
    { outOfOrderness, allowedLateness, window }: LatenessTrial,
  ): Promise<LatenessCounts> {
    await this.complete();
    const settings = this.#settings;
    const msOf = (text: string | undefined, otherwiseMs: number) =>
      text === undefined ? otherwiseMs : parseDurationMs(text);
    const judge = new LatenessJudge({
      windowMs: msOf(window, settings.windowMs),
      outOfOrdernessMs: msOf(outOfOrderness, settings.outOfOrdernessMs),
      allowedLatenessMs: msOf(allowedLateness, settings.allowedLatenessMs),
    });
    this.#eventTimesMs.forEach((eventTimeMs, i) => judge.judge(this.#partitions[i]!, eventTimeMs));
    return countsOf(judge);
  }

  /** Resolves when the last message has come and the picture is complete; Stop ends the waiting. */
  async complete(): Promise<void> {
    await interruptible((signal) => {
      const stopped = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      return Promise.race([this.#reading, stopped]);
    });
  }

  /** Reads and draws in the background until the run has sent its last message. */
  begin(run: RunPath, folder: RunFolder, display: LiveDisplay): void {
    const done = new AbortController();
    const reading = this.#read(run, done).finally(() => done.abort());
    this.#reading = Promise.all([reading, this.#grow(folder, display, done)]).then(() => {});
    this.#reading.catch(() => {/* whoever waits for it sees it */});
  }

  /**
   * The picture so far.
   *
   * @param options.withPng for places that show no SVG; it takes as long again
   */
  async picture({ withPng = true }: { readonly withPng?: boolean } = {}): Promise<Picture> {
    const { windowMs, outOfOrdernessMs } = this.#settings;
    const title = "Event time over wall time";
    const subtitle =
      `each dot is a message; the watermark stays ${outOfOrdernessMs / 1000} s of event ` +
      "time behind the newest; each grid line ends a window";
    const description =
      "Each message by when it came and by its event time; the watermarks of the partitions as lines.";
    const svg = drawEventTimes({
      id: "event-time",
      title,
      description,
      windowsName: `windows of ${windowMs / 1000} s`,
      dots: [...this.#dots.values()].flatMap(({ items }) => items),
      watermarks: this.#lines(),
      spanSec: this.#spanSec,
    }, { theme: "light", withTitle: true, subtitle });
    const text = `${title}: ${description}`;
    if (!withPng) return chartPicture(svg, text);
    return chartPicture(svg, text, await pngOf(svg) as Uint8Array<ArrayBuffer>);
  }

  async #read(run: RunPath, done: AbortController): Promise<void> {
    const ended = new Set<number>();
    const projection = createSensorProjection();
    await readTopic(run, {
      signal: done.signal,
      batch: (batch) => {
        if (batch.properties[END_MARKER_PROPERTY] === undefined) this.#take(batch, projection);
        else ended.add(batch.partition);
        if (ended.size === this.#partitionCount) done.abort();
      },
    });
  }

  #take(batch: MessageBatch, projection: ReturnType<typeof createSensorProjection>): void {
    const { bytes, bounds, messageCount, partition, publishTimeMs } = batch;
    for (let i = 0; i < messageCount; i++) {
      projection.read(bytes, bounds[2 * i]!, bounds[2 * i + 1]!);
      this.add(partition, projection.eventTimeMs, publishTimeMs);
    }
  }

  /** Draws once a second; ends with the reading, or with a run that ended without its end markers. */
  async #grow(folder: RunFolder, display: LiveDisplay, done: AbortController): Promise<void> {
    while (!done.signal.aborted) {
      await systemClock.sleep(REDRAW_MS, done.signal).catch(() => {/* drawn once more */});
      if (await isOver(folder) || await hasDied(folder)) done.abort();
      await display.update(await this.picture({ withPng: done.signal.aborted }));
    }
  }

  #windowsAt(eventTimeMs: EventTimeMs): number {
    return (eventTimeMs - this.#firstWindowMs) / this.#settings.windowMs;
  }

  #dotsOf(key: string): Thinned<EventDot> {
    const known = this.#dots.get(key) ?? new Thinned(DOTS_MAX);
    this.#dots.set(key, known);
    return known;
  }

  /** The quietest partition has a line of its own colour: its watermark is the one that stands still. */
  #lines() {
    const counts = this.#watermarks.map(({ count }) => count);
    const busiest = Math.max(...counts);
    const quietest = counts.indexOf(Math.min(...counts));
    const isQuiet = (partition: number) =>
      partition === quietest && counts[partition]! * QUIET_FACTOR < busiest;
    return this.#watermarks.map(({ items }, partition) => ({
      name: isQuiet(partition) ? `watermark of quiet partition ${partition}` : "watermarks",
      tone: isQuiet(partition) ? "broker" as const : "ink" as const,
      // It stands where it is until now.
      points: items.length === 0
        ? []
        : [...items, [this.#spanSec, this.#windowsAt(this.#judge.watermarkMs(partition))] as const],
    }));
  }
}

function countsOf(judge: LatenessJudge): LatenessCounts {
  return {
    messages: judge.messageCount,
    outOfOrder: judge.outOfOrderCount,
    late: judge.lateCount,
    furthestBehindSec: judge.furthestBehindMs / 1000,
    closedAfterSecMean: judge.closedAfterMsMean / 1000,
  };
}

function settingsOf({ config }: Manifest): LatenessSettings {
  const { windowMs, outOfOrdernessMs, allowedLatenessMs } = config.window;
  return { windowMs, outOfOrdernessMs, allowedLatenessMs };
}

/**
 * Draws the event time of each message of a run over the time at which it came, with the watermarks, and returns at once; the picture grows while
 * later cells run, until the run has sent its last message.
 *
 * @example
 * ```ts ignore
 * const run = await weir.start("bench50k", { rate: 500, duration: "20s", timeScale: 60 });
 * const times = await weir.watchEventTimes(run);
 * console.log(await times.counts());
 * ```
 */
export async function watchEventTimes(run: RunPath): Promise<EventTimes> {
  const folder = await openRunFolder(run.path);
  const manifest = await readManifest(folder);
  const times = new EventTimes(settingsOf(manifest), manifest.config.partitionCount);
  const display = new LiveDisplay(`weir-${folder.id}-event-time-${crypto.randomUUID()}`);
  await display.update(await times.picture());
  times.begin(run, folder, display);
  return times;
}
