import type { WallTimeMs } from "../../base/mod.ts";
import { COMPACTION_SUBSCRIPTION } from "./compaction.ts";
import { comparePositions } from "./log/mod.ts";
import type { Position } from "./log/mod.ts";
import type { Subscription } from "./dispatch/mod.ts";
import type { Topic } from "./topic.ts";

/** What of a subscription's messages became too old. */
export interface Expired {
  readonly entries: number;
  /** 0 where nothing ever did. */
  readonly lastAtMs: number;
}

const NONE: Expired = { entries: 0, lastAtMs: 0 };
/** They go with their subscriptions. */
const known = new WeakMap<Subscription, Expired>();

/** What of a subscription's messages became too old since the broker began. */
export function expiredOf(subscription: Subscription): Expired {
  return known.get(subscription) ?? NONE;
}

/**
 * Takes everything up to a position as acknowledged, without closing consumers.
 *
 * @returns whether the subscription's place moved
 */
export function expireUpTo(
  subscription: Subscription,
  mark: Position,
  nowMs: WallTimeMs,
): boolean {
  if (comparePositions(mark, subscription.cursor.markDelete) <= 0) return false;
  const before = subscription.backlog().entries;
  subscription.ackCumulative(mark);
  const entries = expiredOf(subscription).entries + before - subscription.backlog().entries;
  // A whole number, as statistics have it.
  known.set(subscription, { entries, lastAtMs: Math.floor(nowMs) });
  return true;
}

/** Once in a while: what a topic's policies say of messages and subscriptions that became too old. */
export function expireByPolicy(topic: Topic, nowMs: WallTimeMs): void {
  const { messageTtlMs } = topic.policies();
  if (messageTtlMs <= 0 || topic.log.last === undefined) return;
  const mark = topic.log.lastBefore(nowMs - messageTtlMs);
  for (const subscription of topic.subscriptions.values()) {
    // What is not compacted yet is not forgotten because it is old.
    const isExpiring = subscription.isDurable && subscription.name !== COMPACTION_SUBSCRIPTION;
    if (isExpiring) expireUpTo(subscription, mark, nowMs);
  }
}
