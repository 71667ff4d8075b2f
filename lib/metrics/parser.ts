import type { CumulativeBuckets } from "./buckets.ts";
import { MetricsError } from "./error.ts";

/** One scrape of one process, labels summed away. */
export interface Scrape {
  /** Counters and gauges by name. */
  readonly values: Readonly<Record<string, number>>;
  /** Histograms by name, without their `_sum` and `_count`, which are in `values`. */
  readonly buckets: Readonly<Record<string, CumulativeBuckets>>;
}

interface Line {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;

/**
 * Reads Prometheus's text exposition format 0.0.4 and sums each metric over its labels; the buckets of a histogram
 * over all labels but `le`.
 *
 * @param text the body of a scrape
 * @throws {MetricsError} `bad_line`, with its number
 *
 * @example
 * ```ts
 * import { parseExposition } from "./parser.ts";
 * import assert from "node:assert/strict";
 * const scrape = parseExposition('rows_total{partition="0"} 2\nrows_total{partition="1"} 3\n');
 * assert.equal(scrape.values["rows_total"], 5);
 * ```
 */
export function parseExposition(text: string): Scrape {
  const values = new Map<string, number>();
  const bounds = new Map<string, Map<number, number>>();
  text.split("\n").forEach((raw, index) => {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const { name, labels, value } = parseLine(trimmed, index + 1);
    const bound = labels.get("le");
    if (bound === undefined || !name.endsWith("_bucket")) return addTo(values, name, value);
    const family = name.slice(0, -"_bucket".length);
    const counts = bounds.get(family) ?? new Map<number, number>();
    addTo(counts, parseNumber(bound, index + 1), value);
    bounds.set(family, counts);
  });
  const buckets = [...bounds].map(([name, counts]) =>
    [name, [...counts].sort((a, b) => a[0] - b[0])] as const
  );
  return { values: Object.fromEntries(values), buckets: Object.fromEntries(buckets) };
}

function addTo<Key>(sums: Map<Key, number>, key: Key, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function parseLine(line: string, lineNumber: number): Line {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw badLine(lineNumber, line);
  const labels = new Map<string, string>();
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    const end = readLabels(rest, labels);
    if (end === undefined) throw badLine(lineNumber, line);
    rest = rest.slice(end);
  }
  // A time stamp may follow the value.
  const [value, , extra] = rest.trim().split(/\s+/);
  if (value === undefined || value === "" || extra !== undefined) throw badLine(lineNumber, line);
  return { name, labels, value: parseNumber(value, lineNumber) };
}

/** @returns where the labels end, or undefined when they are no labels */
function readLabels(text: string, labels: Map<string, string>): number | undefined {
  let at = 1;
  for (;;) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) break;
    labels.set(match[1]!, unescapeLabel(match[2]!));
    at = LABEL.lastIndex;
  }
  while (text[at] === " ") at++;
  return text[at] === "}" ? at + 1 : undefined;
}

function unescapeLabel(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter: string) => letter === "n" ? "\n" : letter);
}

function parseNumber(text: string, lineNumber: number): number {
  if (text === "+Inf" || text === "Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  if (text === "NaN") return NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw badLine(lineNumber, text);
  return Number(text);
}

function badLine(lineNumber: number, line: string): MetricsError {
  const shown = JSON.stringify(line.slice(0, 80));
  return new MetricsError(`Cannot read metrics: line ${lineNumber} is ${shown}`, {
    code: "bad_line",
  });
}
