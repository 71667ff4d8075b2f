import { LineChart } from "echarts/charts";
import {
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
} from "echarts/components";
import { type ECharts, type EChartsCoreOption, init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeText } from "./escape.ts";
import { labelWidthPx } from "./marks.ts";
import { type Theme, withTheme } from "./palette.ts";

use([
  GraphicComponent,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkAreaComponent,
  MarkLineComponent,
  SVGRenderer,
  TitleComponent,
]);

/** As wide as high: ECharts takes the width of one of them for the height of a line. */
const WIDE = /[\u2e80-\u9fff\uff00-\uffef]/g;

// Without a canvas ECharts guesses widths for a narrower face, and the entries of a legend would touch.
setPlatformAPI({
  measureText: (text, font = "12px") => {
    const fontPx = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? 12);
    const narrow = text.replaceAll(WIDE, "");
    const wideCount = text.length - narrow.length;
    return { width: labelWidthPx(narrow) * fontPx / 12 + wideCount * fontPx };
  },
});

/** The face of the PNGs first, then what a reader's machine has. */
export const FONT_FAMILY =
  "Inter, system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";

/** What an SVG needs beside its drawing. */
export interface SvgOptions {
  /** Unique in a page: prefix of the ids inside. */
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly theme: Theme;
  /** Read out instead of the picture. */
  readonly title: string;
  readonly description: string;
}

/**
 * Draws an ECharts option as SVG text: the same text for the same option, in any process.
 *
 * @param option with tones for colours
 */
export function renderSvg(option: EChartsCoreOption, options: SvgOptions): string {
  const { id, widthPx, heightPx, theme, title, description } = options;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: widthPx, height: heightPx });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: FONT_FAMILY }, ...option });
    const drawn = tidySvg(chart.renderToSVGString(), id);
    const label = `<title id="${id}-title">${escapeText(title)}</title>` +
      `<desc id="${id}-desc">${escapeText(description)}</desc>`;
    const scale = theme === "page" ? valueScale(chart) : "";
    const root = `<svg id="${id}" role="img" aria-labelledby="${id}-title ${id}-desc" ${scale}`;
    return withTheme(drawn.replace("<svg ", root).replace(/(<svg [^>]*>)/, `$1${label}`), theme);
  } finally {
    // Without this its timers keep the process alive.
    chart.dispose();
  }
}

/** What the script of a page must know to draw the values to another scale: where the first value axis ends, as ECharts has chosen it. */
function valueScale(chart: ECharts): string {
  const axes = (chart as unknown as WithModel).getModel().getComponent("yAxis", 0);
  if (axes === undefined) return "";
  const { scale } = axes.axis;
  const [from, to] = scale.getExtent();
  return `data-y="${from} ${to} ${scale.type}" `;
}

/** The part of ECharts' model that is read: its public interface converts values to pixels, but does not tell the ends. */
interface WithModel {
  getModel(): {
    getComponent(name: string, index: number): {
      readonly axis: { readonly scale: { readonly type: string; getExtent(): [number, number] } };
    } | undefined;
  };
}

/** Ids that count charts of this process become ids of this chart; what only a live chart needs goes. */
function tidySvg(svg: string, id: string): string {
  return svg
    .replaceAll(/zr\d+-(c|g|p)/g, `${id}-$1`)
    .replaceAll(/<style >[\s\S]*?<\/style>/g, "")
    .replaceAll(/ (class|ecmeta_[a-z_]+|pointer-events)="[^"]*"/g, "")
    .replaceAll(/ (baseProfile|version)="[^"]*"/g, "")
    .replaceAll(/\n+/g, "\n");
}
