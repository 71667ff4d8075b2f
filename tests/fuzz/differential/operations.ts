/** What is done to a topic, as data: it names things by chance numbers, which each broker's own state makes concrete, so that any part of a list is a list. */
import type { Random } from "../../../lib/base/mod.ts";

/** How a subscription shares its messages out. */
export const TYPES = ["exclusive", "shared", "failover", "key_shared"] as const;

/** One of {@link TYPES}; its index is its number in the protocol. */
export type SubscriptionType = typeof TYPES[number];

/** One operation. `choice` is from 0 to 1: which of what there is. */
export type Operation =
  | { readonly kind: "produce"; readonly messageCount: number; readonly key: string }
  | { readonly kind: "open"; readonly subscription: number; readonly consumer: number }
  | { readonly kind: "flow"; readonly choice: number; readonly permits: number }
  | { readonly kind: "ack"; readonly choice: number; readonly which: number }
  | { readonly kind: "ack_cumulative"; readonly choice: number; readonly which: number }
  | {
    readonly kind: "ack_index";
    readonly choice: number;
    readonly which: number;
    readonly index: number;
    readonly isCumulative: boolean;
  }
  | { readonly kind: "redeliver"; readonly choice: number; readonly which: number | "all" }
  | {
    readonly kind: "seek";
    readonly choice: number;
    readonly to: "earliest" | "latest" | "id" | "time";
    readonly which: number;
  }
  | { readonly kind: "close"; readonly choice: number }
  | { readonly kind: "cut"; readonly choice: number }
  | { readonly kind: "unsubscribe"; readonly choice: number }
  | { readonly kind: "unload" }
  | { readonly kind: "restart" }
  | { readonly kind: "terminate" };

/** The subscriptions of a sequence: their types, by number. */
export interface Sequence {
  readonly types: readonly SubscriptionType[];
  readonly operations: readonly Operation[];
}

const KEYS = ["a", "b", "c", "d"];

type Maker = (random: Random, subscriptionCount: number) => Operation;

const choose = (random: Random) => random.float();

/** How often what is done, and what. */
const MAKERS: readonly (readonly [number, Maker])[] = [
  [10, (random) => {
    const messageCount = random.below(2) === 0 ? 1 : 2 + random.below(3);
    return { kind: "produce", messageCount, key: KEYS[random.below(KEYS.length)]! };
  }],
  [8, (random, count) => ({
    kind: "open",
    subscription: random.below(count),
    consumer: random.below(3),
  })],
  // A real one reads as many entries as there are permits and hands all of them out, even if they hold more messages than that; one or plenty is clear.
  [8, (random) => ({
    kind: "flow",
    choice: choose(random),
    permits: random.below(3) === 0 ? 1000 : 1,
  })],
  [7, (random) => ({ kind: "ack", choice: choose(random), which: choose(random) })],
  [4, (random) => ({ kind: "ack_cumulative", choice: choose(random), which: choose(random) })],
  [5, (random) => ({
    kind: "ack_index",
    choice: choose(random),
    which: choose(random),
    index: random.below(4),
    isCumulative: random.below(4) === 0,
  })],
  [4, (random) => ({
    kind: "redeliver",
    choice: choose(random),
    which: random.below(2) === 0 ? "all" : choose(random),
  })],
  [3, (random) => ({
    kind: "seek",
    choice: choose(random),
    to: (["earliest", "latest", "id", "time"] as const)[random.below(4)]!,
    which: choose(random),
  })],
  [3, (random) => ({ kind: "close", choice: choose(random) })],
  [2, (random) => ({ kind: "cut", choice: choose(random) })],
  [1, (random) => ({ kind: "unsubscribe", choice: choose(random) })],
  [1, () => ({ kind: "unload" })],
  [0.5, () => ({ kind: "restart" })],
  [0.3, () => ({ kind: "terminate" })],
];

const WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

function makeOperation(random: Random, subscriptionCount: number): Operation {
  let left = random.float() * WEIGHT;
  for (const [weight, maker] of MAKERS) {
    left -= weight;
    if (left < 0) return maker(random, subscriptionCount);
  }
  return { kind: "unload" };
}

/** A sequence of so many operations. */
export function makeSequence(
  random: Random,
  options: { readonly operationCount: number; readonly types: readonly SubscriptionType[] },
): Sequence {
  const { operationCount, types: allowed } = options;
  const count = 1 + random.below(2);
  const types = Array.from({ length: count }, () => allowed[random.below(allowed.length)]!);
  const operations: Operation[] = [{ kind: "open", subscription: 0, consumer: 0 }];
  for (let i = 1; i < operationCount; i++) operations.push(makeOperation(random, count));
  return { types, operations };
}
