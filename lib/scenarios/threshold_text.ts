import { UsageError } from "../base/mod.ts";

type Percentile = "p50" | "p90" | "p99" | "p999" | "max";
type LatencyName = "publish" | "delivery" | "windowVisible" | "windowEndToVisible";
type RoleName = "produce" | "broker" | "aggregate" | "clickhouse" | "runner" | "total";

/** What a threshold may look at. */
export type MeasureName =
  | "rate"
  | `${LatencyName | "inserts" | "checkpoints"}.${Percentile}`
  | `${"cpuSeconds" | "cpuCores" | "rssBytesMax"}.${RoleName}`
  | "cpuNsPerMessage"
  | "messages.late"
  | "messages.indeterminate"
  | "restarts";

/** What must hold of one measure. */
export interface ThresholdSpec {
  readonly measure: MeasureName;
  readonly is: "below" | "at most" | "above" | "at least";
  /** With its unit: `50ms`, `1GiB`, `99%` of the schedule for the rate; a plain number for counts. */
  readonly bound: string | number;
}

/**
 * The measure lies below the bound.
 *
 * @example
 * ```ts
 * import { below } from "./threshold_text.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(below("publish.p99", "50ms"), { measure: "publish.p99", is: "below", bound: "50ms" });
 * ```
 */
export function below(measure: MeasureName, bound: string | number): ThresholdSpec {
  return { measure, is: "below", bound };
}

/** The measure is the bound or less; see {@link below}. */
export function atMost(measure: MeasureName, bound: string | number): ThresholdSpec {
  return { measure, is: "at most", bound };
}

/** The measure is the bound or more, e.g. `atLeast("rate", "99%")`; see {@link below}. */
export function atLeast(measure: MeasureName, bound: string | number): ThresholdSpec {
  return { measure, is: "at least", bound };
}

const SIGNS: Readonly<Record<string, string>> = {
  "below": "<",
  "at most": "<=",
  "above": ">",
  "at least": ">=",
};

const SENTENCE =
  /^(?:(p50|p90|p99|p999|p99\.9|max) of )?(\S+) (?:is )?(below|at most|above|at least) (.+?)(,? after warm-up)?$/;

/**
 * A threshold in the form that flags take: of a {@link ThresholdSpec}, of a sentence such as `p99 of windowVisible below 1 s, after warm-up`, or of
 * a text that has that form already.
 *
 * @param hasWarmUp whether the run has one; without it, "after warm-up" would promise what is not so
 * @throws {UsageError} when the sentence asks for a warm-up that there is not
 *
 * @example
 * ```ts
 * import { thresholdText } from "./threshold_text.ts";
 * import assert from "node:assert/strict";
 * assert.equal(thresholdText("p99 of windowVisible below 1 s, after warm-up", true), "windowVisible.p99<1s");
 * assert.equal(thresholdText({ measure: "rate", is: "at least", bound: "99%" }, false), "rate>=99%");
 * ```
 */
export function thresholdText(threshold: string | ThresholdSpec, hasWarmUp: boolean): string {
  if (typeof threshold !== "string") {
    const { measure, is, bound } = threshold;
    return `${measure}${SIGNS[is]}${String(bound).replaceAll(" ", "")}`;
  }
  const match = SENTENCE.exec(threshold.trim().replaceAll(/\s+/g, " "));
  if (match === null) return threshold;
  const [, percentile, name, is = "", bound = "", afterWarmUp] = match;
  if (afterWarmUp !== undefined && !hasWarmUp) {
    throw new UsageError(
      `Cannot hold ${JSON.stringify(threshold)}: the run has no warm-up`,
      'give one, e.g. warmUp: "10s"',
    );
  }
  const measure = percentile === undefined ? name : `${name}.${percentile.replace(".", "")}`;
  return `${measure}${SIGNS[is]}${bound.replaceAll(" ", "")}`;
}
