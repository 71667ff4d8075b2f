/** ClickHouse over its HTTP interface: the sink, and the embedded engine behind the same interface. */
export { SinkError } from "./errors.ts";
export type { SinkErrorCode } from "./errors.ts";
export { rowFields } from "./row_fields.ts";
export { ClickHouseSink, openClickHouse } from "./sink.ts";
export type { ClickHouseOptions, StoredRow } from "./sink.ts";
export { createTableSql, expectedColumns } from "./table.ts";
export type { Column, TableName } from "./table.ts";
export {
  currentPlatform,
  EmbeddedError,
  engineLockPath,
  enginePackage,
  FORMAT_NAMES,
  serveEmbeddedClickHouse,
} from "./embedded/mod.ts";
export type {
  EmbeddedClickHouse,
  EmbeddedErrorCode,
  EmbeddedOptions,
  EnginePackage,
  Platform,
} from "./embedded/mod.ts";
