import type { Position } from "../contract.ts";

/**
 * Orders positions of one partition: by ledger, then by entry.
 *
 * @returns below 0, 0 or above 0
 *
 * @example
 * ```ts
 * import { comparePositions } from "./position.ts";
 * import assert from "node:assert/strict";
 * assert(comparePositions({ ledgerId: 1, entryId: 9 }, { ledgerId: 2, entryId: 0 }) < 0);
 * ```
 */
export function comparePositions(a: Position, b: Position): number {
  return a.ledgerId === b.ledgerId ? a.entryId - b.entryId : a.ledgerId - b.ledgerId;
}
