import { messageOf, parseDurationMs, parseSizeBytes, UsageError } from "../base/mod.ts";
import { formatMeasure, MEASURES } from "./measures.ts";
import type { Measure, MeasuredResult, MeasureUnit } from "./measures.ts";
import type { ThresholdOutcome } from "./result.ts";

const OPERATORS = {
  "<": (value: number, bound: number) => value < bound,
  "<=": (value: number, bound: number) => value <= bound,
  ">": (value: number, bound: number) => value > bound,
  ">=": (value: number, bound: number) => value >= bound,
} as const;

/** What a result must keep. */
export interface Threshold {
  /** As typed. */
  readonly text: string;
  readonly measure: Measure;
  readonly operator: keyof typeof OPERATORS;
  /** In the measure's unit, or a share of the scheduled rate. */
  readonly bound: number;
  readonly isShareOfSchedule: boolean;
  readonly byDefault: boolean;
}

/** Holds for every run unless another threshold for the rate is given. */
const DEFAULT_RATE = "rate>=99%";

/**
 * By this much the last receipt may follow the schedule's end before the default for the rate is missed. The last message's own latency is in the
 * time that the rate is taken over: 15 ms of it are 1.5 % of a run of one second, and say nothing about the rate. From 25 s on it decides nothing.
 */
const DEFAULT_RATE_TAIL_SEC = 0.25;

const FORM = /^([A-Za-z][A-Za-z0-9.]*)\s*(<=|>=|<|>)\s*(\S+(?: \S+)?)$/;

const EXPECTED: Readonly<Record<MeasureUnit, string>> = {
  us: "a duration such as 50ms or 1s",
  bytes: "a size such as 512MiB or 1GB",
  ratePerSec: "messages per second such as 49900 or 50k, or a share of the schedule such as 99%",
  ns: "nanoseconds such as 16000",
  seconds: "a duration such as 90s",
  cores: "a number such as 0.8",
  count: "a number such as 0",
};

function plainNumber(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|M)?$/.exec(text);
  if (match === null) throw new RangeError("not a number");
  return Number(match[1]) * ({ k: 1e3, M: 1e6 }[match[2] ?? ""] ?? 1);
}

function boundOf(text: string, unit: MeasureUnit): number {
  switch (unit) {
    case "us":
      return parseDurationMs(text) * 1000;
    case "seconds":
      return parseDurationMs(text) / 1000;
    case "bytes":
      return parseSizeBytes(text);
    case "ns":
      return plainNumber(text.replace(/ns$/, ""));
    case "ratePerSec":
      return plainNumber(text.replace(/\/s$/, ""));
    case "cores":
    case "count":
      return plainNumber(text);
  }
}

/** Names nearest to what was typed: those that share its beginning, or its last part. */
function namesLike(typed: string): string {
  const [head = ""] = typed.split(".");
  const sameHead = MEASURES.filter(({ name }) => name.split(".")[0] === head);
  const shown = sameHead.length > 0
    ? sameHead.map(({ name }) => name)
    : [...new Set(MEASURES.map(({ name }) => name.split(".")[0]!))];
  return shown.join(", ");
}

function parseThreshold(text: string, byDefault: boolean): Threshold {
  const match = FORM.exec(text.trim());
  if (match === null) throw new RangeError("expected e.g. windowVisible.p99<1s");
  const [, name = "", operator = "", value = ""] = match;
  const measure = MEASURES.find((one) => one.name === name);
  if (measure === undefined) {
    throw new RangeError(`${JSON.stringify(name)} is not measured, expected ${namesLike(name)}`);
  }
  const share = measure.unit === "ratePerSec" ? /^(\d+(?:\.\d+)?)%$/.exec(value) : null;
  const common = { text, measure, operator: operator as keyof typeof OPERATORS, byDefault };
  if (share !== null) {
    return { ...common, bound: Number(share[1]) / 100, isShareOfSchedule: true };
  }
  try {
    return { ...common, bound: boundOf(value, measure.unit), isShareOfSchedule: false };
  } catch {
    throw new RangeError(`${JSON.stringify(value)} is not ${EXPECTED[measure.unit]}`);
  }
}

/**
 * Says what is wrong with one threshold as typed; whoever calls names the text.
 *
 * @throws {RangeError} when it cannot be read
 */
export function checkThreshold(text: string): void {
  parseThreshold(text, false);
}

/**
 * Reads thresholds as a person types them, e.g. `windowVisible.p99<1s`, `rate>=99%`, `rssBytesMax.total<1GiB`.
 *
 * @returns them all, with the default for the rate unless one for the rate is given
 * @throws {UsageError} with every threshold that cannot be read
 *
 * @example
 * ```ts
 * import { parseThresholds } from "./thresholds.ts";
 * import assert from "node:assert/strict";
 * const [first] = parseThresholds(["publish.p99<=50ms"]);
 * assert.equal(first?.bound, 50_000); // µs
 * ```
 */
export function parseThresholds(texts: readonly string[]): Threshold[] {
  const thresholds: Threshold[] = [];
  const faults: string[] = [];
  for (const text of texts) {
    try {
      thresholds.push(parseThreshold(text, false));
    } catch (error) {
      faults.push(`Cannot read threshold ${JSON.stringify(text)}: ${messageOf(error)}`);
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join("; "));
  if (!thresholds.some(({ measure }) => measure.name === "rate")) {
    thresholds.push(parseThreshold(DEFAULT_RATE, true));
  }
  return thresholds;
}

/** Whether everything sent was acknowledged so soon after its schedule that only the last message's latency keeps the rate down. */
function isOnlyTail({ messages, rateMessagesPerSec, scheduledRateMessagesPerSec }: MeasuredResult) {
  if (rateMessagesPerSec === null || scheduledRateMessagesPerSec === null) return false;
  if (messages.acked < messages.sent) return false;
  const tookSec = messages.acked / rateMessagesPerSec;
  const plannedSec = messages.acked / scheduledRateMessagesPerSec;
  return tookSec - plannedSec <= DEFAULT_RATE_TAIL_SEC;
}

/**
 * Holds a result against thresholds.
 *
 * @returns one outcome each; `actualValue` null and `met` false where there is nothing to hold against
 */
export function evaluateThresholds(
  thresholds: readonly Threshold[],
  result: MeasuredResult,
): ThresholdOutcome[] {
  return thresholds.map(({ text, measure, operator, bound, isShareOfSchedule, byDefault }) => {
    const value = measure.valueOf(result);
    const scheduled = result.scheduledRateMessagesPerSec;
    const scale = isShareOfSchedule ? scheduled : 1;
    if (value === null || !Number.isFinite(value) || scale === null) {
      return { text, met: false, actual: "not measured", actualValue: null, byDefault };
    }
    const share = isShareOfSchedule ? ` (${((100 * value) / scale).toFixed(2)}%)` : "";
    return {
      text,
      met: OPERATORS[operator](value, bound * scale) || byDefault && isOnlyTail(result),
      actual: formatMeasure(value, measure.unit) + share,
      actualValue: value,
      byDefault,
    };
  });
}
