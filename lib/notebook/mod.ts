/** Runs as cells see them: start, watch, judge, ask; and the report of one. */
export { rowOfMessage } from "./message_row.ts";
export { hexOfField, tapMessage } from "./message_tap.ts";
export type { RunPath, TappedMessage } from "./message_tap.ts";
export { compare, comparison } from "./compare.ts";
export type { Compared } from "./compare.ts";
export { NotebookError } from "./errors.ts";
export type { ChartName } from "./live_chart.ts";
export { report } from "./report.ts";
export { RunHandle } from "./run_handle.ts";
export type { InjectOptions, LatencyName } from "./run_handle.ts";
export { listRuns, runs } from "./runs.ts";
export type { RunState, RunSummary } from "./runs.ts";
export { attach, start } from "./start.ts";
export type { ScenarioName, StartOptions } from "./start.ts";
export { writeReport } from "./write_report.ts";
