import type { MessagePlan, MessageRange, PartitionRanges, PlannedMessage } from "./message_plan.ts";

/** Which messages are in the log. Ask in the order of {@link MessagePlan.walk}: each partition's index only rises. */
export class Presence {
  readonly #ranges: (readonly MessageRange[])[] = [];
  readonly #at: number[] = [];

  constructor(partitions: readonly { partition: number; ranges: readonly MessageRange[] }[]) {
    for (const { partition, ranges } of partitions) {
      this.#ranges[partition] = [...ranges].sort((a, b) => a.first - b.first);
      this.#at[partition] = 0;
    }
  }

  has(partition: number, partitionIndex: number): boolean {
    const ranges = this.#ranges[partition];
    if (ranges === undefined) return false;
    let i = this.#at[partition]!;
    while (i < ranges.length && ranges[i]!.until <= partitionIndex) i++;
    this.#at[partition] = i;
    const range = ranges[i];
    return range !== undefined && range.first <= partitionIndex;
  }

  /** Begins again, for another walk. */
  rewind(): void {
    this.#at.fill(0);
  }
}

/** Finds repeated messages: per source a contiguous low-water mark, and a set of what lies above it. */
export class Repeats {
  readonly #next: Float64Array;
  readonly #above = new Map<number, Set<number>>();

  constructor(sourceCount: number) {
    this.#next = new Float64Array(sourceCount);
  }

  /** Whether this message came before; from now on it did. */
  isRepeat(sourceIndex: number, sequence: number): boolean {
    const next = this.#next[sourceIndex]!;
    if (sequence < next) return true;
    if (sequence > next) return this.#isRepeatAbove(sourceIndex, sequence);
    const above = this.#above.get(sourceIndex);
    let after = next + 1;
    while (above?.delete(after)) after++;
    this.#next[sourceIndex] = after;
    return false;
  }

  #isRepeatAbove(sourceIndex: number, sequence: number): boolean {
    const above = this.#above.get(sourceIndex) ?? new Set<number>();
    this.#above.set(sourceIndex, above);
    if (above.has(sequence)) return true;
    above.add(sequence);
    return false;
  }
}

/** How the batches without receipt were settled. */
export interface Settlement {
  readonly presence: Presence;
  /** Messages of batches without receipt that are in the log. */
  readonly presentCount: number;
  /** Messages of batches without receipt that are not. */
  readonly absentCount: number;
}

interface UniqueCounts {
  /** Acknowledged messages, repeats left out, per partition. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** Messages of each batch without receipt, repeats left out, per partition. */
  readonly batches: ReadonlyMap<number, readonly number[]>;
}

async function countUnique(
  plan: MessagePlan,
  ledger: readonly PartitionRanges[],
): Promise<UniqueCounts> {
  const receipts = new Presence(
    ledger.map(({ partition, acknowledged }) => ({ partition, ranges: acknowledged })),
  );
  const repeats = new Repeats(plan.sourceNames.length);
  const acknowledged = new Map(ledger.map(({ partition }) => [partition, 0]));
  const open = new Map(ledger.map((one) => [one.partition, one.indeterminate]));
  const batches = new Map(ledger.map((one) => [one.partition, one.indeterminate.map(() => 0)]));
  await plan.walk(({ partition, partitionIndex, sourceIndex, sequence }: PlannedMessage) => {
    if (receipts.has(partition, partitionIndex)) {
      if (repeats.isRepeat(sourceIndex, sequence)) return;
      acknowledged.set(partition, acknowledged.get(partition)! + 1);
      return;
    }
    const batch = open.get(partition)?.findIndex((range) =>
      range.first <= partitionIndex && partitionIndex < range.until
    ) ?? -1;
    if (batch === -1 || repeats.isRepeat(sourceIndex, sequence)) {
      return;
    }
    batches.get(partition)![batch]!++;
  });
  return { acknowledged, batches };
}

/** How many of the batches, from the first, explain the count best. */
function prefixNearest(found: number, acknowledged: number, batches: readonly number[]): number {
  let best = 0;
  let bestGap = Math.abs(found - acknowledged);
  let sum = acknowledged;
  batches.forEach((count, i) => {
    sum += count;
    const gap = Math.abs(found - sum);
    if (gap < bestGap || (gap === bestGap && count === 0)) {
      best = i + 1;
      bestGap = gap;
    }
  });
  return best;
}

/**
 * Decides which batches without receipt are in the log. A producer persists in order, so those that are form a prefix of them; the
 * number of messages found says how long it is. Everything is verified by identity afterwards, so a wrong guess cannot hide anything.
 *
 * @param foundCount messages found in rows and as late ones, per partition
 */
export async function settle(
  plan: MessagePlan,
  ledger: readonly PartitionRanges[],
  foundCount: ReadonlyMap<number, number>,
): Promise<Settlement> {
  const open = ledger.some(({ indeterminate }) => indeterminate.length > 0);
  const unique = open ? await countUnique(plan, ledger) : undefined;
  let presentCount = 0;
  let absentCount = 0;
  const partitions = ledger.map(({ partition, acknowledged, indeterminate }) => {
    const present = unique === undefined ? 0 : prefixNearest(
      foundCount.get(partition) ?? 0,
      unique.acknowledged.get(partition)!,
      unique.batches.get(partition)!,
    );
    indeterminate.forEach(({ first, until }, i) => {
      if (i < present) presentCount += until - first;
      else absentCount += until - first;
    });
    return { partition, ranges: [...acknowledged, ...indeterminate.slice(0, present)] };
  });
  return { presence: new Presence(partitions), presentCount, absentCount };
}
