import type { ExpectedRow } from "./expected_rows.ts";
import { foundNumber, foundTimeMs, foundUint64 } from "./found_rows.ts";
import type { FoundRow } from "./found_rows.ts";
import type { MessagePlan, WindowRule } from "./message_plan.ts";

/** A column whose value is not the expected one. */
export interface WrongColumn {
  readonly column: string;
  readonly expected: string;
  readonly found: string;
}

/** Sums and averages may differ by this share of the measure's largest magnitude: another order of adding. */
export const RELATIVE_TOLERANCE = 1e-9;

type Check = (row: ExpectedRow, found: FoundRow) => WrongColumn | undefined;

function shown(value: unknown): string {
  return value === undefined ? "no such column" : String(value);
}

function exact(column: string, expectedOf: (row: ExpectedRow) => number): Check {
  return (row, found) => {
    const expected = expectedOf(row);
    if (foundNumber(found[column]) === expected) return undefined;
    return { column, expected: String(expected), found: shown(found[column]) };
  };
}

function instant(column: string, expectedOf: (row: ExpectedRow) => number): Check {
  return (row, found) => {
    const expected = expectedOf(row);
    if (foundTimeMs(found[column]) === expected) return undefined;
    const iso = new Date(expected).toISOString();
    return { column, expected: iso.replace("T", " ").slice(0, -1), found: shown(found[column]) };
  };
}

function identity(row: ExpectedRow, found: FoundRow): WrongColumn | undefined {
  const column = "identity_sum";
  if (foundUint64(found[column]) === row.identitySum) return undefined;
  return { column, expected: String(row.identitySum), found: shown(found[column]) };
}

/** The average, relative to the measure's magnitude: near 0 the average itself is no scale. */
function average(column: string, i: number): Check {
  return (row, found) => {
    const { count, sum, min, max } = row.measures[i]!;
    const actual = foundNumber(found[column]);
    const expected = sum / count;
    const allowed = RELATIVE_TOLERANCE * Math.max(Math.abs(min), Math.abs(max));
    if (Math.abs(actual - expected) <= allowed) return undefined;
    return { column, expected: String(expected), found: shown(found[column]) };
  };
}

/** A measure that no message had is null, or what the column holds by default: there is nothing to compare. */
function ifAny(i: number, check: Check): Check {
  return (row, found) => row.measures[i]!.count === 0 ? undefined : check(row, found);
}

/** Compares the columns of a row, key apart, in the order of the table. */
export class RowColumns {
  readonly #checks: readonly Check[];

  constructor(plan: Pick<MessagePlan, "measureNames" | "flagNames">, rule: WindowRule) {
    this.#checks = [
      instant("window_end", (row) => row.windowStartMs + rule.windowMs),
      exact("message_count", (row) => row.messageCount),
      identity,
      ...plan.measureNames.flatMap((name, i) => [
        exact(`${name}_count`, (row) => row.measures[i]!.count),
        ifAny(i, average(`${name}_avg`, i)),
        ifAny(i, exact(`${name}_min`, (row) => row.measures[i]!.min)),
        ifAny(i, exact(`${name}_max`, (row) => row.measures[i]!.max)),
      ]),
      ...plan.flagNames.map((name, i) => exact(name, (row) => row.flagCounts[i]!)),
      instant("first_event_time", (row) => row.firstEventTimeMs),
      instant("last_event_time", (row) => row.lastEventTimeMs),
      exact("min_sequence", (row) => row.minSequence),
      exact("max_sequence", (row) => row.maxSequence),
    ];
  }

  /** The columns that are wrong, none when the row is as expected. */
  wrong(row: ExpectedRow, found: FoundRow): WrongColumn[] {
    const wrong: WrongColumn[] = [];
    for (const check of this.#checks) {
      const column = check(row, found);
      if (column !== undefined) wrong.push(column);
    }
    return wrong;
  }
}
