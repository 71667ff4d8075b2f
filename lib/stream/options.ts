import type { Projection } from "../contract.ts";
import type { WindowShape } from "./window.ts";

/** What decides the content of the rows. A checkpoint made under another one is refused. */
export interface StreamConfiguration {
  /** Letters, digits, `.`, `_` and `-`. */
  readonly runId: string;
  /** Length of a window in event time, 60,000 by default in the jobs. */
  readonly windowSizeMs: number;
  /** How much older than the newest message of its partition one may be, in event time. */
  readonly outOfOrdernessMs: number;
  /** How long after its end, in event time, a window still takes messages. */
  readonly allowedLatenessMs: number;
}

/** A configuration together with what the projection reads: all that a checkpoint depends on. */
export interface PartitionConfiguration extends StreamConfiguration {
  readonly partition: number;
  readonly measureNames: readonly string[];
  readonly flagNames: readonly string[];
}

/** Why a window was closed. */
export type ClosedBy = "watermark" | "idle" | "end_marker";

const RUN_ID = /^[A-Za-z0-9._-]{1,100}$/;

/** @throws {RangeError} when something in it cannot be */
export function checkConfiguration(configuration: StreamConfiguration): void {
  if (!RUN_ID.test(configuration.runId)) {
    throw new RangeError(
      `Cannot use the run id "${configuration.runId}": expected 1 to 100 letters, digits, ".", "_" or "-"`,
    );
  }
}

/** Adds to a configuration what a projection reads. */
export function partitionConfiguration(
  configuration: StreamConfiguration,
  partition: number,
  projection: Projection,
): PartitionConfiguration {
  return {
    runId: configuration.runId,
    windowSizeMs: configuration.windowSizeMs,
    outOfOrdernessMs: configuration.outOfOrdernessMs,
    allowedLatenessMs: configuration.allowedLatenessMs,
    partition,
    measureNames: [...projection.measureNames],
    flagNames: [...projection.flagNames],
  };
}

/** The shape of the windows of a partition. */
export function windowShapeOf(configuration: PartitionConfiguration): WindowShape {
  return {
    windowSizeMs: configuration.windowSizeMs,
    allowedLatenessMs: configuration.allowedLatenessMs,
    measureCount: configuration.measureNames.length,
    flagCount: configuration.flagNames.length,
  };
}
