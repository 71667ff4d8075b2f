/**
 * What happens when subscriptions leave too much behind (https://pulsar.apache.org/docs/cookbooks-retention-expiry/#backlog-quotas): by size,
 * and by the age of the oldest message that somebody has not acknowledged.
 *
 * @module
 */
import type { WallTimeMs } from "../../base/mod.ts";
import { BrokerError } from "./errors.ts";
import type { PartitionLog, Position } from "./log/mod.ts";
import { comparePositions } from "./log/mod.ts";
import type { Producer } from "./producer.ts";
import type { Subscription } from "./dispatch/mod.ts";
import type { BacklogPolicy, TopicPolicies } from "./policies/mod.ts";

/** What the quota looks at, and acts on. */
export interface QuotaHost {
  readonly log: PartitionLog;
  readonly producers: ReadonlyMap<string, Producer>;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly policies: () => TopicPolicies;
  /** The lowest place of all durable subscriptions, or undefined without any. */
  slowest(): Position | undefined;
  /** Closes all producers; their clients create them again. */
  dropProducers(): void;
}

/** Bytes that some durable subscription has not acknowledged. */
export function backlogBytes(topic: QuotaHost): number {
  const slowest = topic.slowest();
  return slowest === undefined ? 0 : topic.log.behind(slowest).bytes;
}

/**
 * When the oldest message was published that some durable subscription has not acknowledged, taken from the log's marks: up to 256 KiB of
 * messages before it may be counted too. Undefined without any.
 */
function oldestBacklogMs(topic: QuotaHost): WallTimeMs | undefined {
  const slowest = topic.slowest();
  if (slowest === undefined) return undefined;
  const { ledgerId, entryId } = topic.log.nextPosition(slowest);
  const segment = topic.log.segmentOf(ledgerId);
  if (segment === undefined || entryId >= segment.settledEntries) return undefined;
  return segment.index.publishTimeMsBefore(entryId);
}

/** How old the oldest message is that some durable subscription has not acknowledged, in whole seconds; −1 without any, as Pulsar says it. */
export function backlogAgeSeconds(topic: QuotaHost, nowMs: WallTimeMs): number {
  const oldestMs = oldestBacklogMs(topic);
  return oldestMs === undefined ? -1 : Math.max(0, Math.floor((nowMs - oldestMs) / 1000));
}

function isTooLarge(topic: QuotaHost): boolean {
  const { backlogBytesMax } = topic.policies();
  return backlogBytesMax >= 0 && backlogBytes(topic) >= backlogBytesMax;
}

function isTooOld(topic: QuotaHost, nowMs: WallTimeMs): boolean {
  const { backlogAgeMsMax } = topic.policies();
  if (backlogAgeMsMax <= 0) return false;
  const oldestMs = oldestBacklogMs(topic);
  return oldestMs !== undefined && nowMs - oldestMs >= backlogAgeMsMax;
}

function refuse(policy: BacklogPolicy): void {
  if (policy === "consumer_backlog_eviction") return;
  throw new BrokerError("Cannot create producer on topic with backlog quota exceeded", {
    code: policy === "producer_exception" ? "quota_refused" : "quota_held",
    retryable: true,
    cure: "let the consumers acknowledge, or raise the backlog quota",
  });
}

/** @throws {BrokerError} `quota_held`, `quota_refused` when producers must wait for the subscriptions */
export function assertQuota(topic: QuotaHost, nowMs: WallTimeMs): void {
  const { backlogPolicy, backlogAgePolicy } = topic.policies();
  if (isTooLarge(topic)) refuse(backlogPolicy);
  if (isTooOld(topic, nowMs)) refuse(backlogAgePolicy);
}

/** Applies the quota to those who are connected. */
export function enforceQuota(topic: QuotaHost, nowMs: WallTimeMs): void {
  const { backlogBytesMax, backlogPolicy, backlogAgeMsMax, backlogAgePolicy } = topic.policies();
  if (isTooLarge(topic)) {
    if (backlogPolicy === "consumer_backlog_eviction") evictBySize(topic, backlogBytesMax);
    else if (topic.producers.size > 0) topic.dropProducers();
  }
  if (!isTooOld(topic, nowMs)) return;
  if (backlogAgePolicy !== "consumer_backlog_eviction") {
    if (topic.producers.size > 0) topic.dropProducers();
  } else skipTo(topic, topic.log.lastBefore(nowMs - backlogAgeMsMax));
}

/** Moves slow subscriptions over the oldest segments. */
function evictBySize(topic: QuotaHost, backlogBytesMax: number): void {
  for (const { ledgerId, index } of topic.log.segments.slice(0, -1)) {
    if (backlogBytes(topic) < backlogBytesMax) return;
    skipTo(topic, { ledgerId, entryId: index.entryCount - 1 });
  }
}

function skipTo({ subscriptions }: QuotaHost, position: Position): void {
  for (const subscription of subscriptions.values()) {
    if (comparePositions(subscription.cursor.markDelete, position) < 0) {
      subscription.ackCumulative(position);
    }
  }
}
