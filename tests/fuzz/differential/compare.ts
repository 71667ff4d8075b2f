/** The same sequence on two brokers, side by side. */
import type { Operation, Sequence } from "./operations.ts";
import type { JudgedBroker } from "./shape.ts";
import { type Observation, World } from "./world.ts";

/** Where two histories part. */
export interface Difference {
  /** Index of the operation; the number of operations for the audit at the end. */
  readonly at: number;
  readonly operation: Operation | "audit";
  readonly observations: Readonly<Record<string, Observation>>;
}

let topics = 0;
const RUN = crypto.randomUUID().slice(0, 8);

/**
 * Performs a sequence on both brokers, operation by operation.
 *
 * @returns where they differ first, or undefined
 */
export async function compare(
  sequence: Sequence,
  brokers: readonly [JudgedBroker, JudgedBroker],
): Promise<Difference | undefined> {
  // The same name on both: which failover consumer is active depends on it.
  const topic = `persistent://public/default/differential-${RUN}-${topics++}`;
  await using first = new World(brokers[0], topic, sequence);
  await using second = new World(brokers[1], topic, sequence);
  const worlds = [first, second];
  const both = async (observe: (world: World) => Promise<Observation>) => {
    const [one, other] = await Promise.all(worlds.map(observe));
    if (JSON.stringify(one) === JSON.stringify(other)) return undefined;
    return { [brokers[0].name]: one!, [brokers[1].name]: other! };
  };
  for (const [at, operation] of sequence.operations.entries()) {
    const observations = await both((world) => world.perform(operation));
    if (observations !== undefined) return { at, operation, observations };
  }
  const observations = await both((world) => world.audit());
  if (observations === undefined) return undefined;
  return { at: sequence.operations.length, operation: "audit", observations };
}
