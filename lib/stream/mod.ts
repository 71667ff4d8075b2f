/** Event-time windows over partitions of a log, each stored exactly once. Pure: clock, disk and randomness are passed in. */
export { decodeCheckpoint, encodeCheckpoint, readCheckpoint } from "./checkpoint.ts";
export type { Checkpoint, CheckpointSummary, PendingBatch } from "./checkpoint.ts";
export { Dedupe } from "./dedupe.ts";
export { RETRY_DEFAULTS } from "./delivery.ts";
export type { InsertEvent, RetryOptions } from "./delivery.ts";
export { StreamError } from "./errors.ts";
export type { StreamErrorCode } from "./errors.ts";
export { FileCheckpointStore } from "./file_checkpoint_store.ts";
export type {
  AggregatedEvent,
  CheckpointEvent,
  PartitionCounters,
  PipelineHooks,
  WindowVisibleEvent,
} from "./hooks.ts";
export { LateLedger } from "./late.ts";
export type { LateEntry } from "./late.ts";
export type { ClosedBy, PartitionConfiguration, StreamConfiguration } from "./options.ts";
export type { IntendedRuns } from "./partition_state.ts";
export { PartitionState } from "./partition_state.ts";
export { Pipeline } from "./pipeline.ts";
export type { PipelineOptions } from "./pipeline.ts";
export { parsePlant } from "./plant.ts";
export type { Plant, PlantKind } from "./plant.ts";
export { comparePositions } from "./position.ts";
export { Watermark } from "./watermark.ts";
export { OpenWindow, WindowSet } from "./window.ts";
export type { MeasureTotals, WindowShape } from "./window.ts";
