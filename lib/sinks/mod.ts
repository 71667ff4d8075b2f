/** Where rows go: ClickHouse, a server or the embedded one. */
export {
  ClickHouseSink,
  createTableSql,
  currentPlatform,
  EmbeddedError,
  engineLockPath,
  enginePackage,
  expectedColumns,
  FORMAT_NAMES,
  openClickHouse,
  rowFields,
  serveEmbeddedClickHouse,
  SinkError,
} from "./clickhouse/mod.ts";
export type {
  ClickHouseOptions,
  Column,
  EmbeddedClickHouse,
  EmbeddedErrorCode,
  EmbeddedOptions,
  EnginePackage,
  Platform,
  SinkErrorCode,
  StoredRow,
  TableName,
} from "./clickhouse/mod.ts";
