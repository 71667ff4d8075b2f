/** Where all the systems meet: what a run does, and what its roles do. */
export { runAggregate } from "./aggregate.ts";
export type { AggregateOptions } from "./aggregate.ts";
export { clickhouseSpec, makeClickHousePassword, readClickHousePassword } from "./bench_roles.ts";
export { runBench } from "./bench.ts";
export type { BenchObserver, BenchOptions, BenchPhase } from "./bench.ts";
export { CuttableConnections } from "./cuttable.ts";
export { CLIENTS, isEmbedded, LOOPS, plannedMessageCount, scheduleOf, UNSAFE } from "./config.ts";
export type {
  BenchConfig,
  ClickHouseTarget,
  ClientName,
  LoadSettings,
  Loop,
  PulsarTarget,
  Unsafe,
  WindowSettings,
} from "./config.ts";
export { judgeRun } from "./judge_run.ts";
export { describeEnvironment } from "./manifest.ts";
export type { EarlyEnd, Environment, GeneratorReport, Manifest } from "./manifest.ts";
export { recoveryOf } from "./recovery_notes.ts";
export type { RecoveredBatch, Recovery, RecoveryNote } from "./recovery_notes.ts";
export { runProduce } from "./produce.ts";
export type { ProduceOptions } from "./produce.ts";
export {
  connectDriver,
  connectTarget,
  makeTopicIfMissing,
  openAdmin,
  openProducer,
  openSource,
} from "./pulsar_parts.ts";
export type { PulsarDriver } from "./pulsar_parts.ts";
export { parseTimedCommand } from "./timed_fault.ts";
export type { TimedCommand } from "./timed_fault.ts";
export { openSink } from "./systems.ts";
export { openRoleIo, readyLine, sayFailure } from "./role_io.ts";
export type { RoleIo } from "./role_io.ts";
export type { FaultRole, RunOptions, Scenario, StageSpec, TimedFault } from "./run_options.ts";
export { parseScenario, scenarioFlags } from "./scenario.ts";
export { atLeast, atMost, below, thresholdText } from "./threshold_text.ts";
export type { MeasureName, ThresholdSpec } from "./threshold_text.ts";
export { readManifest } from "./read_run.ts";
