import { LatencyHistogram } from "../latency/mod.ts";
import { axisLook, SIZES, TITLE_PX, titleOption } from "./_layout.ts";
import { axisText, type Unit } from "./axis.ts";
import { chartPicture, type Picture } from "./display.ts";
import { type Tone, tone } from "./palette.ts";
import { pngOf } from "./png.ts";
import { renderSvg } from "./svg.ts";

/** Numbers, or a run's latencies. */
export type HistogramValues = readonly number[] | LatencyHistogram;

/** What a histogram is told. */
export interface HistogramOptions {
  readonly title?: string;
  /** How values are written; latencies are in milliseconds. */
  readonly unit?: Unit;
  /** Name of the axis of values. */
  readonly xName?: string;
  /** Bins in all; on a logarithmic axis they are as wide as it looks. */
  readonly bins?: number;
  /** `log` for latencies, `linear` for numbers, unless told. */
  readonly xScale?: "linear" | "log";
  /** `log` where the rarest bin would not be seen beside the fullest, unless told. */
  readonly yScale?: "linear" | "log";
}

/** Bins with their counts: `edges` has one more. */
export interface Bins {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

const TONES: readonly Tone[] = ["produce", "aggregate", "clickhouse", "broker", "runner"];
const PANEL_PX = 206;
const HEAD_PX = 30;
const AXIS_PX = 52;
/** Beside a bin so much fuller, one of a single value is less than a pixel high. */
const COUNT_RATIO_MAX = 200;

function rangeOf(values: HistogramValues): readonly [number, number] {
  if (!(values instanceof LatencyHistogram)) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return [low, high];
  }
  return [Math.max(1, values.percentileUs(0)) / 1000, values.summary().max / 1000];
}

/** Edges of so many bins from `low` to `high`, evenly on the axis. */
function edgesOf(low: number, high: number, count: number, isLog: boolean): number[] {
  const end = high > low ? high : low + (isLog ? low : 1);
  return Array.from(
    { length: count + 1 },
    (_, i) => isLog ? low * (end / low) ** (i / count) : low + ((end - low) * i) / count,
  );
}

/**
 * Counts values into bins; a bin holds what is above its lower edge and at most its upper one, and the first its lower edge as well.
 *
 * @param values latencies count in ms
 */
export function binsOf(values: HistogramValues, edges: readonly number[]): Bins {
  const last = edges.length - 1;
  if (values instanceof LatencyHistogram) {
    const above = values.countsAbove(edges.map((edge) => edge * 1000));
    const upTo = above.map((count, i) =>
      i === last ? values.count : i === 0 ? 0 : values.count - count
    );
    return { edges, counts: upTo.slice(1).map((count, i) => count - upTo[i]!) };
  }
  const counts = new Array<number>(last).fill(0);
  for (const value of values) {
    let i = edges.findIndex((edge, at) => at > 0 && value <= edge) - 1;
    if (i < 0) i = last - 1;
    counts[i]!++;
  }
  return { edges, counts };
}

type Named = readonly (readonly [name: string, values: HistogramValues])[];

function namedOf(values: HistogramValues | Readonly<Record<string, HistogramValues>>): Named {
  const isOne = Array.isArray(values) || values instanceof LatencyHistogram;
  const named = isOne
    ? [["", values as HistogramValues] as const]
    : Object.entries(values as Readonly<Record<string, HistogramValues>>);
  return named.filter(([, one]) => (one instanceof LatencyHistogram ? one.count : one.length) > 0);
}

function panelOption(
  index: number,
  topPx: number,
  y: Record<string, unknown>,
  x: Record<string, unknown>,
) {
  const { leftPx, rightPx } = SIZES.wide;
  return {
    grid: { left: leftPx, right: rightPx, top: topPx, height: PANEL_PX - HEAD_PX - 28 },
    xAxis: { ...x, gridIndex: index },
    yAxis: { ...y, gridIndex: index },
  };
}

/** Steps from edge to edge, ended at the axis. */
function stepsOf({ edges, counts }: Bins, isLogY: boolean): [number, number | null][] {
  const shown = (count: number) => isLogY && count === 0 ? null : count;
  const points = counts.map((count, i): [number, number | null] => [edges[i]!, shown(count)]);
  return [...points, [edges.at(-1)!, shown(counts.at(-1)!)]];
}

/** The end of an axis of counts: a power of ten, or 1, 2 or 5 times one. */
function roundAbove(count: number, isLog: boolean): number {
  const power = 10 ** Math.floor(Math.log10(count));
  const factors = isLog ? [1, 10] : [1, 2, 5, 10];
  return power * (factors.find((factor) => factor * power >= count) ?? 10);
}

interface Axes {
  readonly x: Record<string, unknown>;
  readonly y: Record<string, unknown>;
  readonly isLogY: boolean;
}

function axesOf(
  bins: readonly Bins[],
  options: HistogramOptions & { isLogX: boolean; unit: Unit },
): Axes {
  const counts = bins.flatMap((one) => one.counts).filter((count) => count > 0);
  const isLogY = (options.yScale ??
    (Math.max(...counts) > COUNT_RATIO_MAX * Math.min(...counts) ? "log" : "linear")) === "log";
  const label = { color: tone("muted"), fontSize: SIZES.wide.fontPx, hideOverlap: true };
  const edges = bins[0]!.edges;
  const x = {
    ...axisLook(SIZES.wide),
    type: options.isLogX ? "log" : "value",
    min: edges[0],
    max: edges.at(-1),
    axisLabel: {
      ...label,
      showMinLabel: false,
      formatter: (value: number) => axisText(value, options.unit),
    },
    splitLine: { show: false },
  };
  const y = {
    ...axisLook(SIZES.wide),
    type: isLogY ? "log" : "value",
    name: "count",
    nameGap: SIZES.wide.leftPx - 20,
    ...(isLogY ? { min: 0.5 } : { min: 0 }),
    // One scale for all panels, or they could not be compared.
    max: roundAbove(Math.max(...counts), isLogY),
    axisLine: { show: false },
    axisLabel: {
      ...label,
      formatter: (value: number) => value < 1 && value > 0 ? "" : axisText(value, "count"),
    },
    splitLine: { lineStyle: { color: tone("line") } },
  };
  return { x, y, isLogY };
}

/**
 * How values are distributed, one panel for each set under one another with the same axes, so that they can be compared.
 *
 * @param values numbers, a run's latencies (`await run.latency("publish")`), or several of them by name
 *
 * @example
 * ```ts ignore
 * await weir.show(weir.histogramOf({ open: await a.latency("publish"), closed: await b.latency("publish") }));
 * ```
 */
export async function histogramOf(
  values: HistogramValues | Readonly<Record<string, HistogramValues>>,
  options: HistogramOptions = {},
): Promise<Picture> {
  const named = namedOf(values);
  const { title = "", bins: binCount = 60, xName = "" } = options;
  if (named.length === 0) return { "text/plain": `${title}: no values` };
  const areLatencies = named.some(([, one]) => one instanceof LatencyHistogram);
  const unit = options.unit ?? (areLatencies ? "milliseconds" : "count");
  const ranges = named.map(([, one]) => rangeOf(one));
  const low = Math.min(...ranges.map(([from]) => from));
  const high = Math.max(...ranges.map(([, to]) => to));
  const isLogX = (options.xScale ?? (areLatencies ? "log" : "linear")) === "log" && low > 0;
  const edges = edgesOf(low, high, binCount, isLogX);
  const bins = named.map(([, one]) => binsOf(one, edges));
  const { x, y, isLogY } = axesOf(bins, { ...options, isLogX, unit });
  const panels = named.map((_, i) =>
    panelOption(i, TITLE_PX + HEAD_PX + i * PANEL_PX, y, {
      ...x,
      ...(i === named.length - 1 ? { name: xName, nameGap: 30 } : {}),
    })
  );
  const heads = named.map(([name], i) => ({
    text: name,
    left: SIZES.wide.leftPx - 4,
    top: TITLE_PX + i * PANEL_PX + 4,
    textStyle: { color: tone(TONES[i % TONES.length]!), fontSize: 14, fontWeight: 600 },
  }));
  const { title: heading, ...ground } = titleOption({ title }, { theme: "light", withTitle: true });
  const description = `Counts of ${
    named.map(([name]) => name || "the values").join(", ")
  } by value.`;
  const svg = renderSvg({
    ...ground,
    title: [heading, ...heads],
    grid: panels.map(({ grid }) => grid),
    xAxis: panels.map(({ xAxis }) => xAxis),
    yAxis: panels.map(({ yAxis }) => yAxis),
    series: bins.map((one, i) => ({
      type: "line",
      xAxisIndex: i,
      yAxisIndex: i,
      step: "end",
      showSymbol: false,
      data: stepsOf(one, isLogY),
      lineStyle: { width: 1.5, color: tone(TONES[i % TONES.length]!) },
      areaStyle: { color: tone(TONES[i % TONES.length]!), opacity: 0.25, origin: "start" },
    })),
  }, {
    id: `histogram-${title.replaceAll(/[^A-Za-z0-9]+/g, "-").toLowerCase()}`,
    widthPx: SIZES.wide.widthPx,
    heightPx: TITLE_PX + named.length * PANEL_PX + AXIS_PX - 12,
    theme: "light",
    title,
    description,
  });
  return chartPicture(svg, `${title}: ${description}`, await pngOf(svg) as Uint8Array<ArrayBuffer>);
}
