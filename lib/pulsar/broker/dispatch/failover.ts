/**
 * Which consumer of an Exclusive or Failover subscription is served: Pulsar's rule (AbstractDispatcherSingleActiveConsumer).
 * The lowest number is the highest priority; within it names decide, in the order of their UTF-16 units; partitions spread over the
 * consumers by their index, topics without partitions by a hash ring with 100 points a consumer.
 */
import { utf8 } from "../../../base/mod.ts";
import { murmur3 } from "../../wire/mod.ts";

const POINTS_PER_CONSUMER = 100;

/** What the rule looks at. */
export interface Candidate {
  readonly name: string;
  /** 0 is the highest. */
  readonly priority: number;
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The consumer that is to be active.
 *
 * @param candidates all that are connected, in the order in which they came
 * @param partition index of the partition, −1 for a topic without partitions
 * @param topic full name of the topic
 */
export function pickActive<T extends Candidate>(
  candidates: readonly T[],
  partition: number,
  topic: string,
): T | undefined {
  const sorted = candidates.toSorted((a, b) =>
    a.priority - b.priority || compareNames(a.name, b.name)
  );
  const best = sorted.filter((candidate) => candidate.priority === sorted[0]!.priority);
  if (best.length <= 1) return best[0];
  return best[partition >= 0 ? partition % best.length : ringIndex(best, topic)];
}

function ringIndex(candidates: readonly Candidate[], topic: string): number {
  const ring = new Map<number, number>();
  candidates.forEach(({ name }, i) => {
    for (let point = 0; point < POINTS_PER_CONSUMER; point++) {
      ring.set(murmur3(utf8(`${name}${point}`)), i);
    }
  });
  const hash = murmur3(utf8(topic));
  const points = [...ring.keys()].sort((a, b) => a - b);
  return ring.get(points.find((point) => point >= hash) ?? points[0]!)!;
}
