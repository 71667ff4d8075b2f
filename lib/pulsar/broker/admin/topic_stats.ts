import type { Consumer, Subscription } from "../dispatch/mod.ts";
import { ratesOf } from "../rates.ts";
import { backlogAgeSeconds } from "../backlog_quota.ts";
import { expiredOf } from "../expiry.ts";
import type { NonPersistentSubscription } from "../non_persistent_subscription.ts";
import type { NonPersistentTopic } from "../non_persistent_topic.ts";
import { keySharedConsumerStats, keySharedStats } from "./key_shared_stats.ts";
import { formatPosition, readEntryAfter } from "../log/mod.ts";
import type { Producer } from "../producer.ts";
import { timesOf } from "../subscription_times.ts";
import type { Topic } from "../topic.ts";

/** JSON of a topic's statistics, by the names of Pulsar's TopicStats. */
export type Stats = Record<string, unknown>;

/** What this broker has none of, but tools of Pulsar expect. */
const TOPIC_CONSTANTS = {
  systemTopicBytesInCounter: 0,
  bytesOutInternalCounter: 0,
  publishRateLimitedTimes: 0,
  offloadedStorageSize: 0,
  lastOffloadLedgerId: 0,
  lastOffloadSuccessTimeStamp: 0,
  lastOffloadFailureTimeStamp: 0,
  ongoingTxnCount: 0,
  abortedTxnCount: 0,
  committedTxnCount: 0,
};

const NEVER_COMPACTED = {
  lastCompactionRemovedEventCount: 0,
  lastCompactionSucceedTimestamp: 0,
  lastCompactionFailedTimestamp: 0,
  lastCompactionDurationTimeInMills: 0,
};

const SUBSCRIPTION_CONSTANTS = {
  isReplicated: false,
  replicated: false,
  chunkedMessageRate: 0,
  earliestMsgPublishTimeInBacklog: 0,
  filterProcessedMsgCount: 0,
  filterAcceptedMsgCount: 0,
  filterRejectedMsgCount: 0,
  filterRescheduledMsgCount: 0,
};

function since(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function publisherStats(producer: Producer): Stats {
  return {
    accessMode: producer.access,
    producerId: producer.producerId,
    producerName: producer.name,
    msgRateIn: ratesOf(producer).perSec.messagesIn,
    msgThroughputIn: ratesOf(producer).perSec.bytesIn,
    msgInCounter: producer.messagesIn,
    bytesInCounter: producer.bytesIn,
    averageMsgSize: producer.messagesIn === 0 ? 0 : producer.bytesIn / producer.messagesIn,
    chunkedMessageRate: 0,
    supportsPartialProducer: false,
    address: `/${producer.link.address}`,
    connectedSince: since(producer.connectedSinceMs),
    clientVersion: producer.link.clientVersion,
    metadata: producer.metadata,
  };
}

/** Statistics of one consumer. */
export function consumerStats(consumer: Consumer): Stats {
  const { perSec } = ratesOf(consumer);
  return {
    appId: "",
    consumerName: consumer.name,
    msgRateOut: perSec.messagesOut,
    msgThroughputOut: perSec.bytesOut,
    msgOutCounter: consumer.messagesOut,
    bytesOutCounter: consumer.bytesOut,
    msgRateRedeliver: perSec.messagesRedelivered,
    messageAckRate: perSec.messagesAcked,
    chunkedMessageRate: 0,
    availablePermits: consumer.permits,
    unackedMessages: consumer.pending.messages,
    avgMessagesPerEntry: 0,
    blockedConsumerOnUnackedMsgs: consumer.isBlocked,
    address: `/${consumer.link.address}`,
    connectedSince: since(consumer.connectedSinceMs),
    clientVersion: consumer.link.clientVersion,
    metadata: consumer.metadata,
  };
}

/** What subscriptions of both kinds of topics have. */
function deliveryStats(one: Subscription | NonPersistentSubscription): Stats {
  const rates = one.consumers.map(ratesOf);
  return {
    msgRateOut: rates.reduce((sum, rate) => sum + rate.perSec.messagesOut, 0),
    msgThroughputOut: rates.reduce((sum, rate) => sum + rate.perSec.bytesOut, 0),
    msgRateRedeliver: rates.reduce((sum, rate) => sum + rate.perSec.messagesRedelivered, 0),
    messageAckRate: rates.reduce((sum, rate) => sum + rate.perSec.messagesAcked, 0),
    bytesOutCounter: one.bytesOut,
    msgOutCounter: one.messagesOut,
    type: one.kind,
    activeConsumerName: one.active?.name ?? "",
    consumers: one.consumers.map(consumerStats),
    ...SUBSCRIPTION_CONSTANTS,
  };
}

function subscriptionStats(subscription: Subscription): Stats {
  const { entries, bytes } = subscription.backlog();
  const { multiple, isDurable, cursor } = subscription;
  const delayed = multiple?.delayedEntries ?? 0;
  const ranges = cursor.ackedRangeCount;
  const expired = expiredOf(subscription);
  const times = timesOf(subscription);
  return {
    ...deliveryStats(subscription),
    msgBacklog: entries,
    backlogSize: bytes,
    msgBacklogNoDelayed: Math.max(0, entries - delayed),
    blockedSubscriptionOnUnackedMsgs: multiple?.isBlocked ?? false,
    msgDelayed: delayed,
    msgInReplay: multiple?.replaySize ?? 0,
    unackedMessages: multiple?.unackedMessages ?? 0,
    msgExpired: 0,
    totalMsgExpired: expired.entries,
    lastExpireTimestamp: expired.lastAtMs,
    msgRateExpired: times.expiredPerSec,
    lastConsumedFlowTimestamp: times.flowMs,
    lastConsumedTimestamp: times.consumedMs,
    lastAckedTimestamp: times.ackedMs,
    lastMarkDeleteAdvancedTimestamp: times.markDeleteMs,
    isDurable,
    durable: isDurable,
    allowOutOfOrderDelivery: false,
    ...keySharedStats(subscription),
    consumers: subscription.consumers.map((consumer) => ({
      ...consumerStats(consumer),
      ...keySharedConsumerStats(subscription, consumer),
    })),
    nonContiguousDeletedMessagesRanges: ranges,
    nonContiguousDeletedMessagesRangesSerializedSize: 0,
    subscriptionProperties: subscription.properties,
  };
}

function counters(topic: Topic | NonPersistentTopic): Stats {
  const { perSec } = ratesOf(topic);
  return {
    msgRateIn: perSec.messagesIn,
    msgThroughputIn: perSec.bytesIn,
    msgRateOut: perSec.messagesOut,
    msgThroughputOut: perSec.bytesOut,
    bytesInCounter: topic.bytesIn,
    msgInCounter: topic.messagesIn,
    bytesOutCounter: topic.bytesOut,
    msgOutCounter: topic.messagesOut,
    averageMsgSize: topic.messagesIn === 0 ? 0 : topic.bytesIn / topic.messagesIn,
    msgChunkPublished: false,
    publishers: [...topic.producers.values()].map(publisherStats),
    ...TOPIC_CONSTANTS,
  };
}

/** When the oldest message that a subscription has not acknowledged was published; −1 without one, as Pulsar. */
function earliestInBacklog({ topic, cursor }: Subscription): number {
  let at = cursor.markDelete;
  for (;;) {
    const entry = readEntryAfter(topic.log, at);
    if (entry === undefined) return -1;
    at = entry.position;
    if (!cursor.isAcked(at.ledgerId, at.entryId)) return entry.metadata.publishTime;
  }
}

/** Statistics of one topic or partition, and since when each subscription is behind: for that its messages are read. */
export function topicStatsWithAge(topic: Topic): Stats {
  const stats = topicStats(topic);
  const subscriptions = { ...stats["subscriptions"] as Record<string, Stats> };
  const all: number[] = [];
  for (const subscription of topic.subscriptions.values()) {
    const earliestMsgPublishTimeInBacklog = earliestInBacklog(subscription);
    if (earliestMsgPublishTimeInBacklog >= 0) all.push(earliestMsgPublishTimeInBacklog);
    const { name } = subscription;
    subscriptions[name] = { ...subscriptions[name], earliestMsgPublishTimeInBacklog };
  }
  const earliestMsgPublishTimeInBacklogs = all.length === 0 ? 0 : Math.min(...all);
  return { ...stats, subscriptions, earliestMsgPublishTimeInBacklogs };
}

/** Statistics of one topic or partition. */
export function topicStats(topic: Topic): Stats {
  const { backlogBytesMax, backlogAgeMsMax, isDeduplicating } = topic.policies();
  return {
    ...counters(topic),
    storageSize: topic.log.sizeBytes,
    backlogSize: topic.backlogBytes(),
    backlogQuotaLimitSize: backlogBytesMax,
    backlogQuotaLimitTime: backlogAgeMsMax < 0 ? -1 : backlogAgeMsMax / 1000,
    oldestBacklogMessageAgeSeconds: backlogAgeSeconds(topic, topic.context.clock.wallMs()),
    waitingPublishers: 0,
    subscriptions: Object.fromEntries(
      [...topic.subscriptions.values()].map((one) => [one.name, subscriptionStats(one)]),
    ),
    replication: {},
    deduplicationStatus: isDeduplicating ? "Enabled" : "Disabled",
    compaction: compactionStats(topic),
  };
}

/** Statistics of a topic without a log. */
export function nonPersistentStats(topic: NonPersistentTopic): Stats {
  return {
    ...counters(topic),
    msgDropRate: 0,
    storageSize: 0,
    backlogSize: 0,
    backlogQuotaLimitSize: 0,
    backlogQuotaLimitTime: 0,
    oldestBacklogMessageAgeSeconds: 0,
    waitingPublishers: 0,
    compaction: NEVER_COMPACTED,
    subscriptions: Object.fromEntries(
      [...topic.subscriptions.values()].map((one) => [one.name, {
        ...deliveryStats(one),
        msgBacklog: 0,
        msgDropRate: 0,
        msgDropCount: one.messagesDropped,
        isDurable: false,
        durable: false,
      }]),
    ),
    replication: {},
  };
}

function compactionStats({ compaction: { figures } }: Topic): Stats {
  return {
    lastCompactionRemovedEventCount: figures.removedMessages,
    lastCompactionSucceedTimestamp: figures.succeededAtMs,
    lastCompactionFailedTimestamp: figures.failedAtMs,
    lastCompactionDurationTimeInMills: figures.durationMs,
  };
}

function compactedLedger({ compaction: { view } }: Topic): Stats {
  const log = view?.log;
  return {
    ledgerId: log?.segments[0]?.ledgerId ?? -1,
    entries: log?.entryCount ?? -1,
    size: log?.sizeBytes ?? -1,
    offloaded: false,
    underReplicated: false,
  };
}

const SUMS = [
  "msgRateIn",
  "msgThroughputIn",
  "msgRateOut",
  "msgThroughputOut",
  "msgInCounter",
  "bytesInCounter",
  "msgOutCounter",
  "bytesOutCounter",
  "storageSize",
  "backlogSize",
] as const;
const SUBSCRIPTION_SUMS = [
  "msgRateOut",
  "msgThroughputOut",
  "msgOutCounter",
  "bytesOutCounter",
  "msgBacklog",
  "backlogSize",
  "msgBacklogNoDelayed",
  "msgDelayed",
  "msgInReplay",
  "unackedMessages",
] as const;

function sumInto(sum: Stats, part: Stats, keys: readonly string[]): void {
  for (const key of keys) sum[key] = ((sum[key] as number) ?? 0) + ((part[key] as number) ?? 0);
}

/** Statistics of a partitioned topic: sums, and each partition's own. */
export function partitionedStats(
  parts: ReadonlyMap<string, Stats>,
  { partitions, isPerPartition }: { partitions: number; isPerPartition: boolean },
): Stats {
  const sum: Stats = {};
  const subscriptions: Record<string, Stats> = {};
  const publishers = new Map<unknown, Stats>();
  const [first] = parts.values();
  for (const key of SUMS) sum[key] = 0;
  for (const stats of parts.values()) {
    sumInto(sum, stats, SUMS);
    for (const publisher of stats["publishers"] as Stats[]) {
      publishers.set(publisher["producerName"], publisher);
    }
    for (const [name, part] of Object.entries(stats["subscriptions"] as Record<string, Stats>)) {
      const { type, isDurable, durable } = part as Stats & Record<string, unknown>;
      const total = subscriptions[name] ??= { type, isDurable, durable, consumers: [] };
      sumInto(total, part, SUBSCRIPTION_SUMS);
      (total["consumers"] as Stats[]).push(...part["consumers"] as Stats[]);
    }
  }
  return {
    ...sum,
    averageMsgSize: sum["msgInCounter"] === 0
      ? 0
      : (sum["bytesInCounter"] as number) / (sum["msgInCounter"] as number),
    ...TOPIC_CONSTANTS,
    msgChunkPublished: false,
    waitingPublishers: 0,
    backlogQuotaLimitSize: first?.["backlogQuotaLimitSize"] ?? 0,
    backlogQuotaLimitTime: first?.["backlogQuotaLimitTime"] ?? 0,
    oldestBacklogMessageAgeSeconds: 0,
    deduplicationStatus: first?.["deduplicationStatus"],
    compaction: first?.["compaction"],
    ...(first?.["msgDropRate"] === undefined ? {} : { msgDropRate: first["msgDropRate"] }),
    publishers: [...publishers.values()],
    subscriptions,
    replication: {},
    metadata: { partitions, deleted: false },
    partitions: isPerPartition ? Object.fromEntries(parts) : {},
  };
}

/** What Pulsar calls internal stats: ledgers and cursors. */
export function internalStats(topic: Topic): Stats {
  const { log } = topic;
  const last = log.last ?? log.beforeFirst;
  const current = log.segments.at(-1);
  return {
    entriesAddedCounter: log.entryCount,
    numberOfEntries: log.entryCount,
    totalSize: log.sizeBytes,
    currentLedgerEntries: current?.settledEntries ?? 0,
    currentLedgerSize: current?.index.sizeBytes ?? 0,
    waitingCursorsCount: 0,
    pendingAddEntriesCount: 0,
    lastConfirmedEntry: formatPosition(last),
    state: topic.isTerminated ? "Terminated" : "LedgerOpened",
    ledgers: ledgersOf(topic),
    cursors: Object.fromEntries(
      [...topic.subscriptions.values()].map((one) => [one.name, cursorStats(topic, one)]),
    ),
    properties: {},
    schemaLedgers: [],
    compactedLedger: compactedLedger(topic),
  };
}

function ledgersOf({ log }: Topic): Stats[] {
  const kept = log.segments.map(({ ledgerId, settledEntries, index }) => ({
    ledgerId,
    entries: settledEntries,
    size: index.sizeBytes,
    offloaded: false,
    underReplicated: false,
  }));
  if (kept.length > 0) return kept;
  const { ledgerId } = log.beforeFirst;
  return [{ ledgerId, entries: 0, size: 0, offloaded: false, underReplicated: false }];
}

function cursorStats({ log }: Topic, { cursor, isDurable, consumers }: Subscription) {
  const acked = cursor.ackedRanges();
  return {
    markDeletePosition: formatPosition(cursor.markDelete),
    readPosition: formatPosition(log.nextPosition(cursor.markDelete)),
    waitingReadOp: false,
    pendingReadOps: 0,
    messagesConsumedCounter: Math.max(0, log.entryCount - log.behind(cursor.markDelete).entries),
    cursorLedger: -1,
    cursorLedgerLastEntry: -1,
    individuallyDeletedMessages: `[${
      acked.map(([ledgerId, first, end]) => `(${ledgerId}:${first - 1}..${ledgerId}:${end}]`)
        .join(",")
    }]`,
    state: isDurable ? "Open" : "NoLedger",
    active: consumers.length > 0,
    numberOfEntriesSinceFirstNotAckedMessage: 1,
    totalNonContiguousDeletedMessagesRange: acked.length,
    subscriptionHavePendingRead: false,
    subscriptionHavePendingReplayRead: false,
    properties: {},
  };
}

/** Internal stats of a topic without a log. */
export const NON_PERSISTENT_INTERNALS: Stats = {
  entriesAddedCounter: 0,
  numberOfEntries: 0,
  totalSize: 0,
  currentLedgerEntries: 0,
  currentLedgerSize: 0,
  waitingCursorsCount: 0,
  pendingAddEntriesCount: 0,
  cursors: {},
};
