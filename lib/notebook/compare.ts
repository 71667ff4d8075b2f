import { type Picture, show, tableOf } from "../report/mod.ts";
import type { MeasureName } from "../scenarios/mod.ts";
import {
  compareResults,
  formatMeasure,
  type MeasureComparison,
  type Result,
  RUNS_MIN,
} from "../verdict/mod.ts";
import { RunHandle } from "./run_handle.ts";

/** One run or several of the same kind; results may come from anywhere. */
export type Compared = RunHandle | Result | readonly (RunHandle | Result)[];

function resultsOf(compared: Compared): Promise<Result[]> {
  const list = [compared].flat() as (RunHandle | Result)[];
  return Promise.all(list.map((one) => one instanceof RunHandle ? one.result() : one));
}

/** What is said under a comparison. */
function noteOf(before: readonly Result[], after: readonly Result[]): string {
  const isVoid = ({ verdict }: Result) => verdict === "VOID";
  const voidCount = [...before, ...after].filter(isVoid).length;
  const runs = Math.min(
    ...[before, after].map((side) => side.filter((one) => !isVoid(one)).length),
  );
  const leftOut = voidCount === 0 ? "" : ` ${voidCount} VOID left out.`;
  const said = runs < RUNS_MIN
    ? `Nothing is called better or worse: that takes at least ${RUNS_MIN} runs on each side.`
    : "Better or worse is said where the 95 % interval of the ratio leaves 1 out.";
  return `${before.length} against ${after.length} runs.${leftOut} ${said}`;
}

function rangeText({ ratio, ratioInterval, before, after }: MeasureComparison): string {
  // Without an interval the range of what was measured stands in: it claims nothing.
  const { low, high } = ratioInterval ??
    { low: after.min / before.max, high: after.max / before.min };
  const range = low === high ? "" : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
  return `${ratio.toFixed(2)}${range}`;
}

/** Which measures of a comparison are shown, and in which order; all of them unless told. */
export interface CompareOptions {
  readonly measures?: readonly MeasureName[];
}

function chosen(
  compared: readonly MeasureComparison[],
  { measures }: CompareOptions,
): readonly MeasureComparison[] {
  if (measures === undefined) return compared;
  return measures.flatMap((name) => compared.filter((one) => one.name === name));
}

/** A comparison as a table, with what may be said of it. */
export function comparisonPicture(
  before: readonly Result[],
  after: readonly Result[],
  options: CompareOptions = {},
): Picture {
  const table = tableOf(
    chosen(compareResults(before, after), options).map((one) => ({
      measure: one.name,
      before: formatMeasure(one.before.median, one.unit),
      after: formatMeasure(one.after.median, one.unit),
      "after ÷ before": rangeText(one),
      conclusion: one.conclusion,
    })),
  );
  const note = noteOf(before, after);
  return {
    "text/plain": `${table["text/plain"]}\n${note}`,
    "text/html": `${table["text/html"]}<p>${note}</p>`,
  };
}

/**
 * Compares two sets of runs, measure by measure, and shows ratio and range. Waits for runs that go on. Nothing is called better or worse from fewer
 * than five runs on each side.
 *
 * @param before what it is compared with
 * @param after what is compared
 *
 * @example
 * ```ts ignore
 * await weir.compare(before, after, { measures: ["cpuNsPerMessage", "publish.p99"] });
 * ```
 */
export async function compare(
  before: Compared,
  after: Compared,
  options: CompareOptions = {},
): Promise<void> {
  await show(comparisonPicture(await resultsOf(before), await resultsOf(after), options));
}

/** As {@link compare}, but gives the comparison as data. */
export async function comparison(
  before: Compared,
  after: Compared,
  options: CompareOptions = {},
): Promise<readonly MeasureComparison[]> {
  return chosen(compareResults(await resultsOf(before), await resultsOf(after)), options);
}
