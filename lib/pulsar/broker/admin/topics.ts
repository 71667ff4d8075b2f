import {
  actionsOf,
  AdminError,
  permissionsOf,
  stringMap,
  withEntry,
  withPermissions,
} from "../policies/mod.ts";
import { nonPersistentTopics } from "./namespaces.ts";
import {
  ANY_TOPIC,
  assertNamespaceThere,
  isPartitioned,
  isSet,
  namespaceOf,
  openTopic,
  TOPIC,
  topicNotFound,
  topicOf,
  topicsOf,
} from "./paths.ts";
import { messageIdOf } from "./messages.ts";
import { nothing, route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import { lastBatchIndex } from "../log/mod.ts";
import { partitionsFor } from "../topic_access.ts";
import { parseTopicName } from "../topic_name.ts";
import type { TopicName } from "../topic_name.ts";

const PROPERTIES = "properties";
/** More would open as many logs. */
const PARTITIONS_MAX = 1024;

function isThere(broker: Broker, name: TopicName): boolean {
  return broker.catalog.has(name.full) || broker.nonPersistentTopics.has(name.full);
}

/** @throws {AdminError} 412 for a name that looks like a partition and is none */
function assertCreatable(broker: Broker, name: TopicName): void {
  assertNamespaceThere(broker, name.namespace);
  const base = parseTopicName(name.base);
  const partitions = broker.catalog.partitionsOf(name.base);
  if (name.partition >= 0 && name.partition >= partitions) {
    const why = partitions === 0
      ? `followed by numeric value if there isn't a partitioned topic ${base.local} created.`
      : `followed by a number smaller than number of partition of partitioned topic ${base.local}`;
    throw new AdminError(412, `Can't create topic ${name.local} with "-partition-" ${why}`);
  }
  if (isThere(broker, name) || broker.catalog.partitionsOf(name.full) > 0) {
    throw new AdminError(409, "This topic already exists");
  }
}

/** @throws {AdminError} 412 where the namespace may not hold so many topics */
function assertRoom(broker: Broker, name: TopicName, count: number): void {
  const { topicsMax } = broker.policies(name);
  if (topicsMax === 0) return;
  if (broker.catalog.topics(name.namespace).length + count <= topicsMax) return;
  throw new AdminError(412, "Exceed maximum number of topics in namespace.");
}

async function createTopic(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  assertCreatable(broker, name);
  assertRoom(broker, name, 1);
  const body = await request.json();
  // Other than an object is no properties; what is one must hold text.
  const properties = typeof body === "object" && body !== null ? stringMap(body) : undefined;
  if (!name.isPersistent) {
    broker.nonPersistentTopic(name);
    return;
  }
  await broker.topic(name);
  if (properties !== undefined) await saveProperties(broker, name, properties);
}

interface PartitionsBody {
  readonly count: number;
  readonly properties: Record<string, string> | undefined;
}

/** A number, or with properties what Java's client calls metadata of a partitioned topic. */
async function partitionsBody(request: AdminRequest): Promise<PartitionsBody> {
  const body = await request.json();
  const properties = (body as { properties?: unknown } | null)?.properties ?? undefined;
  const count = typeof body === "number" ? body : (body as { partitions?: unknown })?.partitions;
  if (typeof count !== "number" || !Number.isInteger(count)) {
    throw new AdminError(
      400,
      `Cannot deserialize value of type \`int\` from ${
        JSON.stringify(body)
      }: not a valid \`int\` value`,
    );
  }
  return { count, properties: properties === undefined ? undefined : stringMap(properties) };
}

async function createPartitioned(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  const { count, properties } = await partitionsBody(request);
  if (count < 1) throw new AdminError(406, "Number of partitions should be more than 0");
  if (count > PARTITIONS_MAX) throw tooMany();
  assertCreatable(broker, name);
  assertRoom(broker, name, count);
  await setPartitions(broker, name, count);
  if (properties !== undefined) await saveProperties(broker, name, properties);
}

function tooMany(): AdminError {
  return new AdminError(
    406,
    `Number of partitions should be less than or equal to ${PARTITIONS_MAX}`,
  );
}

async function growPartitioned(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  const { count } = await partitionsBody(request);
  const before = broker.catalog.partitionsOf(name.full);
  if (before === 0) {
    throw new AdminError(409, `Topic ${name.full} is not the partitioned topic.`);
  }
  if (count < before) {
    throw new AdminError(
      422,
      `Desired partitions ${count} can't be less than the current partitions ${before}.`,
    );
  }
  if (count > PARTITIONS_MAX) throw tooMany();
  assertRoom(broker, name, count - before);
  await setPartitions(broker, name, count);
}

/** New partitions get the subscriptions of the others, from their first message on, so that none is missed. */
async function setPartitions(broker: Broker, name: TopicName, count: number): Promise<void> {
  const { catalog } = broker;
  const before = catalog.partitionNames(name.full);
  await catalog.setPartitions(name, count);
  // Those without a log come into being when somebody uses them.
  if (!name.isPersistent) return;
  const [first] = before;
  const subscriptions = first === undefined
    ? []
    : [...(await broker.topic(first)).subscriptions.values()].filter((one) => one.isDurable);
  for (const partition of catalog.partitionNames(name.full)) {
    const topic = await broker.topic(partition);
    if (partition.partition < before.length) continue;
    for (const { name: subscription, properties } of subscriptions) {
      topic.subscribe(subscription, {
        isDurable: true,
        markDelete: () => topic.log.beforeFirst,
        properties,
      });
    }
    await topic.saveCursors();
  }
}

/** Makes the partitions of a topic that are not there, such as one that was deleted by itself. */
async function createMissed(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  const count = broker.catalog.partitionsOf(name.full);
  if (count === 0) throw new AdminError(404, `Topic ${name.full} does not exist`);
  await setPartitions(broker, name, count);
}

async function metadataOf(broker: Broker, request: AdminRequest): Promise<unknown> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  const known = broker.catalog.partitionsOf(name.full);
  if (known > 0 || isThere(broker, name)) {
    const properties = known > 0 ? broker.catalog.topicPolicies(name.base)[PROPERTIES] : undefined;
    return {
      partitions: known,
      deleted: false,
      ...(properties === undefined ? {} : { properties }),
    };
  }
  // How clients ask that look topics up over HTTP.
  const mayCreate = request.url.searchParams.get("checkAllowAutoCreation") === "true";
  if (!mayCreate) throw topicNotFound(name);
  return { partitions: await partitionsFor(broker, name, true), deleted: false };
}

async function deleteTopic(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  if (broker.catalog.partitionsOf(name.full) > 0) {
    throw new AdminError(
      409,
      `${name.full} is a partitioned topic, instead of calling delete topic, please call delete-partitioned-topic.`,
    );
  }
  await removeTopic(broker, name, isSet(request, "force"));
  if (name.partition < 0) await broker.catalog.putTopicPolicies(name.base, {});
}

async function removeTopic(broker: Broker, name: TopicName, isForced: boolean): Promise<void> {
  if (name.isPersistent) {
    await broker.deleteTopic(name, isForced);
    return;
  }
  const topic = broker.nonPersistentTopics.get(name.full);
  // As Pulsar: there is nothing of it that could be missing.
  if (topic === undefined) return;
  if (!isForced && (topic.producers.size > 0 || topic.subscriptions.size > 0)) {
    throw new AdminError(412, "Topic has active producers/subscriptions");
  }
  await broker.unload(name);
}

async function deletePartitioned(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0) throw new AdminError(404, `Topic ${name.full} not found.`);
  for (const partition of partitions.filter((one) => isThere(broker, one))) {
    await removeTopic(broker, partition, isSet(request, "force"));
  }
  await broker.catalog.removePartitioned(name);
  await broker.catalog.putTopicPolicies(name.base, {});
  await broker.schemas.remove(name);
}

async function lastMessageId(broker: Broker, request: AdminRequest): Promise<unknown> {
  const topic = await openTopic(broker, request);
  const { log, name } = topic;
  const { last } = log;
  if (last === undefined) return messageIdOf(log.beforeFirst, name.partition);
  const batchIndex = lastBatchIndex(log, last);
  const id = messageIdOf(last, name.partition) as object;
  return batchIndex < 0 ? id : {
    ...id,
    batchIndex,
    outstandingAcksInSameBatch: 0,
    originalBatchSize: 0,
  };
}

async function terminate(broker: Broker, request: AdminRequest): Promise<unknown> {
  if (!topicOf(request).isPersistent) {
    throw new AdminError(406, "Need to provide a persistent topic name");
  }
  if (isPartitioned(broker, request)) {
    throw new AdminError(405, "Termination of a partitioned topic is not allowed");
  }
  const topic = await openTopic(broker, request);
  return messageIdOf(await topic.terminate(), topic.name.partition);
}

async function terminatePartitions(broker: Broker, request: AdminRequest): Promise<unknown> {
  if (!isPartitioned(broker, request)) {
    throw new AdminError(
      405,
      "Termination of a non-partitioned topic is not allowed using partitioned-terminate, please use terminate commands",
    );
  }
  const ends: Record<string, unknown> = {};
  for (const topic of await topicsOf(broker, request)) {
    ends[topic.name.partition] = messageIdOf(await topic.terminate(), -1);
  }
  return ends;
}

async function unload(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0 && !isThere(broker, name)) throw topicNotFound(name);
  for (const one of partitions.length === 0 ? [name] : partitions) await broker.unload(one);
}

function storedOfTopic(broker: Broker, request: AdminRequest): Readonly<Record<string, unknown>> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  if (broker.catalog.partitionsOf(name.full) === 0 && !isThere(broker, name)) {
    throw topicNotFound(name);
  }
  return broker.catalog.topicPolicies(name.base);
}

function saveProperties(
  broker: Broker,
  name: TopicName,
  properties: Record<string, string>,
): Promise<void> {
  const stored = broker.catalog.topicPolicies(name.base);
  return broker.catalog.putTopicPolicies(name.base, { ...stored, [PROPERTIES]: properties });
}

function propertyRoutes(broker: Broker): Route[] {
  const propertiesOf = (request: AdminRequest) =>
    (storedOfTopic(broker, request)[PROPERTIES] ?? {}) as Record<string, string>;
  return [
    route(`GET ${TOPIC}/properties`, (request) => {
      const properties = propertiesOf(request);
      const isEmpty = Object.keys(properties).length === 0;
      return isEmpty && isPartitioned(broker, request) ? nothing() : properties;
    }, "use"),
    route(`PUT ${TOPIC}/properties`, async (request) => {
      const added = stringMap(await request.json());
      await saveProperties(broker, topicOf(request), { ...propertiesOf(request), ...added });
    }, "produce"),
    route(`DELETE ${TOPIC}/properties`, (request) => {
      const key = request.url.searchParams.get("key") ?? "";
      const left = withEntry(propertiesOf(request), key, undefined);
      return saveProperties(broker, topicOf(request), left);
    }, "produce"),
  ];
}

function permissionRoutes(broker: Broker): Route[] {
  const { catalog } = broker;
  const permissions = (request: AdminRequest) => {
    const name = topicOf(request);
    assertNamespaceThere(broker, name.namespace);
    return permissionsOf(catalog.policies(name.namespace)!.stored ?? {});
  };
  const change = async (
    request: AdminRequest,
    actions: ReturnType<typeof actionsOf> | undefined,
  ) => {
    const name = topicOf(request);
    const { destination_auth } = permissions(request);
    const grants = withEntry(destination_auth[name.base] ?? {}, request.params["role"]!, actions);
    const isEmpty = Object.keys(grants).length === 0;
    const all = withEntry(destination_auth, name.base, isEmpty ? undefined : grants);
    const stored = catalog.policies(name.namespace)!.stored ?? {};
    await catalog.putStored(name.namespace, withPermissions(stored, { destination_auth: all }));
  };
  return [
    route(`GET ${ANY_TOPIC}/permissions`, (request) => {
      const { namespace_auth, destination_auth } = permissions(request);
      return { ...namespace_auth, ...destination_auth[topicOf(request).base] };
    }),
    route(
      `POST ${ANY_TOPIC}/permissions/:role`,
      async (request) => change(request, actionsOf(await request.json())),
    ),
    route(`DELETE ${ANY_TOPIC}/permissions/:role`, (request) => change(request, undefined)),
  ];
}

function listRoutes(broker: Broker): Route[] {
  const at = "/admin/v2/:domain(persistent|non-persistent)/:tenant/:namespace";
  return [
    route(`GET ${at}`, (request) => {
      const namespace = namespaceOf(request);
      assertNamespaceThere(broker, namespace, "Namespace does not exist");
      return request.params["domain"] === "persistent"
        ? broker.catalog.topics(namespace)
        : nonPersistentTopics(broker, namespace);
    }),
    route(`GET ${at}/partitioned`, (request) => {
      const namespace = namespaceOf(request);
      assertNamespaceThere(broker, namespace, "Namespace does not exist");
      const isPersistent = request.params["domain"] === "persistent";
      return broker.catalog.partitioned(namespace, isPersistent ? "persistent" : "non-persistent");
    }),
  ];
}

const NOT_RUN = { status: "NOT_RUN", lastError: "" };

/** Begins; how it went is asked for afterwards. */
async function compact(broker: Broker, request: AdminRequest): Promise<void> {
  const topics = await topicsOf(broker, request);
  if (topics.some(({ compactionStatus }) => compactionStatus.status === "RUNNING")) {
    throw new AdminError(409, "Compaction already in progress");
  }
  // What goes wrong is in the status.
  for (const topic of topics) void topic.compact().catch(() => {});
}

/** Topics: their making, growing, removal, and what is done to them as a whole. */
export function topicRoutes(broker: Broker): Route[] {
  return [
    ...listRoutes(broker),
    route(`PUT ${ANY_TOPIC}`, (request) => createTopic(broker, request)),
    route(`DELETE ${ANY_TOPIC}`, (request) => deleteTopic(broker, request)),
    route(`GET ${ANY_TOPIC}/partitions`, (request) => metadataOf(broker, request), "use"),
    route(`PUT ${ANY_TOPIC}/partitions`, (request) => createPartitioned(broker, request)),
    route(`POST ${ANY_TOPIC}/partitions`, (request) => growPartitioned(broker, request)),
    route(`DELETE ${ANY_TOPIC}/partitions`, (request) => deletePartitioned(broker, request)),
    route(`POST ${ANY_TOPIC}/createMissedPartitions`, (request) => createMissed(broker, request)),
    route(`GET ${TOPIC}/lastMessageId`, (request) => lastMessageId(broker, request), "use"),
    route(`POST ${ANY_TOPIC}/terminate`, (request) => terminate(broker, request)),
    route(
      `POST ${TOPIC}/terminate/partitions`,
      (request) => terminatePartitions(broker, request),
    ),
    route(`PUT ${ANY_TOPIC}/unload`, (request) => unload(broker, request)),
    route(`GET ${TOPIC}/compaction`, async (request) => {
      const { compactionStatus } = await openTopic(broker, request);
      return compactionStatus;
    }),
    route(`PUT ${TOPIC}/compaction`, (request) => compact(broker, request)),
    route(`GET ${TOPIC}/offload`, async (request) => {
      await openTopic(broker, request);
      const none = messageIdOf({ ledgerId: -1, entryId: -1 }, -1);
      return { ...NOT_RUN, firstUnoffloadedMessage: none };
    }),
    ...propertyRoutes(broker),
    ...permissionRoutes(broker),
  ];
}
