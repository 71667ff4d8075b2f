/** A run: its folder, its processes, its samples. */
export { RunError } from "./errors.ts";
export type { RunErrorCode } from "./errors.ts";
export { parseRoleLine, ROLES, SUPERVISED_VARIABLE } from "./protocol.ts";
export type {
  DrainedLine,
  FailureLine,
  FinishedLine,
  HistogramJson,
  IntervalLine,
  NoteLine,
  ReadyLine,
  Role,
  RoleLine,
} from "./protocol.ts";
export {
  assertDiskSpace,
  createRunFolder,
  freeDiskBytes,
  newRunId,
  openRunFolder,
  writeJson,
} from "./run_folder.ts";
export type { RunFolder } from "./run_folder.ts";
export type { RoleExit, RoleProcess, RoleSpec } from "./role_process.ts";
export { superviseRole } from "./supervisor.ts";
export type {
  Restart,
  SupervisedRole,
  SupervisorObserver,
  SupervisorOptions,
} from "./supervisor.ts";
export { intervalLatencies, Latencies } from "./latencies.ts";
export { resourceUse } from "./resources.ts";
export type { ResourceUse } from "./resources.ts";
export { TextLineStream } from "./lines.ts";
export { Sampler } from "./sampler.ts";
export type { SamplerOptions, SampleTarget } from "./sampler.ts";
