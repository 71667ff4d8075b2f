import { formatCount, formatDurationMs } from "../base/mod.ts";

/** Exponents of what a quantity is made of; things that are merely counted (rows, windows, cores …) have none. */
export interface Dimension {
  readonly messages: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** A number with its unit, in messages, bytes and seconds. */
export interface Quantity {
  readonly value: number;
  readonly dimension: Dimension;
  /** As typed. */
  readonly text: string;
}

interface Unit {
  readonly factor: number;
  readonly dimension: Dimension;
}

/** Of what is merely counted. */
export const PLAIN: Dimension = { messages: 0, bytes: 0, seconds: 0 };
const MESSAGES: Dimension = { ...PLAIN, messages: 1 };
const BYTES: Dimension = { ...PLAIN, bytes: 1 };
const SECONDS: Dimension = { ...PLAIN, seconds: 1 };

const MULTIPLIERS: ReadonlyMap<string, number> = new Map([
  ["k", 1e3],
  ["thousand", 1e3],
  ["M", 1e6],
  ["million", 1e6],
  ["bn", 1e9],
  ["billion", 1e9],
]);

function unitsOf(
  dimension: Dimension,
  table: Readonly<Record<string, number>>,
): [string, Unit][] {
  return Object.entries(table).flatMap(([names, factor]) =>
    names.split(" ").map((name): [string, Unit] => [name, { factor, dimension }])
  );
}

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ...unitsOf(MESSAGES, { "message messages msg msgs event events record records": 1 }),
  ...unitsOf(SECONDS, {
    ns: 1e-9,
    "us µs": 1e-6,
    ms: 1e-3,
    "s sec second seconds": 1,
    "m min minute minutes": 60,
    "h hour hours": 3600,
    "d day days": 86_400,
  }),
  ...unitsOf(BYTES, {
    "B byte bytes": 1,
    "kB KB": 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
    TiB: 1024 ** 4,
    "bit bits": 1 / 8,
    "kbit Kbit": 1e3 / 8,
    Mbit: 1e6 / 8,
    Gbit: 1e9 / 8,
  }),
  ...unitsOf(PLAIN, {
    "row rows window windows source sources partition partitions batch batches request requests client clients core cores":
      1,
    "%": 0.01,
  }),
]);

const FORM = /^([\d,]*\.?\d+(?:e[+-]?\d+)?)\s*(.*)$/;

/** The unit that a name such as `kB`, `k messages`, `million` or nothing stands for. */
function unitOf(name: string): Unit | undefined {
  if (name === "") return { factor: 1, dimension: PLAIN };
  const whole = UNITS.get(name);
  if (whole !== undefined) return whole;
  const [, prefix = "", rest = ""] = /^(k|M|bn|thousand|million|billion)(?:\s+(.*))?$/.exec(name) ??
    [];
  const multiplier = MULTIPLIERS.get(prefix);
  const unit = rest === "" ? { factor: 1, dimension: PLAIN } : UNITS.get(rest);
  if (multiplier === undefined || unit === undefined) return undefined;
  return { factor: multiplier * unit.factor, dimension: unit.dimension };
}

/** A dimension times another to a power. */
export function combine(one: Dimension, other: Dimension, power: 1 | -1): Dimension {
  return {
    messages: one.messages + power * other.messages,
    bytes: one.bytes + power * other.bytes,
    seconds: one.seconds + power * other.seconds,
  };
}

/** Whether two dimensions are one. */
export function isSameDimension(one: Dimension, other: Dimension): boolean {
  return one.messages === other.messages && one.bytes === other.bytes &&
    one.seconds === other.seconds;
}

/**
 * Reads a number with its unit, as people write it: `50,000 messages/s`, `3 min`, `9M messages`, `177 B/message`,
 * `1 Gbit/s`, `500 rows`. `m` is a minute and `M` a million; `MB` are 10⁶ bytes, `MiB` 2²⁰.
 *
 * @throws {RangeError} when there is no number, or a unit is not known
 *
 * @example
 * ```ts
 * import { parseQuantity } from "./quantity.ts";
 * import assert from "node:assert/strict";
 * assert.equal(parseQuantity("3k messages/min").value, 50); // messages a second
 * assert.equal(parseQuantity("1 Gbit/s").value, 125_000_000); // bytes a second
 * ```
 */
export function parseQuantity(text: string): Quantity {
  const match = FORM.exec(text.trim());
  if (match === null) {
    throw new RangeError(
      `Cannot read quantity ${
        JSON.stringify(text)
      }: expected a number with its unit, e.g. 50k messages/s`,
    );
  }
  const parts = match[2]!.split(/\s*\/\s*|\s+per\s+|^per\s+/);
  let value = Number(match[1]!.replaceAll(",", ""));
  let dimension = PLAIN;
  parts.forEach((name, i) => {
    const unit = unitOf(name.trim());
    if (unit === undefined) {
      throw new RangeError(
        `Cannot read quantity ${JSON.stringify(text)}: unit ${
          JSON.stringify(name)
        } is not known, ` +
          "expected e.g. messages/s, ms, MB/s, rows, windows, cores",
      );
    }
    value = i === 0 ? value * unit.factor : value / unit.factor;
    dimension = combine(dimension, unit.dimension, i === 0 ? 1 : -1);
  });
  return { value, dimension, text: text.trim() };
}

function nameOf(singular: string, power: number): string {
  return power === 1 ? singular : `${singular}^${power}`;
}

/** The unit of a dimension, e.g. `messages/s`; empty for what is merely counted. */
export function unitText({ messages, bytes, seconds }: Dimension): string {
  const above = [
    messages > 0 ? nameOf("messages", messages) : "",
    bytes > 0 ? nameOf("B", bytes) : "",
    seconds > 0 ? nameOf("s", seconds) : "",
  ].filter((name) => name !== "");
  const below = [
    messages < 0 ? `/${nameOf("message", -messages)}` : "",
    bytes < 0 ? `/${nameOf("B", -bytes)}` : "",
    seconds < 0 ? `/${nameOf("s", -seconds)}` : "",
  ];
  return (above.length === 0 && below.join("") !== "" ? "1" : above.join("·")) + below.join("");
}

const SI = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const;

function numberText(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(value) : String(Number(value.toPrecision(3)));
}

/** A value for a person, in a unit of fitting size. */
export function formatQuantity(value: number, dimension: Dimension): string {
  const { messages, bytes, seconds } = dimension;
  const perMessage = messages === -1 ? "/message" : "";
  if (seconds === 1 && bytes === 0 && messages <= 0) {
    return formatDurationMs(value * 1000) + perMessage;
  }
  if (bytes === 1 && messages <= 0 && seconds <= 0) {
    const [size, name] = SI.find(([size]) => Math.abs(value) >= size) ?? [1, "B"];
    return `${numberText(value / size)} ${name}${unitText({ ...dimension, bytes: 0 }).slice(1)}`;
  }
  return `${numberText(value)} ${unitText(dimension)}`.trim();
}
