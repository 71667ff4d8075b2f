import { comparisonOf, comparisonTable, type Picture, show } from "../report/mod.ts";
import type { MeasureName } from "../scenarios/mod.ts";
import { compareResults, type MeasureComparison, type Result } from "../verdict/mod.ts";
import { RunHandle } from "./run_handle.ts";

/** One run or several of the same kind; results may come from anywhere. */
export type Compared = RunHandle | Result | readonly (RunHandle | Result)[];

function resultsOf(compared: Compared): Promise<Result[]> {
  const list = [compared].flat() as (RunHandle | Result)[];
  return Promise.all(list.map((one) => one instanceof RunHandle ? one.result() : one));
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

/** A comparison as a table, with what else is different, and what may be said of it. */
export function comparisonPicture(
  before: readonly Result[],
  after: readonly Result[],
  options: CompareOptions = {},
): Picture {
  const whole = comparisonOf(before, after);
  return comparisonTable({ ...whole, measures: chosen(whole.measures, options) });
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
