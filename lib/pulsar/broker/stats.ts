import type { Consumer } from "./consumer.ts";
import { formatPosition } from "./position.ts";
import type { Producer } from "./producer.ts";
import type { Subscription } from "./subscription.ts";
import type { Topic } from "./topic.ts";

/** JSON of a topic's statistics, with the names of Pulsar's TopicStats where it has them. */
export type Stats = Record<string, unknown>;

function publisherStats(producer: Producer): Stats {
  return {
    accessMode: producer.access,
    producerId: producer.producerId,
    producerName: producer.name,
    msgInCounter: producer.messagesIn,
    bytesInCounter: producer.bytesIn,
    address: `/${producer.link.address}`,
    connectedSince: new Date(producer.connectedSinceMs).toISOString(),
    clientVersion: producer.link.clientVersion,
    metadata: producer.metadata,
  };
}

function consumerStats(consumer: Consumer): Stats {
  return {
    consumerName: consumer.name,
    availablePermits: consumer.permits,
    unackedMessages: 0,
    blockedConsumerOnUnackedMsgs: false,
    msgOutCounter: consumer.messagesOut,
    bytesOutCounter: consumer.bytesOut,
    address: `/${consumer.link.address}`,
    connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
    clientVersion: consumer.link.clientVersion,
    metadata: consumer.metadata,
  };
}

function subscriptionStats(subscription: Subscription): Stats {
  const { entries, bytes } = subscription.backlog();
  return {
    type: subscription.kind,
    isDurable: subscription.isDurable,
    msgBacklog: entries,
    backlogSize: bytes,
    msgOutCounter: subscription.messagesOut,
    bytesOutCounter: subscription.bytesOut,
    unackedMessages: 0,
    activeConsumerName: subscription.active?.name ?? "",
    consumers: subscription.consumers.map(consumerStats),
    subscriptionProperties: subscription.properties,
  };
}

/** Statistics of one topic or partition. */
export function topicStats(topic: Topic): Stats {
  const { rates } = topic;
  const subscriptions = [...topic.subscriptions.values()];
  return {
    msgRateIn: rates.messagesInPerSec,
    msgThroughputIn: rates.bytesInPerSec,
    msgRateOut: rates.messagesOutPerSec,
    msgThroughputOut: rates.bytesOutPerSec,
    msgInCounter: topic.messagesIn,
    bytesInCounter: topic.bytesIn,
    msgOutCounter: topic.messagesOut,
    bytesOutCounter: topic.bytesOut,
    averageMsgSize: topic.messagesIn === 0 ? 0 : topic.bytesIn / topic.messagesIn,
    storageSize: topic.log.sizeBytes,
    backlogSize: topic.backlogBytes(),
    publishers: [...topic.producers.values()].map(publisherStats),
    subscriptions: Object.fromEntries(
      subscriptions.map((one) => [one.name, subscriptionStats(one)]),
    ),
    replication: {},
    deduplicationStatus: topic.policies().isDeduplicating ? "Enabled" : "Disabled",
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

function sumInto(sum: Stats, part: Stats, keys: readonly string[]): void {
  for (const key of keys) sum[key] = ((sum[key] as number) ?? 0) + ((part[key] as number) ?? 0);
}

/** Statistics of a partitioned topic: sums, and each partition's own. */
export function partitionedStats(
  partitions: ReadonlyMap<string, Stats>,
  withPartitions: boolean,
): Stats {
  const sum: Stats = {};
  const subscriptions: Record<string, Stats> = {};
  for (const stats of partitions.values()) {
    sumInto(sum, stats, SUMS);
    for (const [name, part] of Object.entries(stats["subscriptions"] as Record<string, Stats>)) {
      const total = subscriptions[name] ??= { type: part["type"], isDurable: part["isDurable"] };
      sumInto(total, part, ["msgBacklog", "backlogSize", "msgOutCounter", "bytesOutCounter"]);
    }
  }
  return {
    ...sum,
    subscriptions,
    metadata: { partitions: partitions.size, deleted: false },
    partitions: withPartitions ? Object.fromEntries(partitions) : {},
  };
}

/** What Pulsar calls internal stats: ledgers and cursors. */
export function internalStats(topic: Topic): Stats {
  const { log } = topic;
  const cursors = [...topic.subscriptions.values()].map(({ name, cursor, isDurable }) => {
    const state = cursor.state();
    return [name, {
      markDeletePosition: formatPosition(cursor.markDelete),
      individuallyDeletedMessages: JSON.stringify(state.acked),
      individuallyDeletedMessagesCount: cursor.ackedBehind,
      cursorLedger: -1,
      state: isDurable ? "Open" : "NoLedger",
      active: true,
    }] as const;
  });
  return {
    numberOfEntries: log.entryCount,
    totalSize: log.sizeBytes,
    lastConfirmedEntry: formatPosition(log.last ?? log.beforeFirst),
    state: "LedgerOpened",
    ledgers: log.segments.map(({ ledgerId, settledEntries, index }) => ({
      ledgerId,
      entries: settledEntries,
      size: index.sizeBytes,
    })),
    cursors: Object.fromEntries(cursors),
  };
}
