import { AdminError } from "../policies/mod.ts";
import type { Addresses } from "./cluster.ts";
import { isSet, openTopic, TOPIC, topicNotFound, topicOf } from "./paths.ts";
import { route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import type { NonPersistentTopic } from "../non_persistent_topic.ts";
import {
  internalStats,
  NON_PERSISTENT_INTERNALS,
  nonPersistentStats,
  partitionedStats,
  topicStats,
  topicStatsWithAge,
} from "./topic_stats.ts";
import type { Stats } from "./topic_stats.ts";
import type { TopicName } from "../topic_name.ts";

const NON_PERSISTENT = "/admin/v2/:domain(non-persistent)/:tenant/:namespace/:topic";

function partitionsOf(broker: Broker, request: AdminRequest): TopicName[] {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length > 0) return partitions;
  throw new AdminError(404, `Partitioned Topic ${name.full} not found`);
}

async function statsOfPartitions(broker: Broker, request: AdminRequest): Promise<Stats> {
  const names = partitionsOf(broker, request);
  const stats = new Map<string, Stats>();
  for (const name of names) {
    if (name.isPersistent) stats.set(name.full, topicStats(await broker.topic(name)));
    else stats.set(name.full, nonPersistentStats(broker.nonPersistentTopic(name)));
  }
  const isPerPartition = request.url.searchParams.get("perPartition") !== "false";
  return partitionedStats(stats, { partitions: names.length, isPerPartition });
}

async function internalsOfPartitions(broker: Broker, request: AdminRequest): Promise<Stats> {
  const names = partitionsOf(broker, request);
  const partitions: Record<string, Stats> = {};
  for (const name of names) {
    partitions[name.full] = name.isPersistent
      ? internalStats(await broker.topic(name))
      : NON_PERSISTENT_INTERNALS;
  }
  return { metadata: { partitions: names.length, deleted: false }, partitions };
}

function nonPersistent(broker: Broker, request: AdminRequest): NonPersistentTopic {
  const name = topicOf(request);
  const topic = broker.nonPersistentTopics.get(name.full);
  if (topic === undefined) throw topicNotFound(name);
  return topic;
}

/** Statistics of topics. */
export function statsRoutes(broker: Broker, addresses: Addresses): Route[] {
  const owned = (stats: Stats) => ({ ...stats, ownerBroker: new URL(addresses.adminUrl).host });
  return [
    route(
      `GET ${TOPIC}/stats`,
      async (request) => {
        const topic = await openTopic(broker, request);
        const isAgeAsked = isSet(request, "getEarliestTimeInBacklog");
        return owned(isAgeAsked ? topicStatsWithAge(topic) : topicStats(topic));
      },
      "use",
    ),
    route(
      `GET ${TOPIC}/internalStats`,
      async (request) => internalStats(await openTopic(broker, request)),
      "use",
    ),
    ...[TOPIC, NON_PERSISTENT].flatMap((path) => [
      route(`GET ${path}/partitioned-stats`, (at) => statsOfPartitions(broker, at), "use"),
      route(
        `GET ${path}/partitioned-internalStats`,
        (at) => internalsOfPartitions(broker, at),
        "use",
      ),
    ]),
    route(
      `GET ${NON_PERSISTENT}/stats`,
      (request) => nonPersistentStats(nonPersistent(broker, request)),
      "use",
    ),
    route(`GET ${NON_PERSISTENT}/internalStats`, (request) => {
      nonPersistent(broker, request);
      return NON_PERSISTENT_INTERNALS;
    }, "use"),
    route(
      `GET ${NON_PERSISTENT}/subscriptions`,
      (request) => [...nonPersistent(broker, request).subscriptions.keys()],
      "use",
    ),
    route(`PUT ${NON_PERSISTENT}/subscription/:subscription`, () => {
      throw new AdminError(
        400,
        "Create subscription on non-persistent topic can only be done through client",
      );
    }, "consume"),
  ];
}
