/**
 * An entry's position as one number that sorts as positions do: what sets and queues of many entries keep, so that an entry costs them
 * no object.
 */

/** More entries than a segment of 4 GB can hold. */
const ENTRIES_MAX = 2 ** 27;
const LEDGERS_MAX = 2 ** 26;

/** The place of no entry. */
export const NOWHERE = -1;

/** The place of an entry, or {@link NOWHERE} for ids that no entry of this broker can have: clients may say anything. */
export function placeOf(ledgerId: number, entryId: number): number {
  const isPossible = ledgerId >= 0 && ledgerId < LEDGERS_MAX && entryId >= 0 &&
    entryId < ENTRIES_MAX;
  return isPossible ? ledgerId * ENTRIES_MAX + entryId : NOWHERE;
}

/** The ledger of a place. */
export function ledgerAt(place: number): number {
  return Math.floor(place / ENTRIES_MAX);
}

/** The entry of a place in its ledger. */
export function entryAt(place: number): number {
  return place % ENTRIES_MAX;
}
