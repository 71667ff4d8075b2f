/** What must be found, what was found, and what that means: the only home of pass and fail. */
export type {
  MessagePlan,
  MessageRange,
  PartitionRanges,
  PlannedMessage,
  WindowRule,
} from "./message_plan.ts";
export { expectRows } from "./oracle.ts";
export type { Expectation, LateGroup } from "./oracle.ts";
export type { ExpectedMeasure, ExpectedRow, ExpectedRows } from "./expected_rows.ts";
export { Presence, settle } from "./presence.ts";
export type { Settlement } from "./presence.ts";
