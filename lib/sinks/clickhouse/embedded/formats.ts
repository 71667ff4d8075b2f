import { queryError } from "./errors.ts";

interface Format {
  readonly contentType: string;
  /** How INSERT takes it: as JSON values, as lines, as SQL, or not at all. */
  readonly input: "json" | "lines" | "sql" | "none";
}

const TEXT = "text/plain; charset=UTF-8";
const TSV = "text/tab-separated-values; charset=UTF-8";
const CSV = "text/csv; charset=UTF-8; header=absent";
const CSV_NAMES = "text/csv; charset=UTF-8; header=present";
const JSON_TYPE = "application/json; charset=UTF-8";
const JSON_LINES = "application/x-ndjson; charset=UTF-8";
const BINARY = "application/octet-stream";

/** The formats of this server, by ClickHouse's name; docs/clickhouse.md lists them. */
const FORMATS: Readonly<Record<string, Format>> = {
  TabSeparated: { contentType: TSV, input: "lines" },
  TabSeparatedRaw: { contentType: TSV, input: "none" },
  TabSeparatedWithNames: { contentType: TSV, input: "lines" },
  TabSeparatedWithNamesAndTypes: { contentType: TSV, input: "lines" },
  CSV: { contentType: CSV, input: "lines" },
  CSVWithNames: { contentType: CSV_NAMES, input: "lines" },
  CSVWithNamesAndTypes: { contentType: CSV_NAMES, input: "lines" },
  Values: { contentType: TEXT, input: "sql" },
  JSON: { contentType: JSON_TYPE, input: "json" },
  JSONStrings: { contentType: JSON_TYPE, input: "none" },
  JSONCompact: { contentType: JSON_TYPE, input: "json" },
  JSONCompactStrings: { contentType: JSON_TYPE, input: "none" },
  JSONColumns: { contentType: JSON_TYPE, input: "json" },
  JSONColumnsWithMetadata: { contentType: JSON_TYPE, input: "json" },
  JSONCompactColumns: { contentType: JSON_TYPE, input: "json" },
  JSONObjectEachRow: { contentType: JSON_TYPE, input: "json" },
  JSONEachRow: { contentType: JSON_LINES, input: "json" },
  JSONEachRowWithProgress: { contentType: JSON_LINES, input: "none" },
  JSONStringsEachRow: { contentType: JSON_LINES, input: "json" },
  JSONCompactEachRow: { contentType: JSON_LINES, input: "json" },
  JSONCompactEachRowWithNames: { contentType: JSON_LINES, input: "json" },
  JSONCompactEachRowWithNamesAndTypes: { contentType: JSON_LINES, input: "json" },
  JSONCompactStringsEachRow: { contentType: JSON_LINES, input: "json" },
  JSONCompactStringsEachRowWithNames: { contentType: JSON_LINES, input: "json" },
  JSONCompactStringsEachRowWithNamesAndTypes: { contentType: JSON_LINES, input: "json" },
  Pretty: { contentType: TEXT, input: "none" },
  PrettyCompact: { contentType: TEXT, input: "none" },
  PrettyCompactMonoBlock: { contentType: TEXT, input: "none" },
  PrettyNoEscapes: { contentType: TEXT, input: "none" },
  Vertical: { contentType: TEXT, input: "none" },
  Markdown: { contentType: "text/markdown; charset=UTF-8", input: "none" },
  Null: { contentType: TEXT, input: "none" },
  RowBinary: { contentType: BINARY, input: "none" },
  RowBinaryWithNames: { contentType: BINARY, input: "none" },
  RowBinaryWithNamesAndTypes: { contentType: BINARY, input: "none" },
  Native: { contentType: BINARY, input: "none" },
  Parquet: { contentType: BINARY, input: "none" },
};

const ALIASES: Readonly<Record<string, string>> = {
  TSV: "TabSeparated",
  TSVRaw: "TabSeparatedRaw",
  TSVWithNames: "TabSeparatedWithNames",
  TSVWithNamesAndTypes: "TabSeparatedWithNamesAndTypes",
  JSONLines: "JSONEachRow",
  NDJSON: "JSONEachRow",
};

const CANONICAL = new Map(
  [...Object.keys(FORMATS).map((name) => [name, name] as const), ...Object.entries(ALIASES)]
    .map(([alias, name]) => [alias.toLowerCase(), name] as const),
);

/** The names of all formats, as `docs/clickhouse.md` lists them. */
export const FORMAT_NAMES: readonly string[] = Object.keys(FORMATS);

/**
 * The format of a name, which ClickHouse reads without regard to case.
 *
 * @throws {QueryError} UNKNOWN_FORMAT for one that this server does not have
 */
export function formatOf(name: string): Format & { readonly name: string } {
  const canonical = CANONICAL.get(name.toLowerCase());
  if (canonical === undefined) {
    throw queryError(
      "UNKNOWN_FORMAT",
      `Unknown format ${name}. The embedded ClickHouse has ${FORMAT_NAMES.join(", ")}`,
    );
  }
  return { name: canonical, ...FORMATS[canonical]! };
}

const LINE_END = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function hasBlankLine(data: Uint8Array): boolean {
  for (let at = data.indexOf(LINE_END); at >= 0; at = data.indexOf(LINE_END, at + 1)) {
    if (data[at + 1] === LINE_END) return true;
  }
  return false;
}

/** Between JSON values a line end is blank, within a text it can be written as `\n`: so no line end is needed at all. */
function withoutLineEnds(data: Uint8Array): Uint8Array {
  const written = new Uint8Array(data.length * 2);
  let length = 0;
  let inText = false;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at]!;
    if (byte === QUOTE) inText = !inText;
    if (byte === LINE_END) {
      if (inText) written[length++] = BACKSLASH;
      written[length++] = inText ? 0x6e : 0x20;
      continue;
    }
    written[length++] = byte;
    if (byte === BACKSLASH && at + 1 < data.length) written[length++] = data[++at]!;
  }
  return written.subarray(0, length);
}

/**
 * The data of an INSERT as the engine may read them: to it an empty line ends the data, and what follows is the next statement.
 *
 * @throws {QueryError} for a format that cannot be inserted, or an empty line that cannot be written otherwise
 */
export function insertableData(formatName: string, data: Uint8Array): Uint8Array {
  const format = formatOf(formatName);
  if (format.input === "none") {
    throw queryError(
      "NOT_IMPLEMENTED",
      `Format ${format.name} is not supported for INSERT by the embedded ClickHouse: use JSONEachRow, JSONCompactEachRow, CSV or TabSeparated`,
    );
  }
  if (format.input === "sql" || !hasBlankLine(data)) return data;
  if (format.input === "json") return withoutLineEnds(data);
  throw queryError(
    "NOT_IMPLEMENTED",
    `An empty line in ${format.name} is not supported for INSERT by the embedded ClickHouse: use JSONEachRow`,
  );
}
