import { comparePositions, entryAt, ledgerAt, placeOf, RangeSet } from "../log/mod.ts";
import type { Position } from "../log/mod.ts";

/** What a cursor must know of its log. */
export interface CursorLog {
  /** The entry that follows a position, written or still to come. */
  nextPosition(position: Position): Position;
}

/** What survives a restart. 64-bit words of batch indices are decimal texts. */
export interface CursorState {
  readonly markDelete: readonly [ledgerId: number, entryId: number];
  /** Of each ledger, as {@link RangeSet.gaps}: tens of thousands of ranges are written several times a second. */
  readonly acked: readonly (readonly [ledgerId: number, gaps: readonly number[]])[];
  readonly partial:
    readonly (readonly [ledgerId: number, entryId: number, words: readonly string[]])[];
}

/**
 * Where a subscription stands: everything up to `markDelete` is acknowledged, and behind it single entries, and of some entries
 * single messages. (Pulsar: ManagedCursor with mark-delete position, individually deleted ranges and batch-index bit sets.)
 */
export class Cursor {
  #markDelete: Position;
  readonly #acked = new Map<number, RangeSet>();
  /** Of entries that are acknowledged in part, by their place: a bit for each message that is not. */
  readonly #partial = new Map<number, bigint[]>();

  constructor(private readonly log: CursorLog, markDelete: Position) {
    this.#markDelete = markDelete;
  }

  /** Everything up to this is acknowledged. */
  get markDelete(): Position {
    return this.#markDelete;
  }

  /** Entries acknowledged behind `markDelete`. */
  get ackedBehind(): number {
    let count = 0;
    for (const ranges of this.#acked.values()) count += ranges.count;
    return count;
  }

  /** How many stretches of entries those are. */
  get ackedRangeCount(): number {
    let count = 0;
    for (const ranges of this.#acked.values()) count += ranges.rangeCount;
    return count;
  }

  /** Those stretches, first and last entry of each. */
  ackedRanges(): [ledgerId: number, first: number, last: number][] {
    return [...this.#acked].flatMap(([ledgerId, ranges]) =>
      ranges.ranges().map(([first, last]): [number, number, number] => [ledgerId, first, last])
    );
  }

  isAcked(ledgerId: number, entryId: number): boolean {
    const { ledgerId: markLedgerId, entryId: markEntryId } = this.#markDelete;
    if (ledgerId < markLedgerId || (ledgerId === markLedgerId && entryId <= markEntryId)) {
      return true;
    }
    return this.#acked.size > 0 && this.#acked.get(ledgerId)?.has(entryId) === true;
  }

  /** A bit for each message of the entry that is not acknowledged, or undefined when none or all are. */
  ackSet(ledgerId: number, entryId: number): readonly bigint[] | undefined {
    if (this.#partial.size === 0) return undefined;
    return this.#partial.get(placeOf(ledgerId, entryId));
  }

  /** Acknowledges everything up to and with `position`. */
  ackCumulative(position: Position): void {
    const before = this.#markDelete;
    if (comparePositions(position, before) <= 0) return;
    this.#markDelete = position;
    this.#advance(before);
  }

  /** Acknowledges one entry. */
  ackIndividual(position: Position): void {
    const { ledgerId, entryId } = position;
    if (this.isAcked(ledgerId, entryId)) return;
    let ranges = this.#acked.get(ledgerId);
    if (ranges === undefined) this.#acked.set(ledgerId, ranges = new RangeSet());
    ranges.add(entryId);
    if (this.#partial.size > 0) this.#partial.delete(placeOf(ledgerId, entryId));
    this.#advance(this.#markDelete);
  }

  /**
   * Acknowledges single messages of an entry.
   *
   * @param words a bit for each message that is not acknowledged
   */
  ackPartial(position: Position, words: readonly bigint[]): void {
    if (this.isAcked(position.ledgerId, position.entryId)) return;
    const place = placeOf(position.ledgerId, position.entryId);
    const known = this.#partial.get(place);
    const left = words.map((word, i) => BigInt.asUintN(64, word & (known?.[i] ?? ~0n)));
    if (left.every((word) => word === 0n)) this.ackIndividual(position);
    else this.#partial.set(place, left);
  }

  /** Everything before `position` is acknowledged, but no message of it that `words` names; nothing behind it is. */
  reset(markDelete: Position, next?: Position, words?: readonly bigint[]): void {
    this.#markDelete = markDelete;
    this.#acked.clear();
    this.#partial.clear();
    if (next !== undefined && words !== undefined && words.length > 0) {
      this.#partial.set(placeOf(next.ledgerId, next.entryId), [...words]);
    }
  }

  /** Moves `markDelete` over entries that are acknowledged one by one, and forgets what lies before it. */
  #advance(before: Position): void {
    while (this.#acked.size > 0) {
      const next = this.log.nextPosition(this.#markDelete);
      const end = this.#acked.get(next.ledgerId)?.rangeEnd(next.entryId);
      if (end === undefined) break;
      this.#markDelete = { ledgerId: next.ledgerId, entryId: end };
      this.#acked.get(next.ledgerId)!.removeUpTo(end);
    }
    const { ledgerId, entryId } = this.#markDelete;
    for (const [ackedLedgerId, ranges] of this.#acked) {
      if (ackedLedgerId === ledgerId) ranges.removeUpTo(entryId);
      if (ackedLedgerId < ledgerId || ranges.isEmpty) this.#acked.delete(ackedLedgerId);
    }
    if (this.#partial.size > 0) this.#forgetPartial(before);
  }

  /** The mark has moved from `before`: mostly by an entry, while many behind it are acknowledged in part. */
  #forgetPartial(before: Position): void {
    const { ledgerId, entryId } = this.#markDelete;
    const isNear = before.ledgerId === ledgerId && entryId - before.entryId < this.#partial.size;
    if (isNear) {
      for (let id = before.entryId + 1; id <= entryId; id++) {
        this.#partial.delete(placeOf(ledgerId, id));
      }
      return;
    }
    for (const place of this.#partial.keys()) {
      const isBefore = ledgerAt(place) < ledgerId ||
        (ledgerAt(place) === ledgerId && entryAt(place) <= entryId);
      if (isBefore) this.#partial.delete(place);
    }
  }

  state(): CursorState {
    const { ledgerId, entryId } = this.#markDelete;
    return {
      markDelete: [ledgerId, entryId],
      acked: [...this.#acked].map(([ackedLedgerId, ranges]) => [ackedLedgerId, ranges.gaps()]),
      partial: [...this.#partial].map(([place, words]) =>
        [ledgerAt(place), entryAt(place), words.map(String)] as const
      ),
    };
  }

  /** The cursor of {@link Cursor.state}. */
  static restore(log: CursorLog, state: CursorState): Cursor {
    const [ledgerId, entryId] = state.markDelete;
    const cursor = new Cursor(log, { ledgerId, entryId });
    for (const [ackedLedgerId, gaps] of state.acked) {
      cursor.#acked.set(ackedLedgerId, RangeSet.ofGaps(gaps));
    }
    for (const [partialLedgerId, partialEntryId, words] of state.partial) {
      cursor.#partial.set(placeOf(partialLedgerId, partialEntryId), words.map(BigInt));
    }
    return cursor;
  }
}
