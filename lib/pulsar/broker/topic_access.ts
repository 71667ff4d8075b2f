/** Which topics clients may open, and what comes into being when they ask for one. */
import type { Broker } from "./broker.ts";
import { BrokerError, topicNotFound } from "./errors.ts";
import type { NonPersistentTopic } from "./non_persistent_topic.ts";
import type { Topic } from "./topic.ts";
import type { TopicName } from "./topic_name.ts";
import type { WritableTopic } from "./writable_topic.ts";

/** Whether there is such a topic: with a log, partitioned, a partition of one, or in use without a log. */
export function topicExists(broker: Broker, name: TopicName): boolean {
  const { catalog, nonPersistentTopics } = broker;
  return catalog.has(name.full) || catalog.partitionsOf(name.full) > 0 ||
    (name.partition >= 0 && name.partition < catalog.partitionsOf(name.base)) ||
    nonPersistentTopics.has(name.full);
}

/**
 * Whether a client may open a topic, perhaps by making it.
 *
 * @throws {BrokerError} `topic_not_found`, `not_supported`
 */
function assertOpenable(broker: Broker, name: TopicName, create: boolean): void {
  broker.assertUsable(name);
  if (name.partition < 0 && broker.catalog.partitionsOf(name.full) > 0) {
    throw new BrokerError(
      `Found partitioned metadata for non-partitioned topic: ${name.full}`,
      { code: "not_supported", cure: "use its partitions" },
    );
  }
  if (topicExists(broker, name)) return;
  if (name.partition >= 0) {
    throw new BrokerError(
      `Partition metadata not found for the partitioned topic: ${name.full}`,
      { code: "not_supported", cure: "create the partitioned topic first" },
    );
  }
  const { isAutoCreating, topicsMax } = broker.policies(name);
  if (!create || !isAutoCreating) {
    throw new BrokerError(`Topic ${name.full} does not exist`, { code: "topic_not_found" });
  }
  if (topicsMax > 0 && broker.catalog.topics(name.namespace).length >= topicsMax) {
    throw new BrokerError("Exceed maximum number of topics in namespace", {
      code: "not_supported",
    });
  }
}

/**
 * A topic with a log, as a consumer asks for it.
 *
 * @throws {BrokerError} `topic_not_found`, `not_supported`, `invalid_topic`, `damaged`, `disk_full`, `disk_error`
 */
export function openReadable(broker: Broker, name: TopicName, create: boolean): Promise<Topic> {
  assertOpenable(broker, name, create);
  return broker.topic(name);
}

/**
 * A topic as a producer asks for it.
 *
 * @throws {BrokerError} as {@link openReadable}
 */
export async function openWritable(broker: Broker, name: TopicName): Promise<WritableTopic> {
  if (!name.isPersistent) return openNonPersistent(broker, name, true);
  assertOpenable(broker, name, true);
  return await broker.topic(name);
}

/**
 * A topic without a log, as a consumer asks for it.
 *
 * @throws {BrokerError} `topic_not_found`, `not_supported`, `invalid_topic`
 */
export function openNonPersistent(
  broker: Broker,
  name: TopicName,
  create: boolean,
): NonPersistentTopic {
  assertOpenable(broker, name, create);
  return broker.nonPersistentTopic(name);
}

/**
 * How many partitions a client should expect, 0 for a topic without. Where namespaces make partitioned topics by themselves, asking makes one.
 *
 * @param create whether the client wants the topic to be made
 * @throws {BrokerError} `topic_not_found`, `disk_full`, `disk_error`
 */
export async function partitionsFor(
  broker: Broker,
  name: TopicName,
  create: boolean,
): Promise<number> {
  broker.assertUsable(name);
  if (topicExists(broker, name)) return broker.catalog.partitionsOf(name.full);
  const { isAutoCreating, autoPartitions } = broker.policies(name);
  if (!create || !isAutoCreating) {
    throw topicNotFound(name.full);
  }
  if (autoPartitions > 0 && name.partition < 0) {
    await broker.catalog.setPartitions(name, autoPartitions);
    const partitions = name.isPersistent ? broker.catalog.partitionNames(name.full) : [];
    for (const partition of partitions) await broker.topic(partition);
  }
  return broker.catalog.partitionsOf(name.full);
}
