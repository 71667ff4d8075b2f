/** Result in, picture out: charts, the report of a run, text for the terminal, pictures for a notebook. */
export type { DrawOptions } from "./_layout.ts";
export type { Unit } from "./axis.ts";
export { bytesPicture } from "./bytes_picture.ts";
export type { BytesSpec } from "./bytes_picture.ts";
export { drawChart } from "./chart.ts";
export type { ChartSpec, Line, Points } from "./chart.ts";
export type { ChartData, LineData } from "./chart_data.ts";
export { comparisonTable } from "./comparison_table.ts";
export { chartPicture, LiveDisplay, say, show, systemDisplay, tableOf } from "./display.ts";
export type { DisplayTarget, KernelDisplay, Picture } from "./display.ts";
export { distributionOf, drawDistribution } from "./distribution.ts";
export type { Distribution, DistributionPoints, DistributionSpec } from "./distribution.ts";
export { drawEventTimes } from "./event_time_chart.ts";
export type { EventDot, EventTimeSpec, Timeliness } from "./event_time_chart.ts";
export { packedIn } from "./embedded.ts";
export { ReportError } from "./errors.ts";
export { reportHtml } from "./html.ts";
export type { ReportArchive, RunReport } from "./html.ts";
export type { Mark } from "./marks.ts";
export { PALETTE, toneOfRole } from "./palette.ts";
export type { Theme, Tone } from "./palette.ts";
export { pngOf } from "./png.ts";
export { histogramOf } from "./histogram_chart.ts";
export type { HistogramOptions, HistogramValues } from "./histogram_chart.ts";
export { percentilesOf } from "./percentiles_chart.ts";
export type { PercentilesOptions } from "./percentiles_chart.ts";
export { chartOf } from "./quick_chart.ts";
export type { QuickChartOptions, Row } from "./quick_chart.ts";
export { stackSvgs } from "./stack.ts";
export { runCharts } from "./run_charts.ts";
export type { Chart, RoleTimeline, RunPicture, Timeline } from "./run_charts.ts";
export {
  alignRows,
  comparisonOf,
  headline,
  Progress,
  progressBar,
  progressLine,
  summaryText,
  systemsText,
  wantsColor,
  wrapText,
} from "./text/mod.ts";
export type { ProgressOptions, ProgressState, SummaryOptions } from "./text/mod.ts";
