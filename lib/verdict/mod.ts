/** What must be found, what was found, and what that means: the only home of pass and fail. */
export { auditClaim, claimOf, concludeAudit, RELATIONS } from "./claims.ts";
export type { AuditOptions, Claim, ClaimFinding, ClaimName } from "./claims.ts";
export { compareResults, RUNS_MIN } from "./compare.ts";
export type { Conclusion, MeasureComparison, RunValues } from "./compare.ts";
export type { FoundLate, FoundRow, FoundRows } from "./found_rows.ts";
export { CLOCK_JUMP_MS_MAX, EXIT_CODES, judge, OWN_LATENESS_SHARE_MAX } from "./judge.ts";
export type { BreakOff, Evidence, GeneratorTiming } from "./judge.ts";
export { formatMeasure, MEASURES } from "./measures.ts";
export type { Measure, MeasuredResult, MeasureUnit } from "./measures.ts";
export type {
  MessagePlan,
  MessageRange,
  PartitionRanges,
  PlannedMessage,
  WindowRule,
} from "./message_plan.ts";
export { parseQuantity } from "./quantity.ts";
export type { Dimension, Quantity } from "./quantity.ts";
export { parseRelation } from "./relation.ts";
export type { Relation } from "./relation.ts";
export { parseResult, RESULT_SCHEMA_VERSION, resultJsonSchema, resultSchema } from "./result.ts";
export type { Finding, MessageCounts, Result, RowCounts, ThresholdOutcome } from "./result.ts";
export { checkThreshold, evaluateThresholds, parseThresholds } from "./thresholds.ts";
export type { Threshold } from "./thresholds.ts";
export { verify } from "./verify.ts";
export type { Verification, VerifyOptions } from "./verify.ts";
