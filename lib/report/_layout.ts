import { labelWidthPx } from "./marks.ts";
import { type Theme, tone } from "./palette.ts";

/** The sizes that charts are drawn in. */
export type ChartSize = "wide" | "narrow" | "low";

/** How big and in which colours. */
export interface DrawOptions {
  readonly theme: Theme;
  /** `wide` for a page or a slide, `narrow` for a phone, `low` where several stand over one another and all must be seen at once. */
  readonly size?: ChartSize;
  /** Writes the title into the picture, as a file of its own needs it. */
  readonly withTitle?: boolean;
  /** Under the title, e.g. the systems that were measured. */
  readonly subtitle?: string;
  /** False where the page writes the legend itself. */
  readonly withLegend?: boolean;
  /** False where a chart above it, with the same time axis, has the labels already: the lines of the marks stay. */
  readonly withMarkLabels?: boolean;
  /** Prefix of the ids inside, where one page holds several drawings of one chart. */
  readonly id?: string;
}

/** Measures of the sizes; one left edge, so that charts under one another line up. */
export const SIZES = {
  wide: { widthPx: 860, heightPx: 300, leftPx: 80, rightPx: 30, ticksMax: 10, fontPx: 13 },
  narrow: { widthPx: 400, heightPx: 280, leftPx: 72, rightPx: 22, ticksMax: 5, fontPx: 12 },
  low: { widthPx: 860, heightPx: 176, leftPx: 80, rightPx: 30, ticksMax: 10, fontPx: 13 },
} as const;

/** Measures of one size. */
export type Size = (typeof SIZES)[ChartSize];

/** Between the entries of a legend, across and down. */
const LEGEND_GAP_PX = 16;
/** Height of a row of the legend. */
export const LEGEND_ROW_PX = 26;
/** Height of title and subtitle. */
export const TITLE_PX = 52;
const TITLE_ALONE_PX = 36;
/** Height of labels and name under the time axis. */
export const BOTTOM_PX = 48;

/** Where lines are drawn, in the units of the SVG. */
export interface PanelBox {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The box of a chart that has but one. */
export function boxOf(size: Size, topPx: number, heightPx: number, rightPx: number): PanelBox {
  return {
    leftPx: size.leftPx,
    topPx,
    widthPx: size.widthPx - size.leftPx - rightPx,
    heightPx: heightPx - topPx - BOTTOM_PX,
  };
}

/** A box as a grid of ECharts. */
export function gridOf({ leftPx, topPx, widthPx, heightPx }: PanelBox): Record<string, unknown> {
  const box = { left: leftPx, top: topPx, width: widthPx, height: heightPx };
  // Exactly there: ECharts would make room for long labels, and the script of a page works with this box.
  return { ...box, containLabel: false, outerBoundsMode: "none" };
}

/** Height of what {@link titleOption} writes. Only the low size saves the line of a subtitle that is not there. */
export function titleHeightPx({ withTitle = false, subtitle, size }: Omit<DrawOptions, "theme">) {
  if (!withTitle) return 0;
  return size === "low" && subtitle === undefined ? TITLE_ALONE_PX : TITLE_PX;
}

/** Title and subtitle of a picture that stands alone, on a ground of its own. */
export function titleOption(
  { title }: { readonly title: string },
  { withTitle = false, subtitle = "" }: DrawOptions,
): Record<string, unknown> {
  if (!withTitle) return {};
  return {
    backgroundColor: tone("surface"),
    title: {
      text: title,
      subtext: subtitle,
      left: 14,
      top: 8,
      itemGap: 4,
      textStyle: { color: tone("ink"), fontSize: 17, fontWeight: 600 },
      subtextStyle: { color: tone("muted"), fontSize: 12 },
    },
  };
}

/** What is drawn where there is nothing to draw: words, never empty axes. */
export function noDataOption(
  spec: { readonly yName: string },
  size: Size,
  titlePx: number,
): Record<string, unknown> {
  return {
    graphic: [{
      type: "text",
      left: "center",
      top: titlePx + size.heightPx / 2 - 10,
      style: { text: `no data: ${spec.yName}`, fill: tone("muted"), fontSize: 15 },
    }],
  };
}

/** The legend of lines, at the top left of a plot. */
export function legendOption(size: Size, topPx: number): Record<string, unknown> {
  return {
    top: topPx + 2,
    left: size.leftPx - 6,
    right: size.rightPx,
    itemGap: LEGEND_GAP_PX,
    itemWidth: 20,
    itemHeight: 4,
    padding: [4, 4],
    textStyle: { color: tone("ink"), fontSize: size.fontPx },
  };
}

/** How many rows the legend will wrap into, so that it never lies over the plot. */
export function legendRows(lines: readonly { readonly name: string }[], widthPx: number): number {
  let rows = 1;
  let usedPx = 0;
  for (const { name } of lines) {
    const itemPx = 20 + 8 + labelWidthPx(name) + LEGEND_GAP_PX;
    if (usedPx > 0 && usedPx + itemPx > widthPx) {
      rows++;
      usedPx = 0;
    }
    usedPx += itemPx;
  }
  return rows;
}

/** What all axes share. */
export function axisLook(size: Size): Record<string, unknown> {
  return {
    nameLocation: "middle",
    nameTextStyle: { color: tone("muted"), fontSize: size.fontPx },
    axisLine: { show: true, lineStyle: { color: tone("muted") } },
    axisTick: { lineStyle: { color: tone("muted") } },
  };
}
