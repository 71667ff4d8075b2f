import { comparePositions, formatPosition } from "./position.ts";
import type { Position } from "./position.ts";
import { RangeSet } from "./range_set.ts";

/** What a cursor must know of its log. */
export interface CursorLog {
  /** The entry that follows a position, written or still to come. */
  nextPosition(position: Position): Position;
}

/** What survives a restart. 64-bit words of batch indices are decimal texts. */
export interface CursorState {
  readonly markDelete: readonly [ledgerId: number, entryId: number];
  readonly acked: readonly (readonly [ledgerId: number, first: number, last: number])[];
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
  /** Of entries that are acknowledged in part: a bit for each message that is not. */
  readonly #partial = new Map<string, { readonly position: Position; words: bigint[] }>();

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
    return this.#partial.get(formatPosition({ ledgerId, entryId }))?.words;
  }

  /** Acknowledges everything up to and with `position`. */
  ackCumulative(position: Position): void {
    if (comparePositions(position, this.#markDelete) <= 0) return;
    this.#markDelete = position;
    this.#advance();
  }

  /** Acknowledges one entry. */
  ackIndividual(position: Position): void {
    const { ledgerId, entryId } = position;
    if (this.isAcked(ledgerId, entryId)) return;
    let ranges = this.#acked.get(ledgerId);
    if (ranges === undefined) this.#acked.set(ledgerId, ranges = new RangeSet());
    ranges.add(entryId);
    this.#partial.delete(formatPosition(position));
    this.#advance();
  }

  /**
   * Acknowledges single messages of an entry.
   *
   * @param words a bit for each message that is not acknowledged
   */
  ackPartial(position: Position, words: readonly bigint[]): void {
    if (this.isAcked(position.ledgerId, position.entryId)) return;
    const key = formatPosition(position);
    const known = this.#partial.get(key)?.words;
    const left = words.map((word, i) => BigInt.asUintN(64, word & (known?.[i] ?? ~0n)));
    if (left.every((word) => word === 0n)) this.ackIndividual(position);
    else this.#partial.set(key, { position, words: left });
  }

  /** Everything before `position` is acknowledged, but no message of it that `words` names; nothing behind it is. */
  reset(markDelete: Position, next?: Position, words?: readonly bigint[]): void {
    this.#markDelete = markDelete;
    this.#acked.clear();
    this.#partial.clear();
    if (next !== undefined && words !== undefined && words.length > 0) {
      this.#partial.set(formatPosition(next), { position: next, words: [...words] });
    }
  }

  /** Moves `markDelete` over entries that are acknowledged one by one, and forgets what lies before it. */
  #advance(): void {
    while (this.#acked.size > 0) {
      const next = this.log.nextPosition(this.#markDelete);
      const end = this.#acked.get(next.ledgerId)?.rangeEnd(next.entryId);
      if (end === undefined) break;
      this.#markDelete = { ledgerId: next.ledgerId, entryId: end };
    }
    const { ledgerId, entryId } = this.#markDelete;
    for (const [ackedLedgerId, ranges] of this.#acked) {
      if (ackedLedgerId === ledgerId) ranges.removeUpTo(entryId);
      if (ackedLedgerId < ledgerId || ranges.isEmpty) this.#acked.delete(ackedLedgerId);
    }
    if (this.#partial.size === 0) return;
    for (const [key, { position }] of this.#partial) {
      if (comparePositions(position, this.#markDelete) <= 0) this.#partial.delete(key);
    }
  }

  state(): CursorState {
    const { ledgerId, entryId } = this.#markDelete;
    return {
      markDelete: [ledgerId, entryId],
      acked: [...this.#acked].flatMap(([ackedLedgerId, ranges]) =>
        ranges.ranges().map(([first, last]) => [ackedLedgerId, first, last] as const)
      ),
      partial: [...this.#partial.values()].map(({ position, words }) =>
        [position.ledgerId, position.entryId, words.map(String)] as const
      ),
    };
  }

  /** The cursor of {@link Cursor.state}. */
  static restore(log: CursorLog, state: CursorState): Cursor {
    const [ledgerId, entryId] = state.markDelete;
    const cursor = new Cursor(log, { ledgerId, entryId });
    for (const [ackedLedgerId, first, last] of state.acked) {
      let ranges = cursor.#acked.get(ackedLedgerId);
      if (ranges === undefined) cursor.#acked.set(ackedLedgerId, ranges = new RangeSet());
      ranges.add(first, last);
    }
    for (const [partialLedgerId, partialEntryId, words] of state.partial) {
      const position = { ledgerId: partialLedgerId, entryId: partialEntryId };
      cursor.#partial.set(formatPosition(position), { position, words: words.map(BigInt) });
    }
    return cursor;
  }
}
