import type { Result } from "../../verdict/mod.ts";
import { countText } from "./format.ts";

/** The systems by name: a figure never stands without them. */
export function systemsText({ systems }: Pick<Result, "systems">): string {
  return `${systems.broker} and ${systems.clickhouse}`;
}

/**
 * The one sentence a run is remembered by. A VOID run has none: its figures cannot be stood behind.
 *
 * @returns undefined for VOID, or where no rate was measured
 */
export function headline(result: Result): string | undefined {
  if (result.verdict === "VOID" || result.rateMessagesPerSec === null) return undefined;
  return `${countText(result.rateMessagesPerSec)} messages/s on ${systemsText(result)}`;
}
