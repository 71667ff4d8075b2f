import type { LatencyHistogram } from "../latency/mod.ts";
import {
  axisLook,
  boxOf,
  type DrawOptions,
  gridOf,
  LEGEND_ROW_PX,
  legendOption,
  legendRows,
  noDataOption,
  type PanelBox,
  SIZES,
  TITLE_PX,
  titleOption,
} from "./_layout.ts";
import { axisText } from "./axis.ts";
import { type Tone, tone } from "./palette.ts";
import { renderSvg } from "./svg.ts";

/** One latency over its percentiles. */
export interface Distribution {
  readonly name: string;
  readonly tone: Tone;
  readonly points: DistributionPoints;
}

/** 1/(1−p), from 1 upwards, and the latency in µs that a share p does not exceed. */
export type DistributionPoints = readonly (readonly [tail: number, latencyUs: number])[];

/** Points for each doubling of 1/(1−p), as HdrHistogram's own plots take them. */
const POINTS_PER_DOUBLING = 5;

/**
 * A histogram over the axis that HdrHistogram made usual: 1/(1−p), logarithmic, so that 99 %, 99.9 % and 99.99 % have
 * the same room.
 *
 * @returns empty where nothing was recorded; ends where a single value is left
 *
 * @example
 * ```ts
 * import { LatencyHistogram } from "../latency/mod.ts";
 * import { distributionOf } from "./distribution.ts";
 * import assert from "node:assert/strict";
 * const histogram = new LatencyHistogram();
 * for (let i = 1; i <= 1000; i++) histogram.record(i);
 * const [tail, latencyUs] = distributionOf(histogram).at(-1)!;
 * assert.deepEqual([tail, latencyUs], [1000, 1000]);
 * ```
 */
export function distributionOf(histogram: LatencyHistogram): DistributionPoints {
  const { count } = histogram;
  if (count === 0) return [];
  const doublings = Math.log2(count);
  const steps = Math.ceil(doublings * POINTS_PER_DOUBLING);
  const points: [number, number][] = [];
  for (let i = 0; i < steps; i++) {
    const tail = 2 ** (i / POINTS_PER_DOUBLING);
    points.push([tail, histogram.percentileUs(100 * (1 - 1 / tail))]);
  }
  points.push([count, histogram.summary().max]);
  return points;
}

/** What a percentile chart shows. */
export interface DistributionSpec {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly lines: readonly Distribution[];
}

/** Where {@link drawDistribution} draws the lines. */
export function distributionBox(
  spec: DistributionSpec,
  { size: sizeName = "wide", withTitle = false, withLegend = true }: Omit<DrawOptions, "theme">,
): PanelBox {
  const size = SIZES[sizeName];
  const titlePx = withTitle ? TITLE_PX : 0;
  const lines = spec.lines.filter(({ points }) => points.length > 0);
  const plotPx = size.widthPx - size.leftPx - size.rightPx;
  const legendPx = withLegend ? legendRows(lines, plotPx) * LEGEND_ROW_PX : 0;
  return boxOf(size, titlePx + legendPx + 12, size.heightPx + titlePx, size.rightPx + 16);
}

/** The upper end of the axis of percentiles: a power of ten. */
export function tailMaxOf({ lines }: DistributionSpec): number {
  const largest = Math.max(10, ...lines.map(({ points }) => points.at(-1)?.[0] ?? 1));
  return 10 ** Math.ceil(Math.log10(largest) - 1e-9);
}

/** Draws latencies over percentiles as SVG. */
export function drawDistribution(spec: DistributionSpec, options: DrawOptions): string {
  const size = SIZES[options.size ?? "wide"];
  const titlePx = options.withTitle === true ? TITLE_PX : 0;
  const lines = spec.lines.filter(({ points }) => points.length > 0);
  const option = lines.length === 0 ? noDataOption({ yName: "latency" }, size, titlePx) : {
    grid: gridOf(distributionBox(spec, options)),
    ...(options.withLegend === false ? {} : { legend: legendOption(size, titlePx) }),
    xAxis: {
      ...axisLook(size),
      type: "log",
      name: "percentile",
      nameGap: 28,
      min: 1,
      max: tailMaxOf(spec),
      axisLabel: {
        color: tone("muted"),
        fontSize: size.fontPx,
        formatter: percentileText,
        hideOverlap: true,
        textMargin: [0, 6],
      },
      splitLine: { lineStyle: { color: tone("line") } },
    },
    yAxis: {
      ...axisLook(size),
      type: "log",
      name: "latency",
      nameGap: size.leftPx - 20,
      axisLine: { show: false },
      axisLabel: {
        color: tone("muted", "y0"),
        fontSize: size.fontPx,
        formatter: (valueMs: number) => axisText(valueMs, "milliseconds"),
      },
      splitLine: { lineStyle: { color: tone("line", "y0") } },
    },
    series: lines.map((line) => seriesOption(line, spec.lines.indexOf(line))),
  };
  return renderSvg({ ...option, ...titleOption(spec, options) }, {
    id: options.id ?? spec.id,
    widthPx: size.widthPx,
    heightPx: size.heightPx + titlePx,
    theme: options.theme,
    title: spec.title,
    description: lines.length === 0 ? `${spec.description} No data.` : spec.description,
  });
}

function seriesOption(
  { name, tone: toneName, points }: Distribution,
  index: number,
): Record<string, unknown> {
  const color = tone(toneName, `s${index}`);
  return {
    type: "line",
    name,
    color,
    silent: true,
    symbol: points.length === 1 ? "circle" : "none",
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    // Below a microsecond a logarithmic axis would run off to zero.
    data: points.map(([tail, latencyUs]) => [tail, Math.max(latencyUs, 1) / 1000]),
  };
}

/** `99.9%` for 1,000. */
function percentileText(tail: number): string {
  return `${Number((100 * (1 - 1 / tail)).toFixed(6))}%`;
}
