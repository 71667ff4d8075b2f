import type { Clock } from "../../../base/mod.ts";
import type { DispatchLimits } from "./dispatch_limits.ts";
import type { LogShared } from "../log/mod.ts";

/** What topics share. */
export interface TopicContext {
  readonly shared: LogShared;
  readonly clock: Clock;
  readonly failoverDelayMs: number;
  /** How much consumers may hold; Pulsar's defaults where it is not said. */
  readonly dispatchLimits?: DispatchLimits | undefined;
  /** For the operator, one line. */
  report(line: string): void;
}
