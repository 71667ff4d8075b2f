import type { Clock } from "../../base/mod.ts";
import type { LogShared } from "./log_shared.ts";

/** What topics share. */
export interface TopicContext {
  readonly shared: LogShared;
  readonly clock: Clock;
  readonly failoverDelayMs: number;
  /** For the operator, one line. */
  report(line: string): void;
}
