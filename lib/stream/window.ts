import type { EventTimeMs } from "../base/mod.ts";
import { identityHigh, identityLow } from "../base/mod.ts";
import type { Projection } from "../contract.ts";
import type { ByteReader } from "./_byte_reader.ts";
import type { ByteWriter } from "./_byte_writer.ts";

/** What fixes the windows and the accumulators in them. */
export interface WindowShape {
  /** Length of a window in event time. Windows are aligned to 1970. */
  readonly windowSizeMs: number;
  /** How long after its end, in event time, a window still takes messages. */
  readonly allowedLatenessMs: number;
  readonly measureCount: number;
  readonly flagCount: number;
}

/**
 * Cells of one source, float64 but for the identity sum, whose cell holds two uint32:
 *
 *     count · first, last event time · min, max sequence · identity low|high · (sum, min, max) a measure · a flag each · missing values a measure
 */
const COUNT = 0;
const FIRST_EVENT_TIME = 1;
const LAST_EVENT_TIME = 2;
const MIN_SEQUENCE = 3;
const MAX_SEQUENCE = 4;
const IDENTITY = 5;
const MEASURES = 6;
const CELLS_PER_MEASURE = 3;

/** One measure over the messages that had it. */
export interface MeasureTotals {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * A window of one partition that still takes messages: an accumulator per source.
 *
 * All cells of a source lie side by side, so that a message touches three or four cache lines and not one per column; nothing is allocated per message.
 */
export class OpenWindow {
  startMs: EventTimeMs = 0;
  endMs: EventTimeMs = 0;
  /** The watermark at which it closes: its end plus the allowed lateness. */
  closesAtMs: EventTimeMs = 0;
  readonly #measureCount: number;
  readonly #flagCount: number;
  readonly #flagsAt: number;
  readonly #missingAt: number;
  readonly #stride: number;
  #capacity = 0;
  #cells = new Float64Array(0);
  /** The same memory in halves, for the identity sums. */
  #halves = new Uint32Array(0);

  constructor(shape: WindowShape) {
    this.#measureCount = shape.measureCount;
    this.#flagCount = shape.flagCount;
    this.#flagsAt = MEASURES + CELLS_PER_MEASURE * shape.measureCount;
    this.#missingAt = this.#flagsAt + shape.flagCount;
    this.#stride = this.#missingAt + shape.measureCount;
  }

  /** Begins anew, empty, for the window that starts at `startMs`. */
  reset(startMs: EventTimeMs, shape: WindowShape): void {
    this.startMs = startMs;
    this.endMs = startMs + shape.windowSizeMs;
    this.closesAtMs = this.endMs + shape.allowedLatenessMs;
    this.#cells.fill(0);
  }

  /**
   * Adds the message that the projection holds.
   *
   * @param projection the message's values; a measure that is NaN has none
   */
  add(projection: Projection): void {
    const slot = projection.sourceSlot;
    if (slot >= this.#capacity) this.#grow(slot, projection.sourceCount);
    const cells = this.#cells;
    const base = slot * this.#stride;
    if (cells[base] === 0) this.#begin(base);
    cells[base]!++;
    const eventTimeMs = projection.eventTimeMs;
    if (eventTimeMs < cells[base + FIRST_EVENT_TIME]!) cells[base + FIRST_EVENT_TIME] = eventTimeMs;
    if (eventTimeMs > cells[base + LAST_EVENT_TIME]!) cells[base + LAST_EVENT_TIME] = eventTimeMs;
    const sequence = projection.sequence;
    if (sequence < cells[base + MIN_SEQUENCE]!) cells[base + MIN_SEQUENCE] = sequence;
    if (sequence > cells[base + MAX_SEQUENCE]!) cells[base + MAX_SEQUENCE] = sequence;
    this.#addMeasures(base, projection.measures);
    const flags = projection.flags;
    const flagsAt = base + this.#flagsAt;
    for (let i = 0; i < this.#flagCount; i++) cells[flagsAt + i]! += flags[i]!;
    // Worked out here and not passed in: numbers above 2^30 that cross a call are put on the heap, which took 18 ns a message.
    const hash = projection.sourceHash(slot);
    const low = identityLow(hash, sequence);
    const high = identityHigh(hash, sequence);
    const halves = this.#halves;
    const identityAt = 2 * (base + IDENTITY);
    const sumLow = (halves[identityAt]! + low) >>> 0;
    halves[identityAt] = sumLow;
    // A sum that wrapped is smaller than what was added: that is the carry.
    halves[identityAt + 1]! += high + (sumLow < low ? 1 : 0);
  }

  has(slot: number): boolean {
    return this.countOf(slot) > 0;
  }

  countOf(slot: number): number {
    return slot < this.#capacity ? this.#cells[slot * this.#stride + COUNT]! : 0;
  }

  firstEventTimeMs(slot: number): EventTimeMs {
    return this.#cells[slot * this.#stride + FIRST_EVENT_TIME]!;
  }

  lastEventTimeMs(slot: number): EventTimeMs {
    return this.#cells[slot * this.#stride + LAST_EVENT_TIME]!;
  }

  minSequence(slot: number): number {
    return this.#cells[slot * this.#stride + MIN_SEQUENCE]!;
  }

  maxSequence(slot: number): number {
    return this.#cells[slot * this.#stride + MAX_SEQUENCE]!;
  }

  measureTotals(slot: number, measure: number): MeasureTotals {
    const base = slot * this.#stride;
    const at = base + MEASURES + CELLS_PER_MEASURE * measure;
    const [sum, min, max] = this.#cells.subarray(at, at + CELLS_PER_MEASURE);
    const missing = this.#cells[base + this.#missingAt + measure]!;
    return { count: this.countOf(slot) - missing, sum: sum!, min: min!, max: max! };
  }

  flagCount(slot: number, flag: number): number {
    return this.#cells[slot * this.#stride + this.#flagsAt + flag]!;
  }

  identityLow(slot: number): number {
    return this.#halves[2 * (slot * this.#stride + IDENTITY)]!;
  }

  identityHigh(slot: number): number {
    return this.#halves[2 * (slot * this.#stride + IDENTITY) + 1]!;
  }

  /** Numbers of the sources that have messages in it, ascending. */
  slots(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#capacity; slot++) if (this.has(slot)) slots.push(slot);
    return slots;
  }

  write(writer: ByteWriter): void {
    const slots = this.slots();
    writer.float64(this.startMs);
    writer.varint(slots.length);
    for (const slot of slots) {
      writer.varint(slot);
      writer.uint32s(this.#halves, 2 * slot * this.#stride, 2 * this.#stride);
    }
  }

  /** Fills it from what {@link write} wrote. */
  read(reader: ByteReader, shape: WindowShape, sourceCount: number): void {
    this.reset(reader.float64(), shape);
    const present = reader.count(8 * this.#stride);
    for (let i = 0; i < present; i++) {
      const slot = reader.varint();
      if (slot >= sourceCount) throw reader.corrupt(`source ${slot} is unknown`);
      if (slot >= this.#capacity) this.#grow(slot, sourceCount);
      reader.uint32s(this.#halves, 2 * slot * this.#stride, 2 * this.#stride);
    }
  }

  #addMeasures(base: number, measures: Float64Array): void {
    const cells = this.#cells;
    let at = base + MEASURES;
    for (let i = 0; i < this.#measureCount; i++, at += CELLS_PER_MEASURE) {
      const value = measures[i]!;
      if (value !== value) {
        cells[base + this.#missingAt + i]!++;
        continue;
      }
      cells[at]! += value;
      if (value < cells[at + 1]!) cells[at + 1] = value;
      if (value > cells[at + 2]!) cells[at + 2] = value;
    }
  }

  /** Sets the minima and maxima of a source that has its first message. */
  #begin(base: number): void {
    const cells = this.#cells;
    cells[base + FIRST_EVENT_TIME] = Infinity;
    cells[base + LAST_EVENT_TIME] = -Infinity;
    cells[base + MIN_SEQUENCE] = Infinity;
    cells[base + MAX_SEQUENCE] = -Infinity;
    for (let i = 0; i < this.#measureCount; i++) {
      cells[base + MEASURES + CELLS_PER_MEASURE * i + 1] = Infinity;
      cells[base + MEASURES + CELLS_PER_MEASURE * i + 2] = -Infinity;
    }
  }

  #grow(slot: number, sourceCount: number): void {
    const capacity = Math.max(16, slot + 1, sourceCount, this.#capacity * 2);
    const cells = new Float64Array(capacity * this.#stride);
    // As bytes: a float64 that holds two halves may be a NaN, and copying one as a number may change its bits.
    this.#halves = new Uint32Array(cells.buffer);
    this.#halves.set(new Uint32Array(this.#cells.buffer));
    this.#cells = cells;
    this.#capacity = capacity;
  }
}

/** The start of the window that an event time lies in. */
export function windowStartOf(eventTimeMs: EventTimeMs, windowSizeMs: number): EventTimeMs {
  return Math.floor(eventTimeMs / windowSizeMs) * windowSizeMs;
}

/**
 * The open windows of one partition: tumbling, aligned to 1970. A window closes once, when the watermark reaches its end plus the
 * allowed lateness.
 *
 * @example
 * ```ts
 * import { WindowSet } from "./window.ts";
 * import assert from "node:assert/strict";
 * const windows = new WindowSet({ windowSizeMs: 60_000, allowedLatenessMs: 0, measureCount: 0, flagCount: 0 });
 * assert.equal(windows.at(61_000, 50_000)?.startMs, 60_000);
 * assert.equal(windows.at(59_000, 60_000), undefined);
 * ```
 */
export class WindowSet {
  readonly shape: WindowShape;
  /** Ascending by start; a handful at most, because those behind the watermark are closed. */
  readonly #open: OpenWindow[] = [];
  /** Closed windows whose arrays are used again. */
  readonly #spare: OpenWindow[] = [];
  #last: OpenWindow | undefined;

  constructor(shape: WindowShape) {
    if (!(Number.isSafeInteger(shape.windowSizeMs) && shape.windowSizeMs > 0)) {
      throw new RangeError(
        `Cannot make windows: windowSizeMs is ${shape.windowSizeMs}, expected a whole number above 0`,
      );
    }
    if (!(shape.allowedLatenessMs >= 0)) {
      throw new RangeError(
        `Cannot make windows: allowedLatenessMs is ${shape.allowedLatenessMs}, expected 0 or more`,
      );
    }
    this.shape = shape;
  }

  get open(): readonly OpenWindow[] {
    return this.#open;
  }

  /**
   * The window that a message goes into, opening it if need be.
   *
   * @param eventTimeMs the message's
   * @param watermarkMs the partition's watermark, this message included
   * @returns undefined when the message is late
   */
  at(eventTimeMs: EventTimeMs, watermarkMs: EventTimeMs): OpenWindow | undefined {
    const last = this.#last;
    // Nearly every message falls into the window of the one before: bounds compared, no division.
    const window = last !== undefined && eventTimeMs >= last.startMs && eventTimeMs < last.endMs
      ? last
      : this.#seek(eventTimeMs, watermarkMs);
    return window === undefined || window.closesAtMs <= watermarkMs ? undefined : window;
  }

  /** Takes out the windows that the watermark has closed, the oldest first. Give each back to {@link release}. */
  takeClosed(watermarkMs: EventTimeMs): OpenWindow[] {
    let closed = 0;
    while (closed < this.#open.length && this.#open[closed]!.closesAtMs <= watermarkMs) closed++;
    if (closed > 0) this.#last = undefined;
    return this.#open.splice(0, closed);
  }

  /** Whether the watermark has closed a window that is still here. */
  hasClosed(watermarkMs: EventTimeMs): boolean {
    const oldest = this.#open[0];
    return oldest !== undefined && oldest.closesAtMs <= watermarkMs;
  }

  /** Keeps the arrays of a window that is no longer needed. */
  release(window: OpenWindow): void {
    if (this.#spare.length < 2) this.#spare.push(window);
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#open.length);
    for (const window of this.#open) window.write(writer);
  }

  /** Reads what {@link write} wrote. */
  static read(reader: ByteReader, shape: WindowShape, sourceCount: number): WindowSet {
    const windows = new WindowSet(shape);
    const count = reader.count(9);
    for (let i = 0; i < count; i++) {
      const window = new OpenWindow(shape);
      window.read(reader, shape, sourceCount);
      windows.#open.push(window);
    }
    return windows;
  }

  #seek(eventTimeMs: EventTimeMs, watermarkMs: EventTimeMs): OpenWindow | undefined {
    for (const window of this.#open) {
      if (eventTimeMs >= window.startMs && eventTimeMs < window.endMs) return this.#last = window;
    }
    const { windowSizeMs, allowedLatenessMs } = this.shape;
    const startMs = windowStartOf(eventTimeMs, windowSizeMs);
    if (startMs + windowSizeMs + allowedLatenessMs <= watermarkMs) return undefined;
    const window = this.#spare.pop() ?? new OpenWindow(this.shape);
    window.reset(startMs, this.shape);
    this.#open.push(window);
    this.#open.sort((a, b) => a.startMs - b.startMs);
    return this.#last = window;
  }
}
