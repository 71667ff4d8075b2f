import { WeirError } from "../base/mod.ts";

/** What can stop a stream; each one says so and stops rather than guess. */
export type StreamErrorCode =
  | "unreadable_message"
  | "dedupe_reach"
  | "late_ledger_full"
  | "configuration_changed"
  | "corrupt_checkpoint"
  | "checkpoint_failed"
  | "stale_owner"
  | "partial_batch"
  | "doubled_batch"
  | "swallowed_batch"
  | "sink_unavailable"
  | "acknowledge_failed";

/**
 * The one error class of the stream module.
 *
 * @example
 * ```ts
 * import { StreamError } from "./errors.ts";
 * const error = new StreamError("Cannot checkpoint partition 3: epoch 4 was replaced by 5", { code: "stale_owner" });
 * console.log(error.code);
 * ```
 */
export class StreamError extends WeirError<StreamErrorCode> {
  override readonly name = "StreamError";
}

/** Whether an error says that another owner has taken the partition over; stores of other modules carry the code in their own class. */
export function isStaleOwner(error: unknown): boolean {
  return error instanceof WeirError && error.code === "stale_owner";
}
