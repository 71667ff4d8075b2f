/** Runs as cells see them: start, watch, judge, ask; and the report of one. */
export { NotebookError } from "./errors.ts";
export { RunHandle } from "./run_handle.ts";
export type { FaultRole, InjectOptions } from "./run_handle.ts";
export { attach, start } from "./start.ts";
export type { StartOptions } from "./start.ts";
export { writeReport } from "./write_report.ts";
