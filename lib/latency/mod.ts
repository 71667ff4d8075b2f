/** Histograms of latencies. Apart from base, for the library under them takes 17 MB that a broker has no use for. */
export { LatencyHistogram } from "./histogram.ts";
export type { LatencySummary } from "./histogram.ts";
