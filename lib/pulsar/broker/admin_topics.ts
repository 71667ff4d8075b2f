import type { Broker } from "./broker.ts";
import type { AdminRequest, Route } from "./admin_router.ts";
import { route } from "./admin_router.ts";
import { BrokerError } from "./errors.ts";
import { internalStats, partitionedStats, topicStats } from "./stats.ts";
import type { Stats } from "./stats.ts";
import type { Subscription } from "./subscription.ts";
import type { Topic } from "./topic.ts";
import { parseTopicName } from "./topic_name.ts";
import type { TopicName } from "./topic_name.ts";

const TOPIC = "/admin/v2/persistent/:tenant/:namespace/:topic";

/** The topic that a path names. */
export function topicOf({ params }: AdminRequest): TopicName {
  const { tenant, namespace, topic } = params;
  return parseTopicName(`persistent://${tenant}/${namespace}/${topic}`);
}

/** The namespace that a path names. */
export function namespaceOf({ params }: AdminRequest): string {
  return `${params["tenant"]}/${params["namespace"]}`;
}

function isSet(request: AdminRequest, name: string): boolean {
  return request.url.searchParams.get(name) === "true";
}

async function partitionCount(request: AdminRequest): Promise<number> {
  const body = await request.json();
  const count = typeof body === "number" ? body : (body as { partitions?: unknown })?.partitions;
  if (typeof count === "number") return count;
  throw new BrokerError("The body must be the number of partitions", { code: "invalid" });
}

async function createTopic(broker: Broker, name: TopicName): Promise<void> {
  broker.assertUsable(name);
  if (broker.catalog.has(name.full) || broker.catalog.partitionsOf(name.full) > 0) {
    throw new BrokerError("This topic already exists", { code: "conflict" });
  }
  await broker.topic(name);
}

async function setPartitions(broker: Broker, request: AdminRequest, isNew: boolean): Promise<void> {
  const name = topicOf(request);
  broker.assertUsable(name);
  const existing = broker.catalog.partitionsOf(name.full);
  if (isNew && (existing > 0 || broker.catalog.has(name.full))) {
    throw new BrokerError("This topic already exists", { code: "conflict" });
  }
  if (!isNew && existing === 0) throw notFound(name);
  await broker.catalog.setPartitions(name, await partitionCount(request));
  for (const partition of broker.catalog.partitionNames(name.full)) await broker.topic(partition);
}

function notFound(name: TopicName): BrokerError {
  return new BrokerError(`Topic ${name.full} not found`, { code: "topic_not_found" });
}

function metadataOf(broker: Broker, request: AdminRequest): unknown {
  const name = topicOf(request);
  broker.assertUsable(name);
  const partitions = broker.catalog.partitionsOf(name.full);
  if (partitions === 0 && !broker.catalog.has(name.full)) throw notFound(name);
  return { partitions, deleted: false };
}

async function deletePartitioned(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0) throw notFound(name);
  const there = partitions.filter(({ full }) => broker.catalog.has(full));
  for (const partition of there) await broker.deleteTopic(partition, isSet(request, "force"));
  broker.catalog.removePartitioned(name);
  broker.schemas.remove(name);
}

async function statsOfPartitions(broker: Broker, request: AdminRequest): Promise<Stats> {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0) throw notFound(name);
  const stats = new Map<string, Stats>();
  for (const partition of partitions) {
    stats.set(partition.full, topicStats(await broker.topic(partition)));
  }
  return partitionedStats(stats, request.url.searchParams.get("perPartition") !== "false");
}

/** The topic itself, or all partitions of a partitioned one. */
async function topicsOf(broker: Broker, request: AdminRequest): Promise<Topic[]> {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0) return [await broker.topic(name, { create: false })];
  return Promise.all(partitions.map((partition) => broker.topic(partition)));
}

async function subscriptionsOf(broker: Broker, request: AdminRequest): Promise<Subscription[]> {
  const name = request.params["subscription"]!;
  const found = (await topicsOf(broker, request))
    .flatMap((topic) => topic.subscriptions.get(name) ?? []);
  if (found.length > 0) return found;
  throw new BrokerError(`Subscription ${name} not found`, { code: "subscription_not_found" });
}

async function createSubscription(broker: Broker, request: AdminRequest): Promise<void> {
  const body = await request.json() as { ledgerId?: number; entryId?: number } | undefined;
  const isEarliest = body?.ledgerId === -1;
  for (const topic of await topicsOf(broker, request)) {
    const { log } = topic;
    topic.subscribe(request.params["subscription"]!, {
      isDurable: true,
      markDelete: () => isEarliest ? log.beforeFirst : log.last ?? log.beforeFirst,
    });
    await topic.saveCursors();
  }
}

async function deleteSubscription(broker: Broker, request: AdminRequest): Promise<void> {
  for (const subscription of await subscriptionsOf(broker, request)) {
    if (subscription.consumers.length > 0 && !isSet(request, "force")) {
      throw new BrokerError("Subscription has active connected consumers", {
        code: "unsubscribe_busy",
      });
    }
    subscription.topic.unsubscribe(subscription);
  }
}

async function skipAll(broker: Broker, request: AdminRequest): Promise<void> {
  for (const subscription of await subscriptionsOf(broker, request)) {
    const { log } = subscription.topic;
    subscription.reset(log.last ?? log.beforeFirst);
    await subscription.topic.saveCursors();
  }
}

async function resetCursor(broker: Broker, request: AdminRequest): Promise<void> {
  for (const subscription of await subscriptionsOf(broker, request)) {
    subscription.reset(subscription.topic.log.lastBefore(Number(request.params["timestamp"])));
    await subscription.topic.saveCursors();
  }
}

async function lastMessageId(broker: Broker, request: AdminRequest): Promise<unknown> {
  const topic = await broker.topic(topicOf(request), { create: false });
  return {
    ...topic.log.last ?? { ledgerId: -1, entryId: -1 },
    partitionIndex: topic.name.partition,
  };
}

function listing(broker: Broker, which: "topics" | "partitioned") {
  return (request: AdminRequest) => {
    broker.catalog.assertNamespace(namespaceOf(request));
    return broker.catalog[which](namespaceOf(request));
  };
}

/** Topics and their subscriptions. */
export function topicRoutes(broker: Broker): Route[] {
  const open = (request: AdminRequest) => broker.topic(topicOf(request), { create: false });
  return [
    route("GET /admin/v2/persistent/:tenant/:namespace", listing(broker, "topics")),
    route("GET /admin/v2/namespaces/:tenant/:namespace/topics", listing(broker, "topics")),
    route(
      "GET /admin/v2/persistent/:tenant/:namespace/partitioned",
      listing(broker, "partitioned"),
    ),
    route(`PUT ${TOPIC}`, (request) => createTopic(broker, topicOf(request))),
    route(
      `DELETE ${TOPIC}`,
      (request) => broker.deleteTopic(topicOf(request), isSet(request, "force")),
    ),
    route(`GET ${TOPIC}/partitions`, (request) => metadataOf(broker, request)),
    route(`PUT ${TOPIC}/partitions`, (request) => setPartitions(broker, request, true)),
    route(`POST ${TOPIC}/partitions`, (request) => setPartitions(broker, request, false)),
    route(`DELETE ${TOPIC}/partitions`, (request) => deletePartitioned(broker, request)),
    route(`GET ${TOPIC}/stats`, async (request) => topicStats(await open(request))),
    route(`GET ${TOPIC}/internalStats`, async (request) => internalStats(await open(request))),
    route(`GET ${TOPIC}/partitioned-stats`, (request) => statsOfPartitions(broker, request)),
    route(`GET ${TOPIC}/lastMessageId`, (request) => lastMessageId(broker, request)),
    route(`PUT ${TOPIC}/unload`, async (request) => {
      for (const { name } of await topicsOf(broker, request)) await broker.unload(name);
    }),
    route(`GET ${TOPIC}/subscriptions`, async (request) => [
      ...new Set((await topicsOf(broker, request)).flatMap((one) => [...one.subscriptions.keys()])),
    ]),
    route(
      `PUT ${TOPIC}/subscription/:subscription`,
      (request) => createSubscription(broker, request),
    ),
    route(
      `DELETE ${TOPIC}/subscription/:subscription`,
      (request) => deleteSubscription(broker, request),
    ),
    route(
      `POST ${TOPIC}/subscription/:subscription/skip_all`,
      (request) => skipAll(broker, request),
    ),
    route(
      `POST ${TOPIC}/subscription/:subscription/resetcursor/:timestamp`,
      (request) => resetCursor(broker, request),
    ),
  ];
}
