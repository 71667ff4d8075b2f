import { formatMeasure, MEASURES } from "./measures.ts";
import type { Measure } from "./measures.ts";
import type { Result } from "./result.ts";

/** What may be said of a measure in two sets of runs. */
export type Conclusion = "better" | "worse" | "no difference shown" | "too few runs";

/** One measure, compared. */
export interface MeasureComparison {
  readonly name: string;
  readonly unit: Measure["unit"];
  readonly before: RunValues;
  readonly after: RunValues;
  /** Typical `after ÷ before`: the median of all pairs (Hodges and Lehmann 1963, on ratios). */
  readonly ratio: number;
  /** The ratio lies in here with at least 95 % confidence; null when there are too few runs to say. */
  readonly ratioInterval: { readonly low: number; readonly high: number } | null;
  readonly conclusion: Conclusion;
}

/** The values of one set of runs. */
export interface RunValues {
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The median for a person. */
  readonly text: string;
}

/** Below so many runs on either side nothing is called better or worse. */
export const RUNS_MIN = 5;

const CONFIDENCE = 0.95;

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2;
}

/**
 * How many of the orders of `n` and `m` values give each Mann-Whitney U, from 0 to n × m.
 * Mann and Whitney 1947, by their recurrence: the largest value belongs to either side.
 */
function mannWhitneyCounts(n: number, m: number): number[] {
  if (n === 0 || m === 0) return [1];
  let previous: number[][] = Array.from({ length: m + 1 }, () => [1]);
  for (let i = 1; i <= n; i++) {
    const current: number[][] = [[1]];
    for (let j = 1; j <= m; j++) {
      const counts = new Array<number>(i * j + 1).fill(0);
      previous[j]!.forEach((count, u) => counts[u + j]! += count);
      current[j - 1]!.forEach((count, u) => counts[u]! += count);
      current.push(counts);
    }
    previous = current;
  }
  return previous[m]!;
}

/** How many of the sorted pairs are cut off at either end to keep the confidence, −1 when none may be. */
function pairsBelowInterval(n: number, m: number): number {
  const counts = mannWhitneyCounts(n, m);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let tail = 0;
  let u = 0;
  while (u < counts.length && 2 * (tail + counts[u]!) <= (1 - CONFIDENCE) * total) {
    tail += counts[u]!;
    u++;
  }
  return u - 1;
}

function valuesOf(measure: Measure, results: readonly Result[]): number[] {
  return results
    .map((result) => measure.valueOf(result))
    .filter((value) => value !== null && Number.isFinite(value))
    .map(Number)
    .sort((a, b) => a - b);
}

function describe(values: readonly number[], measure: Measure): RunValues {
  const median = medianOf(values);
  return {
    runs: values.length,
    median,
    min: values[0]!,
    max: values.at(-1)!,
    text: formatMeasure(median, measure.unit),
  };
}

function conclude(
  interval: MeasureComparison["ratioInterval"],
  runs: number,
  isHigherBetter: boolean,
): Conclusion {
  if (runs < RUNS_MIN || interval === null) return "too few runs";
  if (interval.low <= 1 && interval.high >= 1) return "no difference shown";
  return (interval.low > 1) === isHigherBetter ? "better" : "worse";
}

function compareMeasure(
  measure: Measure,
  before: readonly number[],
  after: readonly number[],
): MeasureComparison {
  const ratios = after.flatMap((a) => before.map((b) => a / b)).sort((a, b) => a - b);
  const cut = pairsBelowInterval(before.length, after.length);
  const interval = cut < 0 ? null : { low: ratios[cut]!, high: ratios[ratios.length - 1 - cut]! };
  const runs = Math.min(before.length, after.length);
  return {
    name: measure.name,
    unit: measure.unit,
    before: describe(before, measure),
    after: describe(after, measure),
    ratio: medianOf(ratios),
    ratioInterval: interval,
    conclusion: conclude(interval, runs, measure.isHigherBetter),
  };
}

/**
 * Compares two sets of runs, measure by measure, without assuming how the values are distributed. Runs that are VOID measured nothing
 * and are left out, as are measures that one side lacks or that are 0.
 *
 * @param before results of the one
 * @param after results of the other
 * @returns ratios with their range; "better" or "worse" only from {@link RUNS_MIN} runs each and when the 95 % interval leaves 1 out
 */
export function compareResults(
  before: readonly Result[],
  after: readonly Result[],
): MeasureComparison[] {
  const measured = (results: readonly Result[]) =>
    results.filter(({ verdict }) => verdict !== "VOID");
  return MEASURES.flatMap((measure) => {
    const valuesBefore = valuesOf(measure, measured(before));
    const valuesAfter = valuesOf(measure, measured(after));
    if (valuesBefore.length === 0 || valuesAfter.length === 0) return [];
    // A ratio needs values above 0 on both sides.
    if (!(valuesBefore[0]! > 0) || !(valuesAfter[0]! > 0)) return [];
    return [compareMeasure(measure, valuesBefore, valuesAfter)];
  });
}
