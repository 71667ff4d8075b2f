import type { PanelBox } from "./_layout.ts";
import type { Line, Look } from "./_plot.ts";
import type { Unit } from "./axis.ts";
import { chartBox, type ChartSpec } from "./chart.ts";
import { distributionBox, type DistributionSpec, tailMaxOf } from "./distribution.ts";
import type { Tone } from "./palette.ts";
import { panelBoxes, type PanelsSpec } from "./panels.ts";

/** A line, as the script of a page reads it. */
export interface LineData {
  readonly name: string;
  readonly tone: Tone;
  readonly look: Look;
  /** Which of the boxes it is drawn in. */
  readonly panel: number;
  /** x and value in turn; null for a gap. */
  readonly points: readonly (number | null)[];
}

/** What the script of a page needs to know of a chart, beside its drawing. */
export interface ChartData {
  /** Seconds since the start, or 1/(1−p) on a logarithmic axis. */
  readonly axis: "time" | "percentile";
  readonly unit: Unit;
  /** Where the axis begins and ends. */
  readonly from: number;
  readonly to: number;
  readonly lines: readonly LineData[];
  readonly boxes: Readonly<Record<"wide" | "narrow", readonly PanelBox[]>>;
}

/** So exact that the same figures are read as from the samples; a double would be three times as long. */
const DIGITS = 6;

function short(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

function pointsData(points: Line["points"], factor = 1): (number | null)[] {
  return points.flatMap(([at, value]) => [
    Math.round(at * 1000) / 1000,
    value === null ? null : short(value * factor),
  ]);
}

function linesData(lines: readonly Line[], panelOf: (index: number) => number): LineData[] {
  return lines.map(({ name, tone, look = "solid", points }, i) => ({
    name,
    tone,
    look,
    panel: panelOf(i),
    points: pointsData(points),
  }));
}

const PAGE = { withLegend: false } as const;

/** The data of a chart over time. */
export function chartData(spec: ChartSpec): ChartData {
  return {
    axis: "time",
    unit: spec.yUnit,
    from: 0,
    to: spec.spanSec > 0 ? spec.spanSec : 1,
    lines: linesData(spec.lines, () => 0),
    boxes: {
      wide: [chartBox(spec, { ...PAGE, size: "wide" })],
      narrow: [chartBox(spec, { ...PAGE, size: "narrow" })],
    },
  };
}

/** The data of small multiples. */
export function panelsData(spec: PanelsSpec): ChartData {
  return {
    axis: "time",
    unit: spec.yUnit,
    from: 0,
    to: spec.spanSec > 0 ? spec.spanSec : 1,
    lines: linesData(spec.lines, (index) => index),
    boxes: {
      wide: panelBoxes(spec, { size: "wide" }),
      narrow: panelBoxes(spec, { size: "narrow" }),
    },
  };
}

/** The data of a chart over percentiles. */
export function distributionData(spec: DistributionSpec): ChartData {
  return {
    axis: "percentile",
    unit: "milliseconds",
    from: 1,
    to: tailMaxOf(spec),
    lines: spec.lines.map(({ name, tone, points }) => ({
      name,
      tone,
      look: "solid",
      panel: 0,
      points: points.flatMap(([tail, latencyUs]) => [short(tail), short(latencyUs / 1000)]),
    })),
    boxes: {
      wide: [distributionBox(spec, { ...PAGE, size: "wide" })],
      narrow: [distributionBox(spec, { ...PAGE, size: "narrow" })],
    },
  };
}
