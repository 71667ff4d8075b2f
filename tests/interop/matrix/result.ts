/**
 * What a run of the matrix has shown: a file beside this one, from which the page is made.
 *
 * @module
 */
import type { Cell, CellStatus } from "./driver.ts";

/** A client against a broker. */
export interface Column {
  /** As flags name them. */
  readonly client: string;
  readonly broker: string;
  /** As the page calls the client. */
  readonly title: string;
  readonly clientVersion: string;
  readonly brokerVersion: string;
  /** ISO date and time of the run. */
  readonly ranAt: string;
}

/** What is kept of a cell. */
export interface CellResult {
  readonly status: CellStatus;
  readonly detail: string;
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Columns, and their cells by `client × broker` and scenario. */
export interface MatrixResult {
  readonly columns: readonly Column[];
  readonly cells: Readonly<Record<string, Readonly<Record<string, CellResult>>>>;
}

/** A row of a column that does not show what it should, or shows it in another way than the real broker does. */
export interface Difference {
  readonly scenario: string;
  readonly client: string;
  readonly broker: string;
  readonly expected: string;
  readonly got: string;
}

/** The name of a column. */
export function columnKey(column: { client: string; broker: string }): string {
  return `${column.client} × ${column.broker}`;
}

/** Puts a column and its cells in place of an older one of the same name, the rest unchanged. */
export function withColumn(
  result: MatrixResult,
  column: Column,
  cells: readonly Cell[],
): MatrixResult {
  const key = columnKey(column);
  const kept = result.columns.filter((other) => columnKey(other) !== key);
  const entries = cells.map(({ scenario, status, detail, notes }) =>
    [scenario, { status, detail, notes }] as const
  );
  return {
    columns: [...kept, column],
    cells: { ...result.cells, [key]: Object.fromEntries(entries) },
  };
}

/** The text of a result: a line a column, then a line a cell. */
export function formatResult(result: MatrixResult): string {
  const cells = Object.entries(result.cells).flatMap(([column, ofColumn]) =>
    Object.entries(ofColumn).map(([scenario, { status, detail, notes }]) => ({
      cell: column,
      scenario,
      status,
      ...(detail === "" ? {} : { detail }),
      ...(Object.keys(notes).length === 0 ? {} : { notes }),
    }))
  );
  return [...result.columns.map((column) => ({ column })), ...cells]
    .map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Reads what {@link formatResult} has written. */
export function parseResult(text: string): MatrixResult {
  const columns: Column[] = [];
  const cells: Record<string, Record<string, CellResult>> = {};
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const { column, cell, scenario, status, detail = "", notes = {} } = JSON.parse(line);
    if (column !== undefined) columns.push(column);
    else (cells[cell] ??= {})[scenario] = { status, detail, notes };
  }
  return { columns, cells };
}

/** The result in a file; an empty one when there is none. */
export async function readResult(file: string): Promise<MatrixResult> {
  try {
    return parseResult(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { columns: [], cells: {} };
    throw error;
  }
}

/** Rows whose notes must be the same for all clients, too: how keys are hashed. */
const SAME_FOR_CLIENTS = ["key_hash_java", "key_hash_murmur3"];

/** The cell that a cell must agree with: the same client's on the real broker, or the Java client's on that. */
function standardOf(
  result: MatrixResult,
  client: string,
  scenario: string,
): CellResult | undefined {
  const isSameForClients = SAME_FOR_CLIENTS.includes(scenario);
  const key = columnKey({ client: isSameForClients ? "java" : client, broker: "real" });
  return result.cells[key]?.[scenario];
}

/** What differs from what it should be: failed cells, and notes that are others than those of the real broker. */
export function differencesOf(result: MatrixResult): Difference[] {
  return result.columns.flatMap((column) => {
    const { client, broker } = column;
    const cells = result.cells[columnKey(column)] ?? {};
    return Object.entries(cells).flatMap(([scenario, cell]): Difference[] => {
      const at = { scenario, client, broker };
      if (cell.status === "failed") {
        return [{ ...at, expected: "ok, as on a real Pulsar", got: cell.detail }];
      }
      const expected = standardOf(result, client, scenario);
      if (cell.status !== "ok" || expected?.status !== "ok") return [];
      return notesThatDiffer(expected.notes, cell.notes).map((what) => ({
        ...at,
        expected: `${what}: ${JSON.stringify(expected.notes[what])}`,
        got: `${what}: ${JSON.stringify(cell.notes[what])}`,
      }));
    });
  });
}

function notesThatDiffer(
  expected: CellResult["notes"],
  got: CellResult["notes"],
): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(got)]);
  return [...names].filter((name) => JSON.stringify(expected[name]) !== JSON.stringify(got[name]));
}
