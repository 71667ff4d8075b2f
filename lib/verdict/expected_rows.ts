import { identityHigh, identityLow, identityOf } from "../base/mod.ts";
import type { EventTimeMs } from "../base/mod.ts";
import type { MessagePlan, PlannedMessage } from "./message_plan.ts";

/** A row as it should be: one source's messages of one window in one partition. Times are event-time ms. */
export interface ExpectedRow {
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  readonly sourceIndex: number;
  readonly messageCount: number;
  readonly identitySum: bigint;
  readonly firstEventTimeMs: EventTimeMs;
  readonly lastEventTimeMs: EventTimeMs;
  readonly minSequence: number;
  readonly maxSequence: number;
  /** How many messages had each flag. */
  readonly flagCounts: readonly number[];
  readonly measures: readonly ExpectedMeasure[];
}

/** A measure over the messages that had a value. */
export interface ExpectedMeasure {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

const PARTITION = 0;
const WINDOW_START = 1;
const SOURCE = 2;
const COUNT = 3;
const IDENTITY_LOW = 4;
const IDENTITY_HIGH = 5;
const FIRST_EVENT = 6;
const LAST_EVENT = 7;
const MIN_SEQUENCE = 8;
const MAX_SEQUENCE = 9;
const FLAGS = 10;

const TWO_TO_32 = 4294967296;

/**
 * Expected rows, side by side in one array of doubles: about 250 bytes a row, so memory grows with rows and not with messages.
 */
export class ExpectedRows {
  readonly #stride: number;
  readonly #measuresAt: number;
  readonly #sourceCount: number;
  readonly #flagCount: number;
  readonly #measureCount: number;
  #cells = new Float64Array(0);
  #length = 0;
  /** Row number per source, −1 for none; one table a partition and window. */
  readonly #tables: Map<EventTimeMs, Int32Array>[] = [];

  constructor(plan: Omit<MessagePlan, "walk">) {
    this.#sourceCount = plan.sourceNames.length;
    this.#flagCount = plan.flagNames.length;
    this.#measureCount = plan.measureNames.length;
    this.#measuresAt = FLAGS + this.#flagCount;
    this.#stride = this.#measuresAt + 4 * this.#measureCount;
    for (let i = 0; i < plan.partitionCount; i++) this.#tables.push(new Map());
  }

  get length(): number {
    return this.#length;
  }

  /** Number of the row with this key, −1 when none is expected. */
  find(partition: number, windowStartMs: EventTimeMs, sourceIndex: number): number {
    return this.#tables[partition]?.get(windowStartMs)?.[sourceIndex] ?? -1;
  }

  /** Adds a message to the row of its source in this window. */
  add(message: PlannedMessage, windowStartMs: EventTimeMs, hash: number): void {
    const base = this.#rowOf(message, windowStartMs) * this.#stride;
    const cells = this.#cells;
    const { sequence, eventTimeMs, flags, measures } = message;
    cells[base + COUNT]!++;
    const low = cells[base + IDENTITY_LOW]! + identityLow(hash, sequence);
    const carry = low >= TWO_TO_32 ? 1 : 0;
    cells[base + IDENTITY_LOW] = low % TWO_TO_32;
    cells[base + IDENTITY_HIGH] =
      (cells[base + IDENTITY_HIGH]! + identityHigh(hash, sequence) + carry) % TWO_TO_32;
    if (eventTimeMs < cells[base + FIRST_EVENT]!) cells[base + FIRST_EVENT] = eventTimeMs;
    if (eventTimeMs > cells[base + LAST_EVENT]!) cells[base + LAST_EVENT] = eventTimeMs;
    if (sequence < cells[base + MIN_SEQUENCE]!) cells[base + MIN_SEQUENCE] = sequence;
    if (sequence > cells[base + MAX_SEQUENCE]!) cells[base + MAX_SEQUENCE] = sequence;
    for (let i = 0; i < this.#flagCount; i++) cells[base + FLAGS + i]! += flags[i]!;
    for (let i = 0; i < this.#measureCount; i++) {
      const value = measures[i]!;
      if (Number.isNaN(value)) continue;
      const at = base + this.#measuresAt + 4 * i;
      cells[at]!++;
      cells[at + 1]! += value;
      if (value < cells[at + 2]!) cells[at + 2] = value;
      if (value > cells[at + 3]!) cells[at + 3] = value;
    }
  }

  row(number: number): ExpectedRow {
    const base = number * this.#stride;
    const cells = this.#cells.subarray(base, base + this.#stride);
    const measures = Array.from({ length: this.#measureCount }, (_, i) => {
      const at = this.#measuresAt + 4 * i;
      return { count: cells[at]!, sum: cells[at + 1]!, min: cells[at + 2]!, max: cells[at + 3]! };
    });
    return {
      partition: cells[PARTITION]!,
      windowStartMs: cells[WINDOW_START]!,
      sourceIndex: cells[SOURCE]!,
      messageCount: cells[COUNT]!,
      identitySum: identityOf(cells[IDENTITY_HIGH]!, cells[IDENTITY_LOW]!),
      firstEventTimeMs: cells[FIRST_EVENT]!,
      lastEventTimeMs: cells[LAST_EVENT]!,
      minSequence: cells[MIN_SEQUENCE]!,
      maxSequence: cells[MAX_SEQUENCE]!,
      flagCounts: [...cells.subarray(FLAGS, this.#measuresAt)],
      measures,
    };
  }

  #rowOf({ partition, sourceIndex }: PlannedMessage, windowStartMs: EventTimeMs): number {
    const tables = this.#tables[partition]!;
    let table = tables.get(windowStartMs);
    if (table === undefined) {
      table = new Int32Array(this.#sourceCount).fill(-1);
      tables.set(windowStartMs, table);
    }
    const known = table[sourceIndex]!;
    if (known !== -1) return known;
    const number = this.#length++;
    table[sourceIndex] = number;
    this.#begin(number, partition, windowStartMs, sourceIndex);
    return number;
  }

  #begin(number: number, partition: number, windowStartMs: number, sourceIndex: number): void {
    const base = number * this.#stride;
    if (base + this.#stride > this.#cells.length) {
      const larger = new Float64Array(Math.max(1024 * this.#stride, 2 * this.#cells.length));
      larger.set(this.#cells);
      this.#cells = larger;
    }
    const cells = this.#cells;
    cells[base + PARTITION] = partition;
    cells[base + WINDOW_START] = windowStartMs;
    cells[base + SOURCE] = sourceIndex;
    cells[base + FIRST_EVENT] = Infinity;
    cells[base + LAST_EVENT] = -Infinity;
    cells[base + MIN_SEQUENCE] = Infinity;
    cells[base + MAX_SEQUENCE] = -Infinity;
    for (let i = 0; i < this.#measureCount; i++) {
      cells[base + this.#measuresAt + 4 * i + 2] = Infinity;
      cells[base + this.#measuresAt + 4 * i + 3] = -Infinity;
    }
  }
}
