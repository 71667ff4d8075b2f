import { utf8 } from "../../../base/mod.ts";
import { murmur3 } from "../../wire/mod.ts";
import type { Consumer } from "./consumer.ts";
import { KEY_HASHES } from "./key_selector.ts";
import type { HashRange, KeySelector } from "./key_selector.ts";

/** As subscriptionKeySharedConsistentHashingReplicaPoints. */
const POINTS_PER_CONSUMER = 100;

interface Point {
  readonly hash: number;
  /** Those whose point this is; the first one has it. */
  readonly consumers: Consumer[];
}

/**
 * AUTO_SPLIT as Pulsar 4 does it: a ring with a hundred points a consumer, at hashes of its name, so that few keys move when one comes
 * or goes. (Pulsar: ConsistentHashingStickyKeyConsumerSelector.)
 */
export class KeyRing implements KeySelector {
  /** Rising. */
  #points: Point[] = [];
  /** Consumers of one name are told apart by the lowest number that is free. */
  readonly #numbers = new Map<Consumer, number>();

  hashOf(keyHash: number): number {
    return keyHash % (KEY_HASHES - 1) + 1;
  }

  conflictWith(): undefined {
    return undefined;
  }

  add(consumer: Consumer): void {
    const taken = new Set<number>();
    for (const [other, number] of this.#numbers) {
      if (other.name === consumer.name) taken.add(number);
    }
    let number = 0;
    while (taken.has(number)) number++;
    this.#numbers.set(consumer, number);
    const points = new Map(this.#points.map((point) => [point.hash, point]));
    for (let i = 0; i < POINTS_PER_CONSUMER; i++) {
      const hash = this.hashOf(murmur3(utf8(`${consumer.name}\0${number}\0${i}`)));
      const there = points.get(hash);
      if (there === undefined) points.set(hash, { hash, consumers: [consumer] });
      else there.consumers.push(consumer);
    }
    this.#points = [...points.values()].sort((a, b) => a.hash - b.hash);
  }

  remove(consumer: Consumer): void {
    this.#numbers.delete(consumer);
    this.#points = this.#points.flatMap(({ hash, consumers }) => {
      const left = consumers.filter((other) => other !== consumer);
      return left.length === 0 ? [] : [{ hash, consumers: left }];
    });
  }

  select(hash: number): Consumer | undefined {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]!.hash < hash) low = middle + 1;
      else high = middle;
    }
    return (points[low] ?? points[0])?.consumers[0];
  }

  ranges(): ReadonlyMap<Consumer, readonly HashRange[]> {
    const ranges = new Map<Consumer, [number, number][]>();
    let start = 1;
    const give = (consumer: Consumer, end: number) => {
      const own = ranges.get(consumer) ?? [];
      ranges.set(consumer, own);
      if (own.at(-1)?.[1] === start - 1) own.at(-1)![1] = end;
      else if (start <= end) own.push([start, end]);
      start = end + 1;
    };
    for (const { hash, consumers } of this.#points) give(consumers[0]!, hash);
    const first = this.#points[0]?.consumers[0];
    if (first !== undefined && start < KEY_HASHES) give(first, KEY_HASHES - 1);
    return ranges;
  }
}
