import type { Expectation } from "./oracle.ts";
import { foundNumber, foundTimeMs, foundUint64 } from "./found_rows.ts";
import type { FoundLate, FoundRow, FoundRows } from "./found_rows.ts";
import { describeGaps } from "./gaps.ts";
import type { Gap, GapReport } from "./gaps.ts";
import type { MessagePlan, WindowRule } from "./message_plan.ts";
import type { RowCounts } from "./result.ts";
import { RowColumns } from "./row_columns.ts";

/** What the comparison of every row and every late message gave. */
export interface Comparison extends GapReport {
  readonly rows: RowCounts;
  /** Messages counted in the rows found. */
  readonly aggregatedCount: number;
  /** Messages reported late. */
  readonly lateCount: number;
  /** Messages of rows and late groups that are missing where a partition was not drained. */
  readonly undrainedCount: number;
}

/** What is compared with what. */
export interface CompareOptions {
  readonly plan: Omit<MessagePlan, "walk">;
  readonly rule: WindowRule;
  readonly expectation: Expectation;
  readonly foundRows: FoundRows;
  readonly foundLate: readonly FoundLate[];
  /** Partitions whose end was not reached, because the run broke off: what is missing there is not lost. */
  readonly undrained?: ReadonlySet<number>;
}

const MASK_64 = 64;

/** Joins found rows with expected ones as they come, in any order. */
class Join {
  readonly gaps: Gap[] = [];
  readonly rows = { expected: 0, found: 0, missing: 0, extra: 0, wrong: 0 };
  aggregatedCount = 0;
  undrainedCount = 0;
  readonly #seen: Uint8Array;
  readonly #columns: RowColumns;
  readonly #expectation: Expectation;

  constructor(options: CompareOptions, readonly sources: ReadonlyMap<string, number>) {
    this.#expectation = options.expectation;
    this.rows.expected = options.expectation.rows.length;
    this.#seen = new Uint8Array(this.rows.expected);
    this.#columns = new RowColumns(options.plan, options.rule);
  }

  take(found: FoundRow): void {
    this.rows.found++;
    const messageCount = foundNumber(found["message_count"]);
    this.aggregatedCount += Number.isFinite(messageCount) ? messageCount : 0;
    const partition = foundNumber(found["partition"]);
    const windowStartMs = foundTimeMs(found["window_start"]);
    const sourceName = String(found["event_source_id"]);
    const sourceIndex = this.sources.get(sourceName) ?? -1;
    const number = this.#expectation.rows.find(partition, windowStartMs, sourceIndex);
    const place = { table: "rows" as const, partition, windowStartMs, sourceIndex, sourceName };
    if (number === -1 || this.#seen[number] === 1) {
      this.rows.extra++;
      this.gaps.push({
        place,
        whole: number === -1 ? "extra_row" : "doubled_row",
        countGap: Number.isFinite(messageCount) ? -messageCount : 0,
        identityGap: wrap(-(foundUint64(found["identity_sum"]) ?? 0n)),
        first: foundNumber(found["min_sequence"]),
        last: foundNumber(found["max_sequence"]),
        wrong: [],
      });
      return;
    }
    this.#seen[number] = 1;
    const row = this.#expectation.rows.row(number);
    const wrong = this.#columns.wrong(row, found);
    if (wrong.length === 0) return;
    this.rows.wrong++;
    const identitySum = foundUint64(found["identity_sum"]);
    this.gaps.push({
      place,
      whole: undefined,
      countGap: Number.isInteger(messageCount) ? row.messageCount - messageCount : 0,
      identityGap: identitySum === undefined ? 0n : wrap(row.identitySum - identitySum),
      first: row.minSequence,
      last: row.maxSequence,
      wrong,
    });
  }

  finish(sourceNames: readonly string[], undrained: ReadonlySet<number>): void {
    for (let number = 0; number < this.#seen.length; number++) {
      if (this.#seen[number] === 1) continue;
      const row = this.#expectation.rows.row(number);
      if (undrained.has(row.partition)) {
        this.rows.expected--;
        this.undrainedCount += row.messageCount;
        continue;
      }
      this.rows.missing++;
      const { partition, windowStartMs, sourceIndex } = row;
      const sourceName = sourceNames[sourceIndex]!;
      this.gaps.push({
        place: { table: "rows", partition, windowStartMs, sourceIndex, sourceName },
        whole: "missing_row",
        countGap: row.messageCount,
        identityGap: row.identitySum,
        first: row.minSequence,
        last: row.maxSequence,
        wrong: [],
      });
    }
  }
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(MASK_64, value);
}

function lateKey(partition: number, windowStartMs: number, sourceIndex: number): string {
  return `${partition}:${windowStartMs}:${sourceIndex}`;
}

/** Differences between the late messages expected and those reported. */
function lateGaps(options: CompareOptions, sources: ReadonlyMap<string, number>): Gap[] {
  const { expectation, foundLate, plan } = options;
  const open = new Map(expectation.late.map((group) => [
    lateKey(group.partition, group.windowStartMs, group.sourceIndex),
    { ...group, sourceName: plan.sourceNames[group.sourceIndex]! },
  ]));
  for (const { partition, windowStartMs, sourceName, messageCount, identitySum } of foundLate) {
    const sourceIndex = sources.get(sourceName) ?? -1;
    const key = lateKey(partition, windowStartMs, sourceIndex);
    const known = open.get(key);
    open.set(key, {
      partition,
      windowStartMs,
      sourceIndex,
      sourceName,
      minSequence: known?.minSequence ?? NaN,
      maxSequence: known?.maxSequence ?? NaN,
      messageCount: (known?.messageCount ?? 0) - messageCount,
      identitySum: wrap((known?.identitySum ?? 0n) - BigInt(identitySum)),
    });
  }
  return [...open.values()]
    .filter((group) => group.messageCount !== 0 || group.identitySum !== 0n)
    .map(({ partition, windowStartMs, sourceIndex, sourceName, ...group }) => ({
      place: { table: "late" as const, partition, windowStartMs, sourceIndex, sourceName },
      whole: undefined,
      countGap: group.messageCount,
      identityGap: group.identitySum,
      first: group.minSequence,
      last: group.maxSequence,
      wrong: [],
    }));
}

/**
 * Joins every found row and late message with what was expected, and names what differs.
 *
 * Counts, identity sums, sequences, minima and maxima must be equal; averages within 1e-9 of the measure's magnitude.
 *
 * @returns the counts of the result, and findings that name lost, doubled and moved messages by source and sequence, changed ones by row and column
 */
export async function compareRows(options: CompareOptions): Promise<Comparison> {
  const { plan, expectation, foundLate } = options;
  const sources = new Map(plan.sourceNames.map((name, i) => [name, i]));
  const join = new Join(options, sources);
  for await (const row of options.foundRows()) join.take(row);
  const undrained = options.undrained ?? new Set();
  join.finish(plan.sourceNames, undrained);
  const late = lateGaps(options, sources);
  const isUndrained = ({ place, countGap }: Gap) => undrained.has(place.partition) && countGap > 0;
  const lateUndrained = late.filter(isUndrained);
  const gaps = [...join.gaps, ...late.filter((gap) => !isUndrained(gap))];
  return {
    rows: join.rows,
    aggregatedCount: join.aggregatedCount,
    lateCount: foundLate.reduce((sum, { messageCount }) => sum + messageCount, 0),
    undrainedCount: lateUndrained.reduce((sum, gap) => sum + gap.countGap, join.undrainedCount),
    ...describeGaps(gaps, expectation),
  };
}
