import type { EventTimeMs, WallTimeMs } from "../base/mod.ts";
import type { Position } from "../contract.ts";
import type { InsertEvent } from "./delivery.ts";
import type { ClosedBy } from "./options.ts";
import type { IntendedRuns } from "./partition_state.ts";

/** Messages of one entry were aggregated. */
export interface AggregatedEvent {
  readonly partition: number;
  /** When the entry had been dealt with. */
  readonly aggregatedWallMs: WallTimeMs;
  /** When they should have gone out; valid during the call only. */
  readonly intended: Readonly<IntendedRuns>;
}

/** The rows of a batch can be read from the sink. */
export interface WindowVisibleEvent {
  readonly partition: number;
  readonly batchId: string;
  readonly rows: number;
  readonly windowEndMs: EventTimeMs;
  /** Only `watermark` belongs in the windowVisible latency; the end marker and idleness close windows at times of their own. */
  readonly closedBy: ClosedBy;
  /** From the watermark passing the window's end to the insert's response. After a restart measured with the wall clock, else monotonic. */
  readonly windowVisibleUs: number;
  readonly visibleWallMs: WallTimeMs;
  /** Whether the window was closed before a restart. */
  readonly recovered: boolean;
}

/** A checkpoint is durable. */
export interface CheckpointEvent {
  readonly partition: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/** What a pipeline tells whoever measures it. All are called synchronously and must not throw. */
export interface PipelineHooks {
  onAggregated?(event: AggregatedEvent): void;
  onWindowVisible?(event: WindowVisibleEvent): void;
  onInsert?(event: InsertEvent): void;
  onCheckpoint?(event: CheckpointEvent): void;
  onAcknowledged?(partition: number, position: Position): void;
  /** The partition's last window is stored, its last checkpoint durable and everything acknowledged. */
  onDrained?(partition: number): void;
  /** Another owner took the partition over. */
  onOwnerLost?(partition: number): void;
}

/** Plain counters of one partition, read whenever metrics are asked for. */
export interface PartitionCounters {
  readonly partition: number;
  readonly messagesRead: number;
  readonly messagesAggregated: number;
  readonly messagesDuplicated: number;
  readonly messagesLate: number;
  /** Entries that a source brought again and that were passed over. */
  readonly entriesSkipped: number;
  readonly watermarkMs: EventTimeMs;
  readonly openWindows: number;
  readonly pendingBatches: number;
  readonly position: Position | undefined;
}
