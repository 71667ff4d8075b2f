/**
 * Reads as much of a statement as this server must know: what kind it is, which format it names, where the data of an INSERT begin, and what the engine's grants
 * do not cover. Tokens follow ClickHouse's lexer (src/Parsers/Lexer.cpp). Text is Latin-1, so that an index is a byte.
 *
 * @module
 */
import { queryError } from "./errors.ts";

interface Token {
  readonly kind: "word" | "name" | "string" | "other";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What this server must know of a statement. */
export interface Statement {
  /** The first word in capitals, e.g. `SELECT`. */
  readonly verb: string;
  /** The format that it names, of its answer or of its data. */
  readonly format: string | undefined;
  /** Where the data of an INSERT begin, or undefined where it takes none. */
  readonly dataStart: number | undefined;
  /** It reads rows and holds no subquery: planning it cannot take long. */
  readonly isPlainSelect: boolean;
}

// Whitespace, comments (`--`, `#!`, `# `, `/* */`), then one token. Typographic quotes are quotes to ClickHouse: E2 80 98/99 and E2 80 9C/9D.
const SKIP = /(?:[\s\0]+|--[^\n]*|#[ !][^\n]*|\/\*[^]*?(?:\*\/|$))*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_$]*/y;
const NUMBER = /[0-9][A-Za-z0-9_.]*/y;
const STRING = /'[^'\\]*(?:(?:\\[^]|'')[^'\\]*)*'|\xE2\x80\x98[^]*?\xE2\x80\x99/y;
const NAME =
  /"[^"\\]*(?:(?:\\[^]|"")[^"\\]*)*"|`[^`\\]*(?:(?:\\[^]|``)[^`\\]*)*`|\xE2\x80\x9C[^]*?\xE2\x80\x9D/y;
const HEREDOC = /\$(\w*)\$[^]*?\$\1\$/y;

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function readToken(text: string, from: number): Token | undefined {
  const start = matchAt(SKIP, text, from);
  if (start >= text.length) return undefined;
  const kinds = [
    ["word", WORD],
    ["string", STRING],
    ["name", NAME],
    ["string", HEREDOC],
    ["other", NUMBER],
  ] as const;
  for (const [kind, pattern] of kinds) {
    const end = matchAt(pattern, text, start);
    if (end > start) return { kind, text: text.slice(start, end), start, end };
  }
  return { kind: "other", text: text[start]!, start, end: start + 1 };
}

/** Engines of tables and databases that keep their data in the data folder and reach nothing else. */
const ENGINES = new Set([
  "MergeTree",
  "ReplacingMergeTree",
  "SummingMergeTree",
  "AggregatingMergeTree",
  "CollapsingMergeTree",
  "VersionedCollapsingMergeTree",
  "Memory",
  "Null",
  "Log",
  "TinyLog",
  "StripeLog",
  "Join",
  "Set",
  "Buffer",
  "Merge",
  "View",
  "MaterializedView",
  "GenerateRandom",
  "Atomic",
]);

// What may follow a column that is called `engine`.
const AFTER_COLUMN =
  /^(FROM|AS|IN|IS|NOT|AND|OR|LIKE|ILIKE|ORDER|LIMIT|DESC|ASC|FORMAT|SETTINGS|HAVING|WHERE|UNION|GROUP|GLOBAL|BETWEEN|THEN|ELSE|END)$/i;

class Scanner {
  depth = 0;
  verb = "";
  format: string | undefined;
  dataStart: number | undefined;
  selects = 0;
  previous: Token | undefined;
  closed = false;

  constructor(readonly text: string) {}

  run(): void {
    let token = readToken(this.text, 0);
    while (token !== undefined && (this.dataStart === undefined || this.isSqlData())) {
      this.take(token);
      this.previous = token;
      token = readToken(this.text, token.end);
    }
  }

  /** Data of this format end at a semicolon, and the engine would run what follows. */
  isSqlData(): boolean {
    return this.format?.toLowerCase() === "values";
  }

  take(token: Token): void {
    if (token.text === ";") {
      this.closed = true;
      return;
    }
    if (this.closed) throw queryError("SYNTAX_ERROR", "Multi-statements are not allowed");
    if (token.text === "(" || token.text === "[" || token.text === "{") this.depth++;
    if (token.text === ")" || token.text === "]" || token.text === "}") this.depth--;
    if (this.dataStart === undefined) this.#refuseDisk(token);
    if (token.kind === "word" && this.dataStart === undefined) {
      this.#word(token, token.text.toUpperCase());
    }
  }

  #word(token: Token, word: string): void {
    this.verb ||= word;
    const next = readToken(this.text, token.end);
    if (word === "SELECT") this.selects++;
    if (word === "ENGINE") this.#engine(next);
    if (this.depth > 0 || this.previous?.text === ".") return;
    if (word === "FORMAT" && next?.kind === "word") this.#format(next);
    if (word === "VALUES" && this.verb === "INSERT" && this.selects === 0 && !this.#isTarget()) {
      this.format = "Values";
      this.dataStart = token.end;
    }
  }

  /** `disk(type = …)` makes a disk of a table or database anywhere, also over the network, as soon as the statement is read. */
  #refuseDisk(token: Token): void {
    const name = token.kind === "name" ? token.text.slice(1, -1) : token.text;
    const isName = token.kind === "name" || token.kind === "word";
    const mayBe = /^disk$/i.test(name) || (token.kind === "name" && /\\|\xE2/.test(token.text));
    if (!isName || !mayBe || readToken(this.text, token.end)?.text !== "(") return;
    throw queryError(
      "ACCESS_DENIED",
      "Not enough privileges. The embedded ClickHouse makes no disks, and calls nothing by a quoted name with a backslash",
    );
  }

  /** A table may be called `values`. */
  #isTarget(): boolean {
    return ["INTO", "TABLE", "."].includes(this.previous?.text.toUpperCase() ?? "");
  }

  #format(name: Token): void {
    const after = readToken(this.text, name.end);
    const ends = after === undefined || after.text === ";" || /^settings$/i.test(after.text);
    if (this.verb === "INSERT") {
      this.format = name.text;
      // As ClickHouse's parser: blanks, then at most one line end, are not data.
      this.dataStart = matchAt(/[ \t\r\f\v]*\n?/y, this.text, name.end);
    } else if (ends) this.format = name.text;
  }

  #engine(next: Token | undefined): void {
    const named = next?.text === "=" ? readToken(this.text, next.end) : next;
    const isClause = next?.text === "=" || next?.kind === "name" ||
      (next?.kind === "word" && !AFTER_COLUMN.test(next.text));
    if (!isClause || named === undefined) return;
    if (next?.text === "=" && named.kind === "string") return;
    if (named.kind === "word" && ENGINES.has(named.text)) return;
    const engines = [...ENGINES].join(", ");
    throw queryError(
      "ACCESS_DENIED",
      `Not enough privileges. The embedded ClickHouse has no engine ${named.text}: it has ${engines}`,
    );
  }
}

/**
 * Reads a statement.
 *
 * @param text the statement, one character a byte, with or without the data of an INSERT
 * @throws {QueryError} for several statements, INTO OUTFILE, FROM INFILE and engines that reach outside of the data folder
 */
export function readStatement(text: string): Statement {
  const scanner = new Scanner(text);
  scanner.run();
  const { verb, format, dataStart, selects } = scanner;
  const statement = text.slice(0, dataStart);
  // The two that the engine's grants do not cover: its client part reads and writes files itself. A keyword cannot be written in another way.
  if (/outfile|infile/i.test(statement)) {
    throw queryError(
      "ACCESS_DENIED",
      "Not enough privileges. INTO OUTFILE and FROM INFILE are refused, and so is a statement with these words in a text: pass it as a query parameter",
    );
  }
  const isPlainSelect = selects === 1 && (verb === "SELECT" || verb === "FROM");
  return { verb, format, dataStart, isPlainSelect };
}
