import type { Consumer } from "./consumer.ts";
import { BrokerError } from "../errors.ts";
import { KEY_HASHES } from "./key_selector.ts";
import type { HashRange, KeySelector } from "./key_selector.ts";

function overlap(a: HashRange, b: HashRange): boolean {
  return Math.max(a[0], b[0]) <= Math.min(a[1], b[1]);
}

function refused(message: string): BrokerError {
  return new BrokerError(message, { code: "consumer_assign", retryable: true });
}

/** What a consumer asks for, lowest first. @throws {BrokerError} `consumer_assign` when that is nothing, or wrong in itself */
function rangesOf(consumer: Consumer): HashRange[] {
  const ranges = (consumer.keyShared?.hashRanges ?? [])
    .map(({ start, end }): HashRange => [start, end])
    .sort((a, b) => a[0] - b[0]);
  if (ranges.length === 0) throw refused("Ranges for KeyShared policy must not be empty.");
  ranges.forEach((range, i) => {
    const [start, end] = range;
    if (start > end) throw refused(`Fixed hash range start > end for range: [${start},${end}]`);
    const next = ranges[i + 1];
    if (next === undefined || !overlap(range, next)) return;
    throw refused(
      `Consumer's own ranges conflict: [${start},${end}] overlaps with [${next[0]},${next[1]}]`,
    );
  });
  return ranges;
}

interface Assignment {
  readonly range: HashRange;
  readonly consumer: Consumer;
}

/** STICKY: each consumer names its hashes, and nobody else may have them. (Pulsar: HashRangeExclusiveStickyKeyConsumerSelector.) */
export class KeyRanges implements KeySelector {
  readonly #ranges = new Map<Consumer, readonly HashRange[]>();
  /** Lowest first; no two overlap. */
  #assignments: Assignment[] = [];

  hashOf(keyHash: number): number {
    return keyHash % KEY_HASHES || 1;
  }

  conflictWith(consumer: Consumer): Consumer | undefined {
    const wanted = rangesOf(consumer);
    return this.#assignments.find(({ range }) => wanted.some((one) => overlap(range, one)))
      ?.consumer;
  }

  add(consumer: Consumer): void {
    this.#ranges.set(consumer, rangesOf(consumer));
    this.#share();
  }

  remove(consumer: Consumer): void {
    this.#ranges.delete(consumer);
    this.#share();
  }

  #share(): void {
    this.#assignments = [...this.#ranges]
      .flatMap(([consumer, ranges]) => ranges.map((range) => ({ range, consumer })))
      .sort((a, b) => a.range[0] - b.range[0]);
  }

  select(hash: number): Consumer | undefined {
    let low = 0;
    let high = this.#assignments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#assignments[middle]!.range[1] < hash) low = middle + 1;
      else high = middle;
    }
    const found = this.#assignments[low];
    return found !== undefined && found.range[0] <= hash ? found.consumer : undefined;
  }

  ranges(): ReadonlyMap<Consumer, readonly HashRange[]> {
    return this.#ranges;
  }
}
