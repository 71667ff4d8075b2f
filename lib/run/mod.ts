/** A run: its folder, its processes, its samples. */
export { RunError } from "./errors.ts";
export { countInterrupts } from "./interrupts.ts";
export type { Interrupts } from "./interrupts.ts";
export type { RunErrorCode } from "./errors.ts";
export { parseRoleCommand, parseRoleLine, ROLES, SUPERVISED_VARIABLE } from "./protocol.ts";
export type {
  AnswerLine,
  DrainedLine,
  FailureLine,
  FinishedLine,
  HistogramJson,
  IntervalLine,
  KillMeLine,
  NoteLine,
  NumberedCommand,
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
export { lastWordsOf } from "./role_process.ts";
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
export {
  controlCommandSchema,
  FAULT_KINDS,
  FREEZE_MS_MAX,
  KILL_POINTS,
  parseControlCommand,
} from "./control_command.ts";
export type {
  ControlCommand,
  FaultKind,
  InjectCommand,
  KillPoint,
  RoleCommand,
} from "./control_command.ts";
export { askStatus, readControlAddress, sendCommand } from "./control_client.ts";
export { CONTROL_FILE, ControlServer, serveControl } from "./control_server.ts";
export type { ControlActions, ControlAddress, ControlStatus } from "./control_server.ts";
export { appendDeath, appendEvent, EVENTS_FILE, readDeaths, readEvents } from "./events.ts";
export type { RunEvent } from "./events.ts";
export { appendRoleNote, NOTES_FILE, readRoleNotes } from "./role_notes.ts";
export type { RoleNote } from "./role_notes.ts";
