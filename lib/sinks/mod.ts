/** Where rows go: ClickHouse, a server or the embedded one. */
export { EmbeddedError, FORMAT_NAMES, serveEmbeddedClickHouse } from "./clickhouse/embedded/mod.ts";
export type {
  EmbeddedClickHouse,
  EmbeddedErrorCode,
  EmbeddedOptions,
} from "./clickhouse/embedded/mod.ts";
