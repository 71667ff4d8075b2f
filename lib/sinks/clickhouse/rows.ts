import type { RowBatch, WindowRow } from "../../contract.ts";
import { assert } from "../../base/mod.ts";

/** Columns whose values a row holds as whole ms since 1970. */
const TIME_COLUMNS = new Set([
  "window_start",
  "window_end",
  "first_event_time",
  "last_event_time",
  "emitted_at",
]);

/** An instant as every version of ClickHouse reads it into a DateTime64(3, 'UTC'): a number would be seconds to some. */
export function dateTimeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("T", " ").slice(0, -1);
}

function encodedValue(column: string, value: string | number): string | number {
  if (!TIME_COLUMNS.has(column)) return value;
  assert(typeof value === "number", `${column} is ${value}`);
  return dateTimeText(value);
}

/**
 * A row in JSONEachRow. JavaScript writes a double with the digits that give it back exactly, and ClickHouse reads them exactly with `precise_float_parsing`.
 *
 * @example
 * ```ts
 * import { encodeRow } from "./rows.ts";
 * import assert from "node:assert/strict";
 * const row = { window_start: 1_795_000_000_000, message_count: "18446744073709551615" };
 * assert.equal(encodeRow(row), '{"window_start":"2026-11-18 11:06:40.000","message_count":"18446744073709551615"}');
 * ```
 */
export function encodeRow(row: WindowRow): string {
  const encoded: Record<string, string | number> = {};
  for (const column in row) encoded[column] = encodedValue(column, row[column]!);
  return JSON.stringify(encoded);
}

/** A row without one of the columns would get a zero there, silently. */
function checkColumns(row: WindowRow, columns: readonly string[]): void {
  const missing = columns.filter((column) => row[column] === undefined);
  assert(missing.length === 0, `a row lacks ${missing.join(", ")}`);
}

/**
 * A batch's rows in JSONEachRow, one a line.
 *
 * @param columns that each row must have
 */
export function encodeBatch(batch: RowBatch, columns: readonly string[]): string {
  for (const row of batch.rows) checkColumns(row, columns);
  return batch.rows.map((row) => `${encodeRow(row)}\n`).join("");
}
