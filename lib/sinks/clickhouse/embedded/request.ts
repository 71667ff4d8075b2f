import { queryError } from "./errors.ts";
import { formatOf, insertableData } from "./formats.ts";
import { readStatement, type Statement } from "./statement.ts";
import type { SessionOptions } from "./engine.ts";

/** A request for one query, read and checked. */
export interface QueryRequest {
  readonly queryId: string;
  /** The statement, without the data of an INSERT. */
  readonly sql: string;
  readonly data: Uint8Array | undefined;
  readonly statement: Statement;
  /** Of the answer. */
  readonly format: { readonly name: string; readonly contentType: string };
  readonly session: SessionOptions;
  /** The answer is compressed with gzip. */
  readonly gzip: boolean;
  /** The answer begins when the query has ended, so that a late error has its status. */
  readonly waitEnd: boolean;
}

/** URL parameters that are the HTTP interface's own, not settings. */
const OWN = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "user",
  "password",
  "quota_key",
  "stacktrace",
  "wait_end_of_query",
  "enable_http_compression",
  "http_zlib_compression_level",
  "http_response_buffer_size",
  "http_response_headers",
  "buffer_size",
  "client_protocol_version",
  "send_progress_in_http_headers",
  "http_headers_progress_interval_ms",
  "http_write_exception_in_output_format",
  "add_http_cors_header",
  "cancel_http_readonly_queries_on_client_close",
  "compress",
  "decompress",
  "close_session",
  "session_timeout",
  "session_check",
]);

const REFUSED = ["session_id", "role", "compress", "decompress"];

const QUERY_ID = /^[A-Za-z0-9_.:-]{1,200}$/;

function isOn(value: string | null): boolean {
  return value !== null && value !== "0" && value !== "";
}

function checkSupported(query: URLSearchParams): void {
  const refused = REFUSED.find((name) => isOn(query.get(name)));
  if (refused === undefined) return;
  throw queryError(
    "NOT_IMPLEMENTED",
    `Parameter ${refused} is not supported by the embedded ClickHouse`,
  );
}

function readQueryId(query: URLSearchParams): string {
  const queryId = query.get("query_id") || crypto.randomUUID();
  if (QUERY_ID.test(queryId)) return queryId;
  throw queryError("BAD_ARGUMENTS", "A query_id is 1 to 200 letters, digits and . _ : -");
}

function readSession(
  query: URLSearchParams,
  headers: Headers,
  options: { queryId: string; readOnly: boolean },
): SessionOptions {
  const settings: Record<string, string> = {};
  const parameters: Record<string, string> = {};
  for (const [name, value] of query) {
    if (name.startsWith("param_")) parameters[name.slice("param_".length)] = value;
    else if (!OWN.has(name)) settings[name] = value;
  }
  // The engine gives its queries ids of its own; the comment is how KILL QUERY finds this one.
  settings.log_comment = commentOf(options.queryId) + (settings.log_comment ?? "");
  return {
    database: query.get("database") ?? headers.get("x-clickhouse-database") ?? undefined,
    settings,
    parameters,
    readOnly: options.readOnly,
  };
}

/** How the comment of a query with this id begins. */
export function commentOf(queryId: string): string {
  return `query_id=${queryId} `;
}

/** The body, decompressed. @throws {QueryError} when it is too large, or compressed in a way that is not known */
async function readBody(request: Request, bodyBytesMax: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (!["identity", "", "gzip", "deflate"].includes(encoding)) {
    throw queryError(
      "UNKNOWN_COMPRESSION_METHOD",
      `Unknown compression method ${encoding}: the embedded ClickHouse reads gzip and deflate`,
    );
  }
  const plain = encoding === "gzip" || encoding === "deflate"
    ? request.body.pipeThrough(new DecompressionStream(encoding))
    : request.body;
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of plain) {
      pieces.push(piece);
      length += piece.length;
      if (length > bodyBytesMax) break;
    }
  } catch {
    throw queryError("CANNOT_DECOMPRESS", `Cannot read the body: it is not whole ${encoding} data`);
  }
  if (length > bodyBytesMax) {
    throw queryError(
      "TOO_MANY_BYTES",
      `The body is larger than ${bodyBytesMax} bytes: send the rows in several inserts`,
    );
  }
  return joined(pieces, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();
const encoder = new TextEncoder();

interface Parts {
  readonly sql: string;
  readonly data: Uint8Array | undefined;
  readonly statement: Statement;
}

/** Statement and data: of the URL, then of the body, as one text. */
function splitText(fromUrl: string, body: Uint8Array): Parts {
  const url = encoder.encode(fromUrl);
  const separator = url.length > 0 && body.length > 0 ? [0x0a] : [];
  // A statement of ordinary size is read without the data behind it, which may be large.
  const inUrl = url.length === 0 ? undefined : readStatement(binaryText(url));
  const isWhole = inUrl?.dataStart !== undefined && onlyBlank(url.subarray(inUrl.dataStart));
  if (isWhole && inUrl.format!.toLowerCase() !== "values") {
    return {
      sql: utf8.decode(url.subarray(0, inUrl.dataStart)).trimEnd(),
      data: body,
      statement: inUrl,
    };
  }
  const whole = joined(
    [url, Uint8Array.from(separator), body],
    url.length + separator.length + body.length,
  );
  const statement = readStatement(binaryText(whole));
  const end = statement.dataStart ?? whole.length;
  const data = statement.dataStart === undefined ? undefined : whole.slice(end);
  return { sql: utf8.decode(whole.subarray(0, end)).trim(), data, statement };
}

function onlyBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** One character a byte. `latin1` of the Encoding standard is windows-1252, which differs in 0x80 to 0x9F. */
function binaryText(bytes: Uint8Array): string {
  const plain = bytes.every((byte) => byte < 0x80);
  if (plain) return latin1.decode(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/**
 * Reads a request of ClickHouse's HTTP interface.
 *
 * @throws {QueryError} for what this server does not take
 */
export async function readRequest(
  request: Request,
  options: { url: URL; bodyBytesMax: number },
): Promise<QueryRequest> {
  const query = options.url.searchParams;
  checkSupported(query);
  const queryId = readQueryId(query);
  const body = await readBody(request, options.bodyBytesMax);
  const { sql, data, statement } = splitText(query.get("query") ?? "", body);
  if (sql === "") throw queryError("SYNTAX_ERROR", "Syntax error: the query is empty");
  const named = data === undefined ? statement.format : undefined;
  const format = formatOf(
    named ?? query.get("default_format") ?? request.headers.get("x-clickhouse-format") ??
      "TabSeparated",
  );
  return {
    queryId,
    sql,
    data: data === undefined ? undefined : insertableData(statement.format!, data),
    statement,
    format,
    session: readSession(query, request.headers, { queryId, readOnly: request.method === "GET" }),
    gzip: isOn(query.get("enable_http_compression")) &&
      /\bgzip\b/i.test(request.headers.get("accept-encoding") ?? ""),
    waitEnd: isOn(query.get("wait_end_of_query")),
  };
}
