/** What a terminal shows of a run, and figures in words: apart from the charts, whose library a runner has no use for. */
export { alignRows, wrapText } from "./align.ts";
export {
  comparedText,
  comparisonOf,
  comparisonText,
  conclusionNote,
  MAIN_MEASURES,
  ratioRangeText,
  ratioText,
} from "./comparison.ts";
export type { Comparison } from "./comparison.ts";
export {
  bytesText,
  coresText,
  countText,
  flatten,
  latencyText,
  NOT_MEASURED,
  sendTimeText,
  sumOf,
  timeText,
} from "./format.ts";
export { headline, systemsText } from "./headline.ts";
export { Progress, progressBar, progressLine } from "./progress.ts";
export type { ProgressOptions, ProgressState } from "./progress.ts";
export { summaryText, wantsColor } from "./summary.ts";
export type { SummaryOptions } from "./summary.ts";
