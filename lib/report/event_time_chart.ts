import { ScatterChart } from "echarts/charts";
import { use } from "echarts/core";
import {
  axisLook,
  BOTTOM_PX,
  type ChartSize,
  type DrawOptions,
  LEGEND_ROW_PX,
  legendOption,
  legendRows,
  noDataOption,
  SIZES,
  TITLE_PX,
  titleOption,
} from "./_layout.ts";
import { type Points, timeAxis } from "./_plot.ts";
import { type Tone, tone } from "./palette.ts";
import { renderSvg } from "./svg.ts";

use([ScatterChart]);

/** Where a message stood when it came: after all before it, behind one before it, or behind its window's end. */
export type Timeliness = "on time" | "out of order" | "late";

/** One message: when it came, in seconds since the start, and its event time in windows since the first one. */
export type EventDot = readonly [atSec: number, eventWindows: number, timeliness: Timeliness];

/** Event time over wall time. */
export interface EventTimeSpec {
  /** Letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What a window is called on the axis, e.g. `1m windows`. */
  readonly windowsName: string;
  readonly dots: readonly EventDot[];
  /** Lines of one name share an entry in the legend. */
  readonly watermarks: readonly {
    readonly name: string;
    readonly tone: Tone;
    readonly points: Points;
  }[];
  /** Length of the time axis. */
  readonly spanSec: number;
}

const PLOT_PX = 380;
/** In the legend, as wide and as high as its entry. */
const LINE_ICON = "path://M0,4h20v2h-20z";
/** More lines than this and a window has no line of its own. */
const WINDOW_LINES_MAX = 26;
const LABELS_MAX = 13;
const DOTS: readonly {
  readonly timeliness: Timeliness;
  readonly tone: Tone;
  readonly sizePx: number;
}[] = [
  { timeliness: "on time", tone: "produce", sizePx: 3.5 },
  { timeliness: "out of order", tone: "clickhouse", sizePx: 3.5 },
  { timeliness: "late", tone: "fault", sizePx: 5 },
];

/**
 * Draws each message as a dot, when it came and of when it tells, and the watermarks as lines under which it is too late. Horizontal lines are the
 * ends of windows.
 *
 * @example
 * ```ts
 * import { drawEventTimes } from "./event_time_chart.ts";
 * import assert from "node:assert/strict";
 * const svg = drawEventTimes({
 *   id: "event-time", title: "Event time", description: "Event time over wall time.", windowsName: "1m windows", spanSec: 2,
 *   dots: [[0.5, 0.4, "on time"], [1, 0.2, "out of order"]],
 *   watermarks: [{ name: "watermark", tone: "ink", points: [[0.5, 0.1], [1, 0.3]] }],
 * }, { theme: "light" });
 * assert.ok(svg.startsWith("<svg"));
 * ```
 */
export function drawEventTimes(spec: EventTimeSpec, options: DrawOptions): string {
  const size = { ...SIZES[options.size ?? "wide"], heightPx: PLOT_PX };
  const titlePx = options.withTitle === true ? TITLE_PX : 0;
  const option = spec.dots.length === 0
    ? noDataOption({ yName: "messages" }, SIZES.wide, titlePx)
    : plotOption(spec, size, titlePx);
  return renderSvg({ ...option, ...titleOption(spec, options) }, {
    id: options.id ?? spec.id,
    widthPx: size.widthPx,
    heightPx: size.heightPx + titlePx,
    theme: options.theme,
    title: spec.title,
    description: spec.description,
  });
}

type PlotSize = Omit<(typeof SIZES)[ChartSize], "heightPx"> & { readonly heightPx: number };

function plotOption(
  spec: EventTimeSpec,
  size: PlotSize,
  titlePx: number,
): Record<string, unknown> {
  const lines = namesOf(spec);
  const names = [...DOTS.map(({ timeliness }) => timeliness), ...lines];
  const entries = names.map((name) => lines.includes(name) ? { name, icon: LINE_ICON } : { name });
  const widthPx = size.widthPx - size.leftPx - size.rightPx;
  const topPx = titlePx + legendRows(names.map((name) => ({ name })), widthPx) * LEGEND_ROW_PX + 12;
  const heightPx = size.heightPx + titlePx - topPx - BOTTOM_PX;
  const box = { leftPx: size.leftPx, topPx, widthPx, heightPx };
  const spanSec = spec.spanSec > 0 ? spec.spanSec : 1;
  return {
    grid: {
      left: box.leftPx,
      top: box.topPx,
      width: box.widthPx,
      height: box.heightPx,
      containLabel: false,
    },
    legend: { ...legendOption(SIZES.wide, titlePx), itemHeight: 9, data: entries },
    xAxis: {
      ...timeAxis(spanSec, SIZES.wide, { box, index: 0, withName: true }),
      // Windows before the first one have numbers below zero.
      axisLine: { onZero: false, lineStyle: { color: tone("muted") } },
    },
    yAxis: eventAxis(spec, SIZES.wide),
    series: [...DOTS.map((dots) => dotsOption(spec, dots)), ...spec.watermarks.map(lineOption)],
  };
}

function namesOf({ watermarks }: EventTimeSpec): string[] {
  return [...new Set(watermarks.map(({ name }) => name))];
}

/** From the end of one window to the next, as far as there is room. */
function eventAxis(
  { dots, windowsName }: EventTimeSpec,
  size: (typeof SIZES)["wide"],
): Record<string, unknown> {
  const low = Math.floor(dots.reduce((least, [, at]) => Math.min(least, at), Infinity));
  const high = Math.ceil(dots.reduce((most, [, at]) => Math.max(most, at), -Infinity));
  const step = Math.max(1, Math.ceil((high - low) / WINDOW_LINES_MAX));
  const labelStep = high - low > LABELS_MAX * step ? 2 * step : step;
  return {
    ...axisLook(size),
    type: "value",
    min: Math.floor(Math.min(low, 0) / step) * step,
    max: Math.ceil(Math.max(high, 1) / step) * step,
    interval: step,
    name: `event time, in ${windowsName}`,
    nameGap: size.leftPx - 30,
    axisLine: { show: false },
    axisTick: { lineStyle: { color: tone("muted") } },
    axisLabel: {
      color: tone("muted"),
      fontSize: size.fontPx,
      hideOverlap: true,
      formatter: (value: number) => value % labelStep === 0 ? String(value) : "",
    },
    splitLine: { lineStyle: { color: tone("line"), width: 1 } },
  };
}

function dotsOption(
  { dots }: EventTimeSpec,
  { timeliness, tone: toneName, sizePx }: (typeof DOTS)[number],
): Record<string, unknown> {
  const color = tone(toneName);
  return {
    type: "scatter",
    name: timeliness,
    color,
    silent: true,
    symbol: "circle",
    symbolSize: sizePx,
    itemStyle: { color, opacity: 0.75 },
    // The front of what comes on time is a narrow line, which all that comes out of order would cover.
    z: timeliness === "out of order" ? 1 : 3,
    data: dots.filter(([, , one]) => one === timeliness).map(([atSec, at]) => [atSec, at]),
  };
}

function lineOption(
  { name, tone: toneName, points }: EventTimeSpec["watermarks"][number],
): Record<string, unknown> {
  const color = tone(toneName);
  return {
    type: "line",
    name,
    color,
    silent: true,
    symbol: "none",
    // A watermark stands still until the next message moves it.
    step: "end",
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    data: points,
  };
}
