import { renderSvg } from "./svg.ts";
import {
  boxOf,
  type DrawOptions,
  gridOf,
  LEGEND_ROW_PX,
  legendOption,
  legendRows,
  noDataOption,
  type PanelBox,
  type Size,
  SIZES,
  titleHeightPx,
  titleOption,
} from "./_layout.ts";
import { LANE_PX, type Line, marksOption, seriesOption, timeAxis, valueAxis } from "./_plot.ts";
import type { Unit } from "./axis.ts";
import { LANES_MAX, type Mark, type PlacedMark, placeMarks } from "./marks.ts";

export type { Line, Look, Points } from "./_plot.ts";

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
  const titlePx = titleHeightPx(options);
  const heightPx = bodyHeightPx(options);
  const option = hasData(spec)
    ? plotOption(spec, size, options)
    : noDataOption(spec, size, titlePx);
  return renderSvg({ ...option, ...titleOption(spec, options) }, {
    id: options.id ?? spec.id,
    widthPx: size.widthPx,
    heightPx: heightPx + titlePx,
    theme: options.theme,
    title: spec.title,
    description: hasData(spec) ? spec.description : `${spec.description} No data.`,
  });
}

/** Whether there is a value to draw. */
export function hasData({ lines }: { readonly lines: readonly Line[] }): boolean {
  return lines.some(({ points }) => points.some(([, value]) => value !== null));
}

/** Where {@link drawChart} draws the lines. */
export function chartBox(spec: ChartSpec, options: Omit<DrawOptions, "theme">): PanelBox {
  return layOut(spec, options).box;
}

function layOut(
  spec: ChartSpec,
  options: Omit<DrawOptions, "theme">,
): { readonly box: PanelBox; readonly placed: readonly PlacedMark[]; readonly titlePx: number } {
  const { size: sizeName = "wide", withLegend = true, withMarkLabels = true } = options;
  const size = SIZES[sizeName];
  const titlePx = titleHeightPx(options);
  const plotPx = size.widthPx - size.leftPx - size.rightPx;
  const all = placeMarks(spec.marks ?? [], spanOf(spec), plotPx);
  const placed = withMarkLabels ? all : all.map((mark) => ({ ...mark, lane: undefined }));
  const laneCount = Math.max(0, ...placed.map(({ lane }) => lane === undefined ? 0 : lane + 1));
  const legendPx = withLegend ? legendRows(spec.lines, plotPx) * LEGEND_ROW_PX : 0;
  const topPx = titlePx + legendPx + laneCount * LANE_PX + 12;
  const heightPx = bodyHeightPx(options) + titlePx;
  return { box: boxOf(size, topPx, heightPx, size.rightPx), placed, titlePx };
}

/** Height without the title. A low chart has room for labels beforehand: while it grows nothing below it may jump. */
function bodyHeightPx({ size = "wide", withMarkLabels = true }: Omit<DrawOptions, "theme">) {
  return SIZES[size].heightPx + (size === "low" && withMarkLabels ? LANES_MAX * LANE_PX : 0);
}

function spanOf({ spanSec }: ChartSpec): number {
  return spanSec > 0 ? spanSec : 1;
}

function plotOption(spec: ChartSpec, size: Size, options: DrawOptions): Record<string, unknown> {
  const { box, placed, titlePx } = layOut(spec, options);
  const place = { box, index: 0, withName: true };
  return {
    grid: gridOf(box),
    ...(options.withLegend === false ? {} : { legend: legendOption(size, titlePx) }),
    xAxis: timeAxis(spanOf(spec), size, place),
    yAxis: valueAxis(spec, size, place),
    series: spec.lines.map((line, index) => ({
      ...seriesOption(line, { index, panel: 0, isLog: spec.yScale === "log" }),
      ...(index === 0 ? marksOption(placed) : {}),
    })),
  };
}
