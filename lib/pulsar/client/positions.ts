import type { Position } from "../../contract.ts";
import { PulsarError } from "../wire/mod.ts";

/** Below 0 where `a` comes before `b`, 0 where they are one. */
export function comparePositions(a: Position, b: Position): number {
  return a.ledgerId === b.ledgerId ? a.entryId - b.entryId : a.ledgerId - b.ledgerId;
}

/**
 * The first entry read must be the one right after the checkpoint, or messages would be missing without a word.
 *
 * @param first position of the first entry
 * @param checkpoint the last entry dealt with, undefined for none: then reading begins with a ledger
 * @throws {PulsarError} `cursor_beyond_checkpoint`
 */
export function assertFollows(
  first: Position,
  checkpoint: Position | undefined,
  { topic, subscription }: { readonly topic: string; readonly subscription: string },
): void {
  const isNext = checkpoint !== undefined && first.ledgerId === checkpoint.ledgerId
    ? first.entryId === checkpoint.entryId + 1
    : first.entryId === 0;
  if (isNext) return;
  const known = checkpoint === undefined ? "none" : `${checkpoint.ledgerId}:${checkpoint.entryId}`;
  throw new PulsarError(
    `Cannot read ${topic}: the subscription ${subscription} goes on at ${first.ledgerId}:${first.entryId}, the checkpoint is ${known}`,
    { code: "cursor_beyond_checkpoint" },
  );
}
