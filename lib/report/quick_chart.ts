import { BarChart } from "echarts/charts";
import { use } from "echarts/core";
import {
  axisLook,
  LEGEND_ROW_PX,
  legendOption,
  legendRows,
  noDataOption,
  SIZES,
  TITLE_PX,
  titleOption,
} from "./_layout.ts";
import { axisText } from "./axis.ts";
import { chartPicture, type Picture } from "./display.ts";
import { type Tone, tone } from "./palette.ts";
import { pngOf } from "./png.ts";
import { renderSvg } from "./svg.ts";

use([BarChart]);

/** A row of a query. */
export type Row = Readonly<Record<string, unknown>>;

/** What a chart of rows is told; without anything it makes the best of what is there. */
export interface QuickChartOptions {
  readonly title?: string;
  /** Column along the bottom; the first unless told. */
  readonly x?: string;
  /** Columns that are drawn; every other that holds numbers unless told. */
  readonly y?: string | readonly string[];
  /** What the values are, with their unit, e.g. `messages/s`. */
  readonly yName?: string;
  /** `bars` for categories, `line` for numbers and times, unless told. */
  readonly look?: "line" | "bars" | "points";
}

/** The colours of lines that stand for no role, in their order. */
const TONES: readonly Tone[] = ["produce", "aggregate", "clickhouse", "broker", "runner"];

const ROLES: readonly Tone[] = ["produce", "broker", "aggregate", "clickhouse", "runner"];

/** So many categories have room along the bottom as bars. */
const BARS_MAX = 60;

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const INSTANT = /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?Z?$/;

/** ClickHouse writes 64-bit integers as text. */
function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : null;
}

/** Instants without a zone are in UTC, as ClickHouse keeps them here. */
function instantOf(value: unknown): number | null {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string" || !INSTANT.test(value)) return null;
  const text = value.replace(" ", "T");
  return Date.parse(text.endsWith("Z") || !text.includes("T") ? text : `${text}Z`);
}

type XKind = "time" | "value" | "category";

function kindOf(values: readonly unknown[]): XKind {
  if (values.every((value) => instantOf(value) !== null)) return "time";
  return values.every((value) => numberOf(value) !== null) ? "value" : "category";
}

interface Plan {
  readonly x: string;
  readonly ys: readonly string[];
  readonly kind: XKind;
  readonly look: "line" | "bars" | "points";
}

function planOf(rows: readonly Row[], { x: wantedX, y, look }: QuickChartOptions): Plan {
  const columns = Object.keys(rows[0]!);
  const wanted = y === undefined ? undefined : [y].flat();
  for (const name of [...(wantedX === undefined ? [] : [wantedX]), ...(wanted ?? [])]) {
    if (columns.includes(name)) continue;
    throw new RangeError(
      `Cannot draw column ${JSON.stringify(name)}: expected ${columns.join(", ")}`,
    );
  }
  const x = wantedX ?? columns[0]!;
  const ys = wanted ??
    columns.filter((name) => name !== x && rows.some((row) => numberOf(row[name]) !== null));
  if (ys.length === 0) {
    throw new RangeError(
      `Cannot draw these rows: no column but ${JSON.stringify(x)} holds numbers`,
    );
  }
  const kind = kindOf(rows.map((row) => row[x]));
  const isBars = kind === "category" && rows.length <= BARS_MAX;
  return { x, ys, kind, look: look ?? (isBars ? "bars" : "line") };
}

function xValue(value: unknown, kind: XKind): number | string {
  if (kind === "time") return instantOf(value)!;
  return kind === "value" ? numberOf(value)! : String(value);
}

/** A column that is named after a role has its colour, as in every other chart. */
function tonesOf(names: readonly string[]): Tone[] {
  const roles = names.map((name) => ROLES.find((role) => role === name));
  const free = TONES.filter((one) => !roles.includes(one));
  let taken = 0;
  return roles.map((role) => role ?? free[taken++ % free.length] ?? "runner");
}

function seriesOf(rows: readonly Row[], plan: Plan): Record<string, unknown>[] {
  const { x, ys, kind, look } = plan;
  const tones = tonesOf(ys);
  return ys.map((name, i) => {
    const color = tone(tones[i]!);
    return {
      name,
      type: look === "bars" ? "bar" : "line",
      data: rows.map((row) => [xValue(row[x], kind), numberOf(row[name])]),
      itemStyle: { color },
      barMaxWidth: 48,
      lineStyle: look === "points" ? { width: 0 } : { width: 2, color },
      showSymbol: look === "points" || rows.length === 1,
      symbol: "circle",
      symbolSize: 6,
    };
  });
}

function optionOf(rows: readonly Row[], plan: Plan, options: QuickChartOptions) {
  const size = SIZES.wide;
  const titlePx = TITLE_PX;
  const lines = plan.ys.map((name) => ({ name }));
  const legendPx = lines.length > 1
    ? legendRows(lines, size.widthPx - size.leftPx - size.rightPx) * LEGEND_ROW_PX
    : 0;
  const label = { color: tone("muted"), fontSize: size.fontPx, hideOverlap: true };
  const grid = { left: size.leftPx, right: size.rightPx, top: titlePx + legendPx + 12, bottom: 52 };
  return {
    useUTC: true,
    grid,
    ...(lines.length > 1 ? { legend: legendOption(size, titlePx) } : {}),
    xAxis: {
      ...axisLook(size),
      type: plan.kind,
      name: plan.kind === "time" ? `${plan.x} (UTC)` : plan.x,
      nameGap: 30,
      scale: true,
      axisLabel: plan.kind === "value"
        ? { ...label, formatter: (value: number) => axisText(value, "count") }
        : label,
      splitLine: { show: false },
    },
    yAxis: {
      ...axisLook(size),
      type: "value",
      name: options.yName ?? (plan.ys.length === 1 ? plan.ys[0] : ""),
      nameGap: size.leftPx - 20,
      axisLine: { show: false },
      axisLabel: { ...label, formatter: (value: number) => axisText(value, "count") },
      splitLine: { lineStyle: { color: tone("line") } },
    },
    series: seriesOf(rows, plan),
  };
}

/**
 * A chart of any rows, e.g. of a query: the first column goes along the bottom, every other that holds numbers becomes a line; names become bars.
 *
 * @param rows in the order in which they are drawn
 * @throws {RangeError} when a column is named that is not there, or no column holds numbers
 *
 * @example
 * ```ts ignore
 * const rows = await run.rows("SELECT window_start, sum(message_count) AS messages FROM sensor_1m GROUP BY 1 ORDER BY 1");
 * await weir.show(weir.chartOf(rows, { title: "Messages a window" }));
 * ```
 */
export async function chartOf(
  rows: readonly Row[],
  options: QuickChartOptions = {},
): Promise<Picture> {
  const { title = "" } = options;
  const isEmpty = rows.length === 0;
  const plan = isEmpty ? undefined : planOf(rows, options);
  const option = plan === undefined
    ? noDataOption({ yName: options.yName ?? "rows" }, SIZES.wide, TITLE_PX)
    : optionOf(rows, plan, options);
  const description = plan === undefined
    ? "No rows."
    : `${plan.ys.join(", ")} over ${plan.x}, ${rows.length} rows.`;
  const svg = renderSvg({
    ...titleOption({ title }, { theme: "light", withTitle: true }),
    ...option,
  }, {
    id: `chart-${title.replaceAll(/[^A-Za-z0-9]+/g, "-").toLowerCase()}`,
    widthPx: SIZES.wide.widthPx,
    heightPx: SIZES.wide.heightPx + TITLE_PX,
    theme: "light",
    title,
    description,
  });
  return chartPicture(svg, `${title}: ${description}`, await pngOf(svg) as Uint8Array<ArrayBuffer>);
}
