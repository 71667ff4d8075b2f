import { axisLook, type PanelBox, type Size } from "./_layout.ts";
import { axisText, timeTicks, type Unit } from "./axis.ts";
import type { Mark, PlacedMark } from "./marks.ts";
import { type Tone, tone } from "./palette.ts";

/** A series over time: seconds since the start, and the value or null for a gap. */
export type Points = readonly (readonly [atSec: number, value: number | null])[];

/** How a line looks: `area` under one that others may cover; `bars` for what happens at instants. */
export type Look = "solid" | "area" | "dotted" | "step" | "bars";

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly tone: Tone;
  /** In the unit of the y axis. */
  readonly points: Points;
  /** `solid` unless told. */
  readonly look?: Look;
}

/** Height of a row of mark labels above a plot. */
export const LANE_PX = 17;

const DASHES = {
  solid: "solid",
  area: "solid",
  dotted: [2, 3],
  step: [6, 4],
  bars: "solid",
} as const;
const WIDTHS_PX = { solid: 2, area: 1, dotted: 1.6, step: 1.6, bars: 4 } as const;

/** Which axis of several is meant. */
export interface AxisPlace {
  readonly box: PanelBox;
  /** Of the panel, from 0. */
  readonly index: number;
  readonly withName: boolean;
}

/** Room that a label of the time axis takes with its gap. */
const TIME_LABEL_PX = 68;

/** Seconds since the start. */
export function timeAxis(
  spanSec: number,
  size: Size,
  { box, index, withName }: AxisPlace,
): Record<string, unknown> {
  const ticks = timeTicks(spanSec, Math.min(size.ticksMax, box.widthPx / TIME_LABEL_PX));
  const part = `x${index}`;
  const look = axisLook(size);
  return {
    ...look,
    axisTick: { lineStyle: { color: tone("muted", part) } },
    gridIndex: index,
    type: "value",
    min: 0,
    max: spanSec,
    interval: ticks.stepSec,
    name: withName ? "time since start" : "",
    nameGap: 28,
    axisLabel: {
      color: tone("muted", part),
      fontSize: size.fontPx,
      // The end of the run is seldom a round number; its label would lie over the last tick's.
      showMaxLabel: Math.abs(spanSec / ticks.stepSec - Math.round(spanSec / ticks.stepSec)) < 1e-6,
      formatter: (value: number) => ticks.text(value),
    },
    splitLine: { show: false },
  };
}

/** What a value axis shows. */
export interface ValueAxis {
  readonly yName: string;
  readonly yUnit: Unit;
  readonly yScale?: "linear" | "log";
  /** The upper end, where several axes are to have the same. */
  readonly max?: number;
}

/** Values in their unit. */
export function valueAxis(
  { yName, yUnit, yScale, max }: ValueAxis,
  size: Size,
  { index, withName }: AxisPlace,
): Record<string, unknown> {
  const part = `y${index}`;
  return {
    ...axisLook(size),
    gridIndex: index,
    type: yScale === "log" ? "log" : "value",
    ...(yScale === "log" ? {} : { min: 0 }),
    ...(max === undefined ? {} : { max, interval: max / 2 }),
    name: withName ? yName : "",
    nameGap: size.leftPx - 20,
    splitNumber: 4,
    // There is no third of a message.
    ...(yUnit === "count" ? { minInterval: 1 } : {}),
    axisLine: { show: false },
    axisTick: { show: withName, lineStyle: { color: tone("muted", part) } },
    axisLabel: {
      show: withName,
      color: tone("muted", part),
      fontSize: size.fontPx,
      formatter: (value: number) => axisText(value, yUnit),
    },
    splitLine: { lineStyle: { color: tone("line", part), width: 1 } },
  };
}

/** A logarithmic axis has no zero: such values are drawn at its lower end. */
const LOG_FLOOR = 0.01;

/** Where a line stands among the series. */
export interface LinePlace {
  readonly index: number;
  readonly panel: number;
  readonly isLog: boolean;
}

/** A line as a series of ECharts. */
export function seriesOption(line: Line, place: LinePlace): Record<string, unknown> {
  const { name, look = "solid" } = line;
  const color = tone(line.tone, `s${place.index}`);
  const points = look === "bars" ? impulses(line.points) : line.points;
  const valueAt = (i: number) => points[i]?.[1] ?? null;
  const data = points.map(([atSec, value], i) => {
    const drawn = [atSec, value === null ? null : place.isLog ? Math.max(value, LOG_FLOOR) : value];
    // A value between two gaps has no line to be seen by.
    const isAlone = value !== null && valueAt(i - 1) === null && valueAt(i + 1) === null;
    return isAlone ? { value: drawn, symbol: "circle", symbolSize: 6 } : drawn;
  });
  return {
    type: "line",
    name,
    color,
    xAxisIndex: place.panel,
    yAxisIndex: place.panel,
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

/** Marks as lines, labels and shaded stretches, to be joined to the first series of a panel. */
export function marksOption(placed: readonly PlacedMark[]): Record<string, unknown> {
  const lines = placed.map(({ mark, label, lane, align }) => ({
    xAxis: mark.atSec,
    lineStyle: { color: tone(markTone(mark), "m"), type: [4, 3], width: 1.3 },
    label: {
      show: lane !== undefined,
      position: "end",
      distance: 3,
      align,
      verticalAlign: "bottom",
      offset: [align === "left" ? -2 : 2, -(lane ?? 0) * LANE_PX],
      color: tone(markTone(mark), "m"),
      fontSize: 12,
      formatter: () => label,
    },
  }));
  const areas = placed.flatMap(({ mark }) =>
    mark.untilSec === undefined ? [] : [[
      { xAxis: mark.atSec, itemStyle: { color: tone(markTone(mark), "m"), opacity: 0.1 } },
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
