import { renderSvg } from "./svg.ts";
import {
  axisLook,
  BOTTOM_PX,
  type DrawOptions,
  LEGEND_ROW_PX,
  legendOption,
  legendRows,
  noDataOption,
  type Size,
  SIZES,
  TITLE_PX,
  titleOption,
} from "./_layout.ts";
import { axisText, timeTicks, type Unit } from "./axis.ts";
import { type Mark, type PlacedMark, placeMarks } from "./marks.ts";
import { type Tone, tone } from "./palette.ts";

/** A series over time: seconds since the start, and the value or null for a gap. */
export type Points = readonly (readonly [atSec: number, value: number | null])[];

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly tone: Tone;
  /** In the unit of the y axis. */
  readonly points: Points;
  /** `solid` unless told; `area` under a line that others may cover; `bars` for what happens at instants. */
  readonly look?: "solid" | "area" | "dotted" | "step" | "bars";
}

/** What a chart shows, before it is drawn. */
export interface ChartSpec {
  /** Letters, digits and dashes: names files and prefixes ids. */
  readonly id: string;
  readonly title: string;
  /** One sentence on what is drawn, read out instead of the picture. */
  readonly description: string;
  /** Name of the y axis with its unit, e.g. `messages/s`. */
  readonly yName: string;
  readonly yUnit: Unit;
  readonly yScale?: "linear" | "log";
  readonly lines: readonly Line[];
  /** Length of the time axis. */
  readonly spanSec: number;
  readonly marks?: readonly Mark[];
}

const LANE_PX = 17;
const DASHES = {
  solid: "solid",
  area: "solid",
  dotted: [2, 3],
  step: [6, 4],
  bars: "solid",
} as const;
const WIDTHS_PX = { solid: 2, area: 1, dotted: 1.6, step: 1.6, bars: 4 } as const;

/**
 * Draws lines over time as SVG.
 *
 * @example
 * ```ts
 * import { drawChart } from "./chart.ts";
 * import assert from "node:assert/strict";
 * const svg = drawChart({
 *   id: "rate", title: "Rate", description: "Messages per second.", yName: "messages/s", yUnit: "count", spanSec: 2,
 *   lines: [{ name: "in", tone: "produce", points: [[0, 1], [1, 3], [2, 2]] }],
 * }, { theme: "light" });
 * assert.ok(svg.startsWith("<svg"));
 * ```
 */
export function drawChart(spec: ChartSpec, options: DrawOptions): string {
  const size = SIZES[options.size ?? "wide"];
  const hasData = spec.lines.some(({ points }) => points.some(([, value]) => value !== null));
  const titlePx = options.withTitle === true ? TITLE_PX : 0;
  const option = hasData ? plotOption(spec, size, titlePx) : noDataOption(spec, size, titlePx);
  return renderSvg({ ...option, ...titleOption(spec, options) }, {
    id: options.id ?? spec.id,
    widthPx: size.widthPx,
    heightPx: size.heightPx + titlePx,
    theme: options.theme,
    title: spec.title,
    description: hasData ? spec.description : `${spec.description} No data.`,
  });
}

function plotOption(spec: ChartSpec, size: Size, titlePx: number): Record<string, unknown> {
  const spanSec = spec.spanSec > 0 ? spec.spanSec : 1;
  const plotPx = size.widthPx - size.leftPx - size.rightPx;
  const placed = placeMarks(spec.marks ?? [], spanSec, plotPx);
  const laneCount = Math.max(0, ...placed.map(({ lane }) => lane === undefined ? 0 : lane + 1));
  const legendPx = legendRows(spec.lines, plotPx) * LEGEND_ROW_PX;
  return {
    grid: {
      left: size.leftPx,
      right: size.rightPx,
      top: titlePx + legendPx + laneCount * LANE_PX + 12,
      bottom: BOTTOM_PX,
      containLabel: false,
    },
    legend: legendOption(size, titlePx),
    xAxis: timeAxis(spanSec, size),
    yAxis: valueAxis(spec, size),
    series: spec.lines.map((line, i) => ({
      ...seriesOption(line, spec.yScale === "log"),
      ...(i === 0 ? marksOption(placed) : {}),
    })),
  };
}

function timeAxis(spanSec: number, size: Size): Record<string, unknown> {
  const ticks = timeTicks(spanSec, size.ticksMax);
  return {
    ...axisLook(size),
    type: "value",
    min: 0,
    max: spanSec,
    interval: ticks.stepSec,
    name: "time since start",
    nameGap: 28,
    axisLabel: {
      color: tone("muted"),
      fontSize: size.fontPx,
      // The end of the run is seldom a round number; its label would lie over the last tick's.
      showMaxLabel: Math.abs(spanSec / ticks.stepSec - Math.round(spanSec / ticks.stepSec)) < 0.01,
      formatter: (value: number) => ticks.text(value),
    },
    splitLine: { show: false },
  };
}

function valueAxis(spec: ChartSpec, size: Size): Record<string, unknown> {
  return {
    ...axisLook(size),
    type: spec.yScale === "log" ? "log" : "value",
    ...(spec.yScale === "log" ? {} : { min: 0 }),
    name: spec.yName,
    nameGap: size.leftPx - 20,
    splitNumber: 4,
    axisLine: { show: false },
    axisLabel: {
      color: tone("muted"),
      fontSize: size.fontPx,
      formatter: (value: number) => axisText(value, spec.yUnit),
    },
    splitLine: { lineStyle: { color: tone("line"), width: 1 } },
  };
}

/** A logarithmic axis has no zero: such values are drawn at its lower end. */
const LOG_FLOOR = 0.01;

function seriesOption(line: Line, isLog: boolean): Record<string, unknown> {
  const { name, look = "solid" } = line;
  const color = tone(line.tone);
  const points = look === "bars" ? impulses(line.points) : line.points;
  const valueAt = (i: number) => points[i]?.[1] ?? null;
  const data = points.map(([atSec, value], i) => {
    const drawn = [atSec, value === null ? null : isLog ? Math.max(value, LOG_FLOOR) : value];
    // A value between two gaps has no line to be seen by.
    const isAlone = value !== null && valueAt(i - 1) === null && valueAt(i + 1) === null;
    return isAlone ? { value: drawn, symbol: "circle", symbolSize: 6 } : drawn;
  });
  return {
    type: "line",
    name,
    color,
    silent: true,
    itemStyle: { color },
    symbol: "none",
    data,
    ...(look === "bars" ? {} : { sampling: "minmax" }),
    ...(look === "step" ? { step: "end" } : {}),
    ...(look === "area" ? { areaStyle: { color, opacity: 0.25 } } : {}),
    lineStyle: { color, width: WIDTHS_PX[look], type: DASHES[look] },
  };
}

/** An upright stroke for each value: a bar series of ECharts would stretch the time axis to the width of its bars. */
function impulses(points: Points): Points {
  return points.flatMap(([atSec, value]) =>
    value === null || value === 0 ? [] : [[atSec, 0], [atSec, value], [atSec, null]] as const
  );
}

function marksOption(placed: readonly PlacedMark[]): Record<string, unknown> {
  const lines = placed.map(({ mark, lane, align }) => ({
    xAxis: mark.atSec,
    lineStyle: { color: tone(markTone(mark)), type: [4, 3], width: 1.3 },
    label: {
      show: lane !== undefined,
      position: "end",
      distance: 3,
      align,
      verticalAlign: "bottom",
      offset: [align === "left" ? -2 : 2, -(lane ?? 0) * LANE_PX],
      color: tone(markTone(mark)),
      fontSize: 12,
      formatter: () => mark.label,
    },
  }));
  const areas = placed.flatMap(({ mark }) =>
    mark.untilSec === undefined ? [] : [[
      { xAxis: mark.atSec, itemStyle: { color: tone(markTone(mark)), opacity: 0.1 } },
      { xAxis: mark.untilSec },
    ]]
  );
  return {
    markLine: { symbol: "none", silent: true, data: lines },
    markArea: { silent: true, data: areas },
  };
}

function markTone(mark: Mark): Tone {
  return mark.kind === "fault" ? "fault" : "muted";
}
