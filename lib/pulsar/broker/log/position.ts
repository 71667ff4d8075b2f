import type { Position } from "../../../contract.ts";

export type { Position };

/** Before every entry of every log. */
export const EARLIEST: Position = { ledgerId: -1, entryId: -1 };

/** Negative, zero or positive as `a` lies before, at or behind `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.ledgerId - b.ledgerId || a.entryId - b.entryId;
}

/** `ledger:entry`, as Pulsar's own tools print it. */
export function formatPosition(position: Position): string {
  return `${position.ledgerId}:${position.entryId}`;
}
