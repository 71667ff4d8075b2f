import {
  formatBytes,
  formatDurationMs,
  parseDurationMs,
  parseSizeBytes,
  UsageError,
} from "../lib/base/mod.ts";

/** What kinds of value a flag takes. Durations are read into ms, sizes into bytes, shares are 0 to 1. */
interface Kinds {
  readonly text: string;
  readonly count: number;
  readonly number: number;
  readonly share: number;
  readonly duration: number;
  readonly size: number;
  readonly boolean: boolean;
  readonly list: readonly string[];
}

/** How one flag is read, and what `--help` says of it. */
export interface FlagSpec {
  readonly kind: keyof Kinds;
  readonly help: string;
  /** Value as a person would type it; a flag without one is undefined when absent. */
  readonly default?: string;
  /** A value for whoever forgot it; made up from the kind unless told. */
  readonly example?: string;
  /** Smallest value, for numbers, in the unit that the value is read into. */
  readonly min?: number;
  readonly max?: number;
  /** The only texts allowed. */
  readonly choices?: readonly string[];
  /** Environment variables beside `WEIR_<FLAG>`, in the order they are asked. */
  readonly env?: readonly string[];
  /** Refuses a text by throwing; the message is shown. */
  readonly check?: (text: string) => void;
}

/** A table of flags by name, as `--help` shows them. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

type Required<Spec extends FlagSpec> = Spec["kind"] extends "boolean" | "list" ? true
  : Spec extends { readonly default: string } ? true
  : false;

/** The values of a table: undefined where a flag has no default. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Required<Table[Name]> extends true ? Kinds[Table[Name]["kind"]]
    : Kinds[Table[Name]["kind"]] | undefined;
};

/** How a job is called. */
export interface Usage {
  /** As typed: `deno task bench50k`. */
  readonly command: string;
  readonly summary: string;
  /** Names of the arguments that are not flags; those in brackets may be left out. */
  readonly positionals?: readonly string[];
  readonly examples?: readonly string[];
}

const COMMON = {
  verbose: { kind: "boolean", help: "say more; show stack traces" },
  help: { kind: "boolean", help: "show this text" },
} as const satisfies FlagTable;

/** The name of a flag's environment variable: WEIR_ and the flag in capitals. */
export function environmentName(flag: string): string {
  return `WEIR_${flag.replaceAll("-", "_").toUpperCase()}`;
}

function readNumber(text: string, spec: FlagSpec, read: (text: string) => number): number {
  const value = read(text);
  if (!Number.isFinite(value)) throw new RangeError("expected a number");
  if (spec.min !== undefined && value < spec.min) {
    throw new RangeError(`expected at least ${shown(spec.min, spec)}`);
  }
  if (spec.max !== undefined && value > spec.max) {
    throw new RangeError(`expected at most ${shown(spec.max, spec)}`);
  }
  return value;
}

/** A bound in the unit that a person would type. */
function shown(bound: number, { kind }: FlagSpec): string {
  if (kind === "duration") return formatDurationMs(bound).replace(" ", "");
  if (kind === "size") return formatBytes(bound).replace(" ", "");
  return String(bound);
}

/** What was typed, without a password that stands in a URL: errors end up in logs. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s]*@/, "$1***@");
}

function readCount(text: string): number {
  const plain = text.replaceAll("_", "");
  if (!/^-?\d+$/.test(plain)) throw new RangeError("expected a whole number");
  return Number(plain);
}

function readDecimal(text: string): number {
  if (!/^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text)) throw new RangeError("expected a number");
  return Number(text);
}

function readDuration(text: string): number {
  try {
    return parseDurationMs(text);
  } catch {
    throw new RangeError("expected a duration with its unit, e.g. 10ms, 5s, 3m");
  }
}

function readSize(text: string): number {
  try {
    return parseSizeBytes(text);
  } catch {
    throw new RangeError("expected a size, e.g. 4096, 64KiB, 2GB");
  }
}

function readBoolean(text: string): boolean {
  if (["", "1", "true", "yes"].includes(text)) return true;
  if (["0", "false", "no"].includes(text)) return false;
  throw new RangeError("expected true or false");
}

function readText(text: string, spec: FlagSpec): string {
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    throw new RangeError(`expected ${spec.choices.join(" or ")}`);
  }
  return text;
}

function readValue(text: string, spec: FlagSpec): string | number | boolean {
  switch (spec.kind) {
    case "count":
      return readNumber(text, spec, readCount);
    case "number":
      return readNumber(text, spec, readDecimal);
    case "share":
      return readNumber(text, { min: 0, max: 1, ...spec }, readDecimal);
    case "duration":
      return readNumber(text, spec, readDuration);
    case "size":
      return readNumber(text, spec, readSize);
    case "boolean":
      return readBoolean(text);
    case "text":
    case "list":
      return readText(text, spec);
  }
}

interface Given {
  readonly name: string;
  readonly text: string;
  /** What the error names: the flag or the variable. */
  readonly from: string;
}

interface Split {
  readonly given: Given[];
  readonly positionals: string[];
  readonly problems: string[];
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
        next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
      }
      row = next;
    }
    return row[b.length]!;
  };
  const ranked = names.map((other) => ({ other, far: distance(name, other) }));
  ranked.sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best !== undefined && best.far <= Math.max(2, name.length / 3) ? best.other : undefined;
}

function splitArguments(table: FlagTable, args: readonly string[]): Split {
  const split: Split = { given: [], positionals: [], problems: [] };
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (argument === "--") {
      split.positionals.push(...args.slice(i + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      split.positionals.push(argument);
      continue;
    }
    const [, name = argument, inline] = /^--([^=]+)(?:=([^]*))?$/.exec(argument) ?? [];
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) {
      const similar = nearest(name.replace(/^-+/, ""), Object.keys(table));
      const cure = similar === undefined ? "see --help" : `did you mean --${similar}?`;
      split.problems.push(`unknown flag ${argument.split("=")[0]}; ${cure}`);
      if (inline === undefined && args[i + 1] !== undefined && !args[i + 1]!.startsWith("-")) i++;
      continue;
    }
    let text = inline;
    if (text === undefined && spec.kind === "boolean") text = "";
    if (text === undefined) {
      text = args[i + 1];
      if (text === undefined || text.startsWith("--")) {
        split.problems.push(`--${name} lacks its value; give e.g. --${name} ${exampleOf(spec)}`);
        continue;
      }
      i++;
    }
    split.given.push({ name, text, from: `--${name}` });
  }
  return split;
}

function exampleOf(spec: FlagSpec): string {
  return spec.example ?? spec.default ?? spec.choices?.[0] ??
    { duration: "5s", size: "1GiB", text: "…" }[
      spec.kind as string
    ] ?? "1";
}

function fromEnvironment(
  table: FlagTable,
  taken: ReadonlySet<string>,
  environment: (name: string) => string | undefined,
): Given[] {
  const given: Given[] = [];
  for (const [name, spec] of Object.entries(table)) {
    if (taken.has(name) || name === "help") continue;
    const variables = [environmentName(name), ...(spec.env ?? [])];
    const variable = variables.find((candidate) => environment(candidate));
    if (variable === undefined) continue;
    given.push({ name, text: environment(variable)!, from: variable });
  }
  return given;
}

/** What a call of a job says. */
export interface ParsedFlags<Table extends FlagTable> {
  readonly flags: FlagValues<Table & typeof COMMON>;
  readonly positionals: readonly string[];
}

/**
 * Reads flags, then the environment (`WEIR_RATE` for `--rate`), then defaults.
 *
 * @param table the flags of the job; `--verbose` and `--help` are added
 * @param usage how it is called
 * @param args without the program's name
 * @param environment reads one variable
 * @throws {UsageError} that names every mistake, one a line
 */
export function parseFlags<const Table extends FlagTable>(
  table: Table,
  usage: Usage,
  args: readonly string[],
  environment: (name: string) => string | undefined = (name) => Deno.env.get(name),
): ParsedFlags<Table> {
  const all: FlagTable = { ...table, ...COMMON };
  const { given, positionals, problems } = splitArguments(all, args);
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(all)) {
    if (spec.kind === "list") values[name] = [];
    else if (spec.kind === "boolean") values[name] = spec.default === "true";
    else if (spec.default !== undefined) values[name] = readValue(spec.default, spec);
  }
  const named = new Set(given.map((one) => one.name));
  for (const one of [...fromEnvironment(all, named, environment), ...given]) {
    const spec = all[one.name]!;
    try {
      const value = readValue(one.text, spec);
      spec.check?.(one.text);
      if (spec.kind === "list") (values[one.name] as unknown[]).push(value);
      else values[one.name] = value;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`${one.from} ${JSON.stringify(withoutPassword(one.text))}: ${why}`);
    }
  }
  const wanted = usage.positionals ?? [];
  if (values.help !== true) {
    if (positionals.length > wanted.length) {
      problems.push(
        `unexpected argument ${JSON.stringify(positionals[wanted.length])}; see --help`,
      );
    }
    const needed = wanted.filter((name) => !name.startsWith("["));
    if (positionals.length < needed.length) {
      problems.push(`lacks ${needed.slice(positionals.length).join(" ")}; see --help`);
    }
    if (problems.length > 0) throw new UsageError(problems.join("\n"));
  }
  return { flags: values as FlagValues<Table & typeof COMMON>, positionals };
}

const COLUMNS = 80;
/** Choices that are longer are named behind the help text, where lines are wrapped. */
const CHOICES_COLUMNS = 60;

/** Text in lines of at most `columns`, cut between words; its own line breaks stay, and so does a line that is set in. */
function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) =>
    line.startsWith(" ") ? [line] : wrapLine(line, columns)
  );
}

function wrapLine(text: string, columns: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1]!;
    if (last !== "" && last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** The text of `--help`. */
export function helpText(table: FlagTable, usage: Usage): string {
  const all: FlagTable = { ...table, ...COMMON };
  const rows = Object.entries(all).map(([name, spec]) => {
    const choices = spec.choices?.join("|");
    const isLong = choices !== undefined && choices.length > CHOICES_COLUMNS;
    const argument = spec.kind === "boolean"
      ? ""
      : ` ${isLong ? "NAME" : choices ?? spec.kind.toUpperCase()}`;
    const named = isLong ? `: ${spec.choices!.join(", ")}` : "";
    const fallback = spec.default === undefined ? "" : ` (default ${spec.default})`;
    return [`  --${name}${argument}`, `${spec.help}${named}${fallback}`] as const;
  });
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)) + 2);
  const lines = rows.map(([left, right]) => {
    const wrapped = wrap(right, COLUMNS - width).join(`\n${" ".repeat(width)}`);
    return left.length < width - 1
      ? left.padEnd(width) + wrapped
      : `${left}\n${" ".repeat(width)}${wrapped}`;
  });
  const positionals = (usage.positionals ?? []).map((name) => ` ${name}`).join("");
  return [
    ...wrap(usage.summary, COLUMNS),
    "",
    `Usage: ${usage.command}${positionals} [flags]`,
    "",
    ...lines,
    "",
    `Each flag has an environment variable: ${environmentName("rate")} for --rate. Flags win.`,
    "Durations take us, ms, s, m, h; sizes take KB, MiB, GB and so on.",
    ...(usage.examples === undefined ? [] : ["", "Examples:"]),
    ...(usage.examples ?? []).map((example) => `  ${example}`),
  ].join("\n");
}
