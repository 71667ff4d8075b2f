/**
 * The door for notebooks and scripts: start a run, watch it, judge it, ask it.
 *
 * @module
 *
 * @example
 * ```ts ignore
 * import * as weir from "weir";
 * const run = await weir.start("bench50k", { rate: 50_000, duration: "20s" });
 * await run.chart();
 * await run.verdict();
 * ```
 */
export { attach, NotebookError, RunHandle, start, writeReport } from "./notebook/mod.ts";
export type { FaultRole, InjectOptions, StartOptions } from "./notebook/mod.ts";
export { show, tableOf } from "./report/mod.ts";
export type { Picture } from "./report/mod.ts";
export { openRunFolder } from "./run/mod.ts";
export { RunError } from "./run/mod.ts";
export type { ControlStatus, FaultKind, KillPoint, RunFolder } from "./run/mod.ts";
export type { Result } from "./verdict/mod.ts";
