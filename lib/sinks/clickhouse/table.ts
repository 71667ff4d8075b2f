import sensorTableSql from "../../../infra/clickhouse/sensor_1m.sql" with { type: "text" };
import { SinkError } from "./errors.ts";

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** How many tokens the table must remember, at least: more than can be between two checkpoints. */
export const DEDUPLICATION_WINDOW_MIN = 10_000;

/** A table by name. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** A column as `system.columns` names it. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** @throws {RangeError} for what is not letters, digits and underscores */
export function checkIdentifier(what: string, name: string): string {
  if (IDENTIFIER.test(name)) return name;
  throw new RangeError(
    `Cannot use ${what} ${
      JSON.stringify(name)
    }: expected letters, digits and _, at most 128, no digit first`,
  );
}

/** A table's name as a statement takes it. */
export function quotedName({ database, table }: TableName): string {
  return `\`${checkIdentifier("database", database)}\`.\`${checkIdentifier("table", table)}\``;
}

/** The statement that makes the table, from infra/clickhouse/sensor_1m.sql. */
export function createTableSql(name: TableName): string {
  return sensorTableSql.replaceAll(/^--.*\n/gm, "")
    .replace(
      "CREATE TABLE IF NOT EXISTS sensor_1m",
      `CREATE TABLE IF NOT EXISTS ${quotedName(name)}`,
    );
}

/** The columns that the table must have, as the statement makes them. */
export function expectedColumns(): Column[] {
  const body = /\(\n([^]*?)\n\)\nENGINE/.exec(sensorTableSql)![1]!;
  return body.split("\n").map((line) => {
    const [, name, type] = /^\s+(\w+)\s+(.+?)(?: CODEC\(.*\))?,?$/.exec(line)!;
    return { name: name!, type: type! };
  });
}

function setting(engineFull: string, name: string): number | undefined {
  const match = new RegExp(`\\b${name} = (\\d+)`).exec(engineFull);
  return match === null ? undefined : Number(match[1]);
}

/** Types that hold the same values in the same text. */
function sameType(found: string, expected: string): boolean {
  const plain = (type: string) => type.replace(/^LowCardinality\((.*)\)$/, "$1");
  return plain(found) === plain(expected);
}

function wrongTable(name: TableName, state: string, cure: string): SinkError {
  return new SinkError(`Cannot write to table ${name.database}.${name.table}: ${state}`, {
    code: "wrong_table",
    cure,
  });
}

function checkColumns(name: TableName, columns: readonly Column[]): void {
  const types = new Map(columns.map((column) => [column.name, column.type]));
  for (const { name: column, type } of expectedColumns()) {
    const found = types.get(column);
    const cure = "give another table with --table, which is then made";
    if (found === undefined) throw wrongTable(name, `it has no column ${column}`, cure);
    if (sameType(found, type)) continue;
    throw wrongTable(name, `its column ${column} is ${found}, not ${type}`, cure);
  }
}

/**
 * Checks that rows stored in a table are stored once and for good.
 *
 * @param engineFull as `system.tables` names it: the engine with its settings
 * @throws {SinkError} wrong_table, with the statement that puts it right
 */
export function checkTable(
  name: TableName,
  columns: readonly Column[],
  engineFull: string,
): void {
  checkColumns(name, columns);
  const alter = (change: string) => `ALTER TABLE ${quotedName(name)} MODIFY SETTING ${change}`;
  if (/^(Replicated|Shared)/.test(engineFull)) {
    const remembered = setting(engineFull, "replicated_deduplication_window");
    if (remembered === undefined || remembered >= DEDUPLICATION_WINDOW_MIN) return;
    const state = `it remembers ${remembered} insert tokens, not ${DEDUPLICATION_WINDOW_MIN}`;
    throw wrongTable(
      name,
      state,
      alter(`replicated_deduplication_window = ${DEDUPLICATION_WINDOW_MIN}`),
    );
  }
  if (!/MergeTree/.test(engineFull)) {
    const engine = engineFull.replaceAll("`", "").split(/[\s(]/)[0];
    throw wrongTable(
      name,
      `its engine ${engine} does not deduplicate`,
      "give another table with --table",
    );
  }
  const remembered = setting(engineFull, "non_replicated_deduplication_window") ?? 0;
  if (remembered < DEDUPLICATION_WINDOW_MIN) {
    const state = `it remembers ${remembered} insert tokens, not ${DEDUPLICATION_WINDOW_MIN}`;
    throw wrongTable(
      name,
      state,
      alter(`non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW_MIN}`),
    );
  }
  for (const durable of ["fsync_after_insert", "fsync_part_directory"]) {
    if (setting(engineFull, durable) === 1) continue;
    throw wrongTable(
      name,
      `an insert is answered before it is on the disk (${durable} = 0)`,
      alter(`${durable} = 1`),
    );
  }
}
