import { WeirError, type WeirErrorOptions } from "../../../base/mod.ts";

/** Why the embedded ClickHouse cannot start. */
export type EmbeddedErrorCode =
  | "unsupported_platform"
  | "engine_missing"
  | "data_in_use"
  | "data_not_writable"
  | "port_taken"
  | "engine_failed";

/** The embedded ClickHouse cannot start; the message and the cure are for a person. */
export class EmbeddedError extends WeirError<EmbeddedErrorCode> {
  override readonly name = "EmbeddedError";

  constructor(message: string, options: WeirErrorOptions<EmbeddedErrorCode>) {
    super(message, options);
  }
}

/** ClickHouse's number and name of the errors that this server raises itself; the engine brings its own. */
export const CLICKHOUSE_ERRORS = {
  UNSUPPORTED_METHOD: 1,
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  UNKNOWN_FORMAT: 73,
  UNKNOWN_COMPRESSION_METHOD: 89,
  UNKNOWN_SETTING: 115,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: 216,
  TOO_MANY_BYTES: 307,
  CANNOT_DECOMPRESS: 271,
  QUERY_WAS_CANCELLED: 394,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  STD_EXCEPTION: 1001,
} as const;

/** The name of an error that this server raises itself. */
export type ClickHouseErrorName = keyof typeof CLICKHOUSE_ERRORS;

/** An error as ClickHouse's HTTP interface reports it. */
export class QueryError extends Error {
  override readonly name = "QueryError";

  /**
   * @param code ClickHouse's number, 1002 when the engine gave none
   * @param text the whole text of the answer's body, `Code: N. DB::Exception: …`
   */
  constructor(readonly code: number, readonly text: string) {
    super(text);
  }
}

/** An error of this server in ClickHouse's form. */
export function queryError(name: ClickHouseErrorName, message: string): QueryError {
  const code = CLICKHOUSE_ERRORS[name];
  return new QueryError(code, `Code: ${code}. DB::Exception: ${message}. (${name})`);
}

/** What the engine threw, in ClickHouse's form: its text already is, apart from the prefix of nested errors. */
export function engineError(thrown: unknown): QueryError {
  if (thrown instanceof QueryError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // "Code: 452. DB::Exception: Code: 452. DB::Exception: …": a client's wrapping of a server's text.
  const once = text.trim().replace(/^(Code: \d+\. DB::Exception: )\1+/, "$1");
  if (once.includes("call to getcwd failed")) {
    return queryError(
      "ACCESS_DENIED",
      "Not enough privileges. The embedded ClickHouse does not read or write files outside of its data folder",
    );
  }
  const code = Number(/^Code: (\d+)\./.exec(once)?.[1] ?? "1002");
  const known = code === 1002 && !once.startsWith("Code:")
    ? `Code: 1002. DB::Exception: ${once}. (UNKNOWN_EXCEPTION)`
    : once;
  return new QueryError(code, known);
}

/** The status that ClickHouse's own HTTP interface gives an error's number; 500 for all others. */
const STATUS: Readonly<Record<number, number>> = {
  ...Object.fromEntries([194].map((code) => [code, 401])),
  ...Object.fromEntries([516, 497, 192, 193].map((code) => [code, 403])),
  ...Object.fromEntries(
    [26, 27, 36, 41, 53, 62, 69, 72, 89, 115, 120, 130, 131, 456, 457].map((code) => [code, 400]),
  ),
  ...Object.fromEntries([16, 46, 47, 60, 73, 81, 218].map((code) => [code, 404])),
  48: 501,
  159: 408,
  164: 500,
  202: 503,
  216: 409,
  307: 413,
};

/** The HTTP status of an error. */
export function statusOf(code: number): number {
  return STATUS[code] ?? 500;
}
