import { assert } from "../base/mod.ts";

/** Indices `first` to `until − 1`. */
export interface IndexRange {
  readonly first: number;
  readonly until: number;
}

/** What is known of one partition's messages; indices count the partition's messages from 0. */
export interface PartitionLedger {
  readonly partition: number;
  /** Ranges that were acknowledged, merged, ascending. More than one range means that a receipt is missing in between. */
  readonly acknowledged: readonly IndexRange[];
  /** Sent without receipt, ascending, each present or absent as a whole. */
  readonly indeterminate: readonly IndexRange[];
  /** One past the highest index that was sent. */
  readonly sentUntil: number;
  /** The first index without receipt: a restarted producer goes on here, unless its log says that it holds more. */
  readonly resumeAt: number;
}

/** Adds up the notes of one partition. */
export class PartitionAccount {
  #acknowledged: IndexRange[] = [];
  /** In the order sent. After a restart batches may come again, cut in another way. */
  #pending: IndexRange[] = [];
  #sentUntil = 0;

  constructor(readonly partition: number) {}

  sent(first: number, count: number): void {
    assert(first >= 0 && count > 0, `ledger holds a batch of ${count} at ${first}`);
    this.#pending.push({ first, until: first + count });
    this.#sentUntil = Math.max(this.#sentUntil, first + count);
  }

  acknowledged(first: number, count: number): void {
    const until = first + count;
    this.#sentUntil = Math.max(this.#sentUntil, until);
    this.#pending = this.#pending.flatMap((batch) => without(batch, first, until));
    this.#merge(first, until);
  }

  result(): PartitionLedger {
    const first = this.#acknowledged[0];
    return {
      partition: this.partition,
      acknowledged: [...this.#acknowledged],
      indeterminate: disjoint(this.#pending),
      sentUntil: this.#sentUntil,
      resumeAt: first?.first === 0 ? first.until : 0,
    };
  }

  #merge(first: number, until: number): void {
    const last = this.#acknowledged.at(-1);
    if (last !== undefined && last.until === first) {
      this.#acknowledged[this.#acknowledged.length - 1] = { first: last.first, until };
      return;
    }
    const touching = this.#acknowledged.filter((range) =>
      range.first <= until && range.until >= first
    );
    const merged = {
      first: Math.min(first, ...touching.map((range) => range.first)),
      until: Math.max(until, ...touching.map((range) => range.until)),
    };
    const apart = this.#acknowledged.filter((range) => !touching.includes(range));
    this.#acknowledged = [...apart, merged].sort((a, b) => a.first - b.first);
  }
}

function without(batch: IndexRange, first: number, until: number): IndexRange[] {
  if (batch.until <= first || batch.first >= until) return [batch];
  const rest: IndexRange[] = [];
  if (batch.first < first) rest.push({ first: batch.first, until: first });
  if (batch.until > until) rest.push({ first: until, until: batch.until });
  return rest;
}

/**
 * Cuts ranges that overlap at each of their bounds. Where a restarted producer sent the same messages in other batches,
 * the log may end at a bound of either.
 */
function disjoint(ranges: readonly IndexRange[]): IndexRange[] {
  const bounds = [...new Set(ranges.flatMap(({ first, until }) => [first, until]))];
  bounds.sort((a, b) => a - b);
  const pieces: IndexRange[] = [];
  for (let i = 0; i + 1 < bounds.length; i++) {
    const piece = { first: bounds[i]!, until: bounds[i + 1]! };
    if (ranges.some((range) => range.first <= piece.first && range.until >= piece.until)) {
      pieces.push(piece);
    }
  }
  return pieces;
}
