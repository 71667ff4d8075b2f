import type { EventTimeMs } from "../base/mod.ts";

/**
 * One planned message as plain numbers. The walk may reuse the object and its arrays: read it before the next one comes.
 */
export interface PlannedMessage {
  /** Index into {@link MessagePlan.sourceNames}. */
  readonly sourceIndex: number;
  readonly partition: number;
  /** Index of the message in its partition, gapless from 0, planted duplicates counted. */
  readonly partitionIndex: number;
  /** Per source; a duplicate has that of the message it repeats. */
  readonly sequence: number;
  readonly eventTimeMs: EventTimeMs;
  /** In the order of {@link MessagePlan.measureNames}; NaN where the message has no value. */
  readonly measures: Float64Array;
  /** 0 or 1 each, in the order of {@link MessagePlan.flagNames}. */
  readonly flags: Uint8Array;
  readonly plantedLate: boolean;
  readonly plantedDuplicate: boolean;
}

/** Everything that was meant to be sent, as often as it is asked for. */
export interface MessagePlan {
  readonly partitionCount: number;
  readonly sourceNames: readonly string[];
  /** As the columns begin: `<name>_count`, `_avg`, `_min`, `_max`. */
  readonly measureNames: readonly string[];
  /** As the columns are called. */
  readonly flagNames: readonly string[];
  /**
   * Visits each message once, from the first, in the order of sending. A long walk may pause between two of them, so that the process hears what
   * else happens.
   */
  walk(visit: (message: PlannedMessage) => void): void | Promise<void>;
}

/** How event time is cut, in event-time ms. */
export interface WindowRule {
  readonly windowMs: number;
  readonly outOfOrdernessMs: number;
  readonly allowedLatenessMs: number;
}

/** Indices `first` to `until − 1` of a partition's messages. */
export interface MessageRange {
  readonly first: number;
  readonly until: number;
}

/** What the producer's ledger says of one partition. */
export interface PartitionRanges {
  readonly partition: number;
  /** Ascending and apart. */
  readonly acknowledged: readonly MessageRange[];
  /** Sent without receipt: each present or absent as a whole, ascending and apart. */
  readonly indeterminate: readonly MessageRange[];
}
