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
export {
  attach,
  compare,
  comparison,
  findNativeClient,
  findPulsar,
  listRuns,
  NotebookError,
  readResultAt,
  redrawReport,
  report,
  RunHandle,
  runs,
  start,
  writeReport,
} from "./notebook/mod.ts";
export type {
  ChartName,
  Compared,
  CompareOptions,
  FoundPulsar,
  InjectOptions,
  LatencyName,
  RunState,
  RunSummary,
  ScenarioName,
  StartOptions,
} from "./notebook/mod.ts";
export { atLeast, atMost, below, parseScenario } from "./scenarios/mod.ts";
export type {
  FaultRole,
  MeasureName,
  RunOptions,
  Scenario,
  StageSpec,
  ThresholdSpec,
  TimedFault,
} from "./scenarios/mod.ts";
export {
  deathAccount,
  hexOfField,
  rowDelays,
  rowOfMessage,
  tapMessage,
  watchEventTimes,
} from "./notebook/mod.ts";
export type {
  DeathAccount,
  EventTimes,
  LatenessCounts,
  LatenessTrial,
  PartitionAccount,
  RowDelays,
  RunPath,
  TappedMessage,
} from "./notebook/mod.ts";
export {
  bytesPicture,
  chartOf,
  histogramOf,
  percentilesOf,
  say,
  show,
  tableOf,
} from "./report/mod.ts";
export type { HistogramOptions, Picture, QuickChartOptions } from "./report/mod.ts";
export { openRunFolder } from "./run/mod.ts";
export { RunError } from "./run/mod.ts";
export type { ControlStatus, FaultKind, KillPoint, RunFolder } from "./run/mod.ts";
export { auditClaim, claimOf, concludeAudit, parseRelation, RELATIONS } from "./verdict/mod.ts";
export type { Claim, ClaimFinding, MeasureComparison, Result } from "./verdict/mod.ts";
