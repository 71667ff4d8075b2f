import { AdminError } from "../policies/mod.ts";
import type { AdminRequest } from "./router.ts";
import type { Broker } from "../broker.ts";
import type { Topic } from "../topic.ts";
import { parseTopicName } from "../topic_name.ts";
import type { TopicName } from "../topic_name.ts";

/** Path of a topic of either kind. */
export const ANY_TOPIC = "/admin/v2/:domain(persistent|non-persistent)/:tenant/:namespace/:topic";
/** Path of a topic with a log. */
export const TOPIC = "/admin/v2/:domain(persistent)/:tenant/:namespace/:topic";
/** Path of a namespace. */
export const NAMESPACE = "/admin/v2/namespaces/:tenant/:namespace";

/**
 * The topic that a path names.
 *
 * @throws {AdminError} 412
 */
export function topicOf({ params }: AdminRequest): TopicName {
  const { tenant, namespace, topic, domain = "persistent" } = params;
  if (topic === undefined || topic.includes("/")) {
    throw new AdminError(412, "Topic name is not valid");
  }
  return parseTopicName(`${domain}://${tenant}/${namespace}/${topic}`);
}

/** The namespace that a path names. */
export function namespaceOf({ params }: AdminRequest): string {
  return `${params["tenant"]}/${params["namespace"]}`;
}

/** Whether a parameter of the query is `true`. */
export function isSet(request: AdminRequest, name: string): boolean {
  return request.url.searchParams.get(name) === "true";
}

/** What the admin interface says of a topic that is not there. */
export function topicNotFound(name: TopicName): AdminError {
  return new AdminError(404, `Topic ${name.full} not found`);
}

/**
 * The topic with a log that a path names.
 *
 * @throws {AdminError} 404
 */
export function openTopic(broker: Broker, request: AdminRequest): Promise<Topic> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  if (!name.isPersistent || !broker.catalog.has(name.full)) throw topicNotFound(name);
  return broker.topic(name, { create: false });
}

/** The topic itself, or all partitions of a partitioned one. */
export async function topicsOf(broker: Broker, request: AdminRequest): Promise<Topic[]> {
  const name = topicOf(request);
  const partitions = broker.catalog.partitionNames(name.full);
  if (partitions.length === 0) return [await openTopic(broker, request)];
  return await Promise.all(partitions.map((partition) => broker.topic(partition)));
}

/** Whether the path names a topic with partitions. */
export function isPartitioned(broker: Broker, request: AdminRequest): boolean {
  return broker.catalog.partitionsOf(topicOf(request).full) > 0;
}

/** @throws {AdminError} 404 where the namespace is not there */
export function assertNamespaceThere(
  broker: Broker,
  namespace: string,
  reason = "Namespace not found",
): void {
  if (broker.catalog.policies(namespace) === undefined) throw new AdminError(404, reason);
}
