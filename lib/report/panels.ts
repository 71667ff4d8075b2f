import {
  axisLook,
  type DrawOptions,
  gridOf,
  noDataOption,
  type PanelBox,
  SIZES,
  TITLE_PX,
  titleOption,
} from "./_layout.ts";
import { type Line, marksOption, seriesOption, timeAxis, valueAxis } from "./_plot.ts";
import type { Unit } from "./axis.ts";
import { hasData } from "./chart.ts";
import type { Mark } from "./marks.ts";
import { tone } from "./palette.ts";
import { renderSvg } from "./svg.ts";

/** Small multiples: one panel a line, all with the same axes, so that they can be compared. */
export interface PanelsSpec {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly yName: string;
  readonly yUnit: Unit;
  /** Each gets a panel, headed by its name. */
  readonly lines: readonly Line[];
  readonly spanSec: number;
  readonly marks?: readonly Mark[];
}

const COLUMNS = { wide: 3, narrow: 2, low: 3 } as const;
/** Plot, and what is above and below it. */
const PANEL_PX = { heightPx: 110, headPx: 26, footPx: 30, gapPx: 36 } as const;
const AXIS_NAME_PX = 18;

function heightOf(count: number, columns: number): number {
  const { heightPx, headPx, footPx } = PANEL_PX;
  return Math.max(1, Math.ceil(count / columns)) * (heightPx + headPx + footPx) + AXIS_NAME_PX;
}

/** Where {@link drawPanels} draws each line. */
export function panelBoxes(
  { lines }: PanelsSpec,
  { size: sizeName = "wide", withTitle = false }: Omit<DrawOptions, "theme">,
): PanelBox[] {
  const size = SIZES[sizeName];
  const columns = COLUMNS[sizeName];
  const { heightPx, headPx, footPx, gapPx } = PANEL_PX;
  const allPx = size.widthPx - size.leftPx - size.rightPx;
  const widthPx = (allPx - gapPx * (columns - 1)) / columns;
  return lines.map((_, i) => ({
    leftPx: size.leftPx + (i % columns) * (widthPx + gapPx),
    topPx: (withTitle ? TITLE_PX : 0) + headPx +
      Math.floor(i / columns) * (heightPx + headPx + footPx),
    widthPx,
    heightPx,
  }));
}

/** The next of 1, 2, 3, 4, 5, 6, 8 and 10 times a power of ten: its half is a round number too. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const share = value / power;
  return power * ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => share <= step + 1e-9) ?? 10);
}

/** Draws small multiples over time as SVG. */
export function drawPanels(spec: PanelsSpec, options: DrawOptions): string {
  const size = SIZES[options.size ?? "wide"];
  const titlePx = options.withTitle === true ? TITLE_PX : 0;
  const isEmpty = !hasData(spec);
  const columns = COLUMNS[options.size ?? "wide"];
  const heightPx = isEmpty ? size.heightPx : heightOf(spec.lines.length, columns);
  const option = isEmpty ? noDataOption(spec, size, titlePx) : plotOption(spec, options, columns);
  const { title: heading, ...ground } = titleOption(spec, options);
  const titles = [heading, option["title"]].flat().filter((one) => one !== undefined);
  return renderSvg({ ...option, ...ground, title: titles }, {
    id: options.id ?? spec.id,
    widthPx: size.widthPx,
    heightPx: heightPx + titlePx,
    theme: options.theme,
    title: spec.title,
    description: isEmpty ? `${spec.description} No data.` : spec.description,
  });
}

function plotOption(
  spec: PanelsSpec,
  options: DrawOptions,
  columns: number,
): Record<string, unknown> {
  const size = SIZES[options.size ?? "wide"];
  const boxes = panelBoxes(spec, options);
  const spanSec = spec.spanSec > 0 ? spec.spanSec : 1;
  const highest = Math.max(
    ...spec.lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)),
  );
  const max = highest > 0 ? roundUp(highest) : 1;
  // The lines alone: labels would have no room, and the charts above have them.
  const placed = (spec.marks ?? []).map((mark) => ({
    mark,
    label: "",
    lane: undefined,
    align: "left" as const,
  }));
  const places = boxes.map((box, index) => ({ box, index }));
  return {
    grid: boxes.map(gridOf),
    title: boxes.map(({ leftPx, topPx }, i) => ({
      text: spec.lines[i]!.name,
      left: leftPx,
      top: topPx - 22,
      padding: 0,
      textStyle: { color: tone(spec.lines[i]!.tone), fontSize: size.fontPx, fontWeight: 600 },
    })),
    xAxis: places.map((place) => ({
      ...timeAxis(spanSec, size, { ...place, withName: false }),
      // One name for all of them, under the last row's first.
      ...(place.index === boxes.length - 1 - (boxes.length - 1) % columns
        ? { ...axisLook(size), name: "time since start", nameGap: 28 }
        : {}),
      axisTick: { lineStyle: { color: tone("muted", `x${place.index}`) } },
    })),
    yAxis: places.map((place) =>
      valueAxis({ ...spec, max }, size, { ...place, withName: place.index % columns === 0 })
    ),
    series: spec.lines.map((line, index) => ({
      ...seriesOption({ look: "area", ...line }, { index, panel: index, isLog: false }),
      ...marksOption(placed),
    })),
  };
}
