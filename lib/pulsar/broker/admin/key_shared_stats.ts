import type { Consumer, Subscription } from "../dispatch/mod.ts";
import { KeySharedDispatcher } from "../dispatch/mod.ts";

/** What Pulsar's statistics of a Key_Shared subscription have besides; empty for other types. */
export function keySharedStats({ multiple, consumers }: Subscription): Record<string, unknown> {
  if (!(multiple instanceof KeySharedDispatcher)) return {};
  const { policy } = multiple;
  const draining = consumers.flatMap((consumer) => multiple.draining(consumer));
  return {
    keySharedMode: policy.isSticky ? "STICKY" : "AUTO_SPLIT",
    allowOutOfOrderDelivery: policy.isOutOfOrderAllowed,
    drainingHashesCount: draining.length,
    drainingHashesUnackedMessages: draining.reduce((sum, { entries }) => sum + entries, 0),
    drainingHashesClearedTotal: consumers.reduce(
      (sum, consumer) => sum + multiple.drainedHashes(consumer),
      0,
    ),
  };
}

/** What Pulsar's statistics of a consumer of such a subscription have besides. */
export function keySharedConsumerStats(
  { multiple }: Subscription,
  consumer: Consumer,
): Record<string, unknown> {
  if (!(multiple instanceof KeySharedDispatcher)) return {};
  const draining = multiple.draining(consumer);
  return {
    keyHashRangeArrays: multiple.ranges().get(consumer) ?? [],
    drainingHashes: draining.map(({ hash, entries, blockedAttempts }) => ({
      hash,
      unackMsgs: entries,
      blockedAttempts,
    })),
    drainingHashesCount: draining.length,
    drainingHashesUnackedMessages: draining.reduce((sum, { entries }) => sum + entries, 0),
    drainingHashesClearedTotal: multiple.drainedHashes(consumer),
  };
}
