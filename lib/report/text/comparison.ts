import {
  compareResults,
  formatMeasure,
  type MeasureComparison,
  type Result,
  RUNS_MIN,
} from "../../verdict/mod.ts";
import { alignRows, wrapText } from "./align.ts";
import { flatten } from "./format.ts";

/** What a person looks at first. Of all fifty, some differ by chance alone. */
export const MAIN_MEASURES: readonly string[] = [
  "rate",
  "publish.p50",
  "publish.p99",
  "delivery.p99",
  "windowVisible.p99",
  "inserts.p99",
  "checkpoints.p99",
  "cpuNsPerMessage",
  "cpuCores.total",
  "rssBytesMax.total",
];

/** Two sets of runs, compared. */
export interface Comparison {
  /** Every measure that both sides have. */
  readonly measures: readonly MeasureComparison[];
  /** What a reader must know before the figures, e.g. that the two sides did not run the same. */
  readonly remarks: readonly string[];
  readonly runs: { readonly before: number; readonly after: number };
}

/** Names and paths that differ from run to run and mean nothing. */
const OWN_NAMES = /^(?:name|runId|topic|subscription|thresholds|keep)\b/;

/** Settings, systems and machine of a set of runs, each with all the values that it has. */
function settingsOf(results: readonly Result[]): Map<string, string> {
  const values = new Map<string, Set<string>>();
  for (const { configuration, environment, systems } of results) {
    const rows = [...flatten(configuration), ...flatten({ ...systems, ...environment })];
    for (const [name, text] of rows) {
      if (!OWN_NAMES.test(name)) values.set(name, (values.get(name) ?? new Set()).add(text));
    }
  }
  return new Map([...values].map(([name, texts]) => [name, [...texts].sort().join(" or ")]));
}

function differences(before: readonly Result[], after: readonly Result[]): string[] {
  const [one, other] = [settingsOf(before), settingsOf(after)];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((name) => {
    const [a = "not set", b = "not set"] = [one.get(name), other.get(name)];
    return a === b ? [] : [`${name}: ${a} → ${b}`];
  });
}

function remarksOn(side: string, results: readonly Result[]): string[] {
  const counted = (what: string, holds: (result: Result) => boolean) => {
    const count = results.filter(holds).length;
    return count === 0 ? [] : [`${side}: ${count} of ${results.length} ${what}`];
  };
  return [
    ...counted("VOID, left out: they measured nothing", ({ verdict }) => verdict === "VOID"),
    ...counted("FAIL: see their reports", ({ verdict }) => verdict === "FAIL"),
    ...counted("with planted faults", ({ plants }) => plants.length > 0),
    ...counted("with protections switched off", ({ unsafe }) => unsafe.length > 0),
    ...counted("in closed loop: publish latency hides stalls", ({ loop }) => loop === "closed"),
  ];
}

/**
 * Compares two sets of runs, and says what else is different about them.
 *
 * @param before results of the one
 * @param after results of the other
 */
export function comparisonOf(before: readonly Result[], after: readonly Result[]): Comparison {
  const known = (results: readonly Result[]) =>
    results.filter(({ verdict }) => verdict !== "VOID").length;
  return {
    measures: compareResults(before, after),
    remarks: [
      ...remarksOn("before", before),
      ...remarksOn("after", after),
      ...differences(before, after).map((text) => `differs, ${text}`),
    ],
    runs: { before: known(before), after: known(after) },
  };
}

/** A ratio to three digits: 0.95 and 1.02 are no rounding of one another. */
export function ratioText(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2);
}

/**
 * The 95 % interval of a ratio; where there is none the range of what was measured, which claims nothing.
 *
 * @returns empty for one run on each side: its range is the ratio itself
 */
export function ratioRangeText({ ratioInterval, before, after }: MeasureComparison): string {
  const { low, high } = ratioInterval ??
    { low: after.min / before.max, high: after.max / before.min };
  return low === high ? "" : `${ratioText(low)}–${ratioText(high)}`;
}

/** How many runs are compared, and by what. */
export function comparedText({ runs }: Comparison): string {
  return `${runs.before} ${
    runs.before === 1 ? "run" : "runs"
  } before, ${runs.after} after; medians`;
}

/** What may be said of a comparison, and what may not. */
export function conclusionNote({ measures, runs }: Comparison): string {
  const fewest = Math.min(runs.before, runs.after);
  if (fewest < RUNS_MIN) {
    return `Nothing is called better or worse: that takes at least ${RUNS_MIN} runs on each side. The range is that of after ÷ before over all pairs of runs.`;
  }
  const chance = measures.length > MAIN_MEASURES.length
    ? " Of twenty measures that are the same, one is expected to fall outside by chance."
    : "";
  return `Better or worse is said where the 95 % interval of the ratio leaves 1 out.${chance}`;
}

/**
 * A comparison for the terminal: medians, ratio with its 95 % interval or the range of repeats, and what may be said.
 *
 * @returns lines, the last one ended too
 */
export function comparisonText(comparison: Comparison): string {
  const { measures, remarks } = comparison;
  const rows = measures.map((one) => [
    one.name,
    formatMeasure(one.before.median, one.unit).replace(" messages/s", "/s"),
    formatMeasure(one.after.median, one.unit).replace(" messages/s", "/s"),
    ratioText(one.ratio),
    ratioRangeText(one),
    one.conclusion === "too few runs" ? "" : one.conclusion,
  ]);
  const isKnown = measures.some(({ ratioInterval }) => ratioInterval !== null);
  const heads = ["measure", "before", "after", "ratio", isKnown ? "95 %" : "range", ""];
  const parts = [
    comparedText(comparison),
    remarks.map((text) => wrapText(`- ${text}`).join("\n  ")).join("\n"),
    measures.length === 0 ? "no measure that both sides have" : alignRows([heads, ...rows]),
    wrapText(conclusionNote(comparison)).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}
