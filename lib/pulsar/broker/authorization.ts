/**
 * What a role may do, as Pulsar's PulsarAuthorizationProvider decides it: superusers everything, administrators of a tenant everything in
 * it, others what they were granted in a namespace or on a topic.
 *
 * @module
 */
import type { Command } from "../wire/mod.ts";
import type { Broker } from "./broker.ts";
import { BrokerError } from "./errors.ts";
import { isGranted, permissionsOf } from "./policies/mod.ts";
import type { Action, AuthPolicies } from "./policies/mod.ts";
import { parseTopicName } from "./topic_name.ts";
import type { TopicName } from "./topic_name.ts";

/** Whether a role may do everything; where nobody is asked who he is, everybody may. */
export function isSuperuser({ parts }: Broker, role: string): boolean {
  return parts.isOpen || parts.superusers.has(role);
}

/** Whether a role may administer a tenant. */
export function isTenantAdmin(broker: Broker, role: string, tenant: string): boolean {
  return isSuperuser(broker, role) ||
    broker.catalog.tenant(tenant)?.adminRoles.includes(role) === true;
}

function grantsOf({ catalog }: Broker, namespace: string): AuthPolicies {
  return permissionsOf(catalog.policies(namespace)?.stored ?? {});
}

/** Whether a role may produce to a topic, or consume from it. */
export function mayUse(broker: Broker, role: string, wanted: {
  readonly action: Action;
  readonly name: TopicName;
  readonly subscription?: string;
}): boolean {
  const { action, name, subscription } = wanted;
  if (isTenantAdmin(broker, role, name.tenant)) return true;
  const grants = grantsOf(broker, name.namespace);
  if (!isGranted(grants, role, { action, topic: name.base })) return false;
  if (subscription === undefined) return true;
  const roles = grants.subscription_auth_roles;
  const only = Object.hasOwn(roles, subscription) ? roles[subscription]! : [];
  return only.length === 0 || only.includes(role);
}

/** Whether a role may know of a topic: whoever may produce or consume. */
export function mayLookUp(broker: Broker, role: string, name: TopicName): boolean {
  return mayUse(broker, role, { action: "produce", name }) ||
    mayUse(broker, role, { action: "consume", name });
}

/** Whether a role may see which topics a namespace has. */
export function mayList(broker: Broker, role: string, namespace: string): boolean {
  if (isTenantAdmin(broker, role, namespace.split("/")[0]!)) return true;
  const grants = grantsOf(broker, namespace);
  return isGranted(grants, role, { action: "produce" }) ||
    isGranted(grants, role, { action: "consume" });
}

function assertAllowed(isAllowed: boolean, what: string): void {
  if (isAllowed) return;
  throw new BrokerError(`Client is not authorized to ${what}`, { code: "authorization" });
}

/**
 * Whether a role may give a command, in Pulsar's words where not.
 *
 * @throws {BrokerError} `authorization`, `invalid_topic`
 */
export function assertMayCommand(broker: Broker, role: string, command: Command): void {
  if (isSuperuser(broker, role)) return;
  const nameOf = (topic: string) => parseTopicName(topic);
  switch (command.type) {
    case "PARTITIONED_METADATA":
      return assertAllowed(
        mayLookUp(broker, role, nameOf(command.body.topic)),
        "Get Partition Metadata",
      );
    case "LOOKUP":
      return assertAllowed(mayLookUp(broker, role, nameOf(command.body.topic)), "Lookup");
    case "PRODUCER": {
      const name = nameOf(command.body.topic);
      return assertAllowed(mayUse(broker, role, { action: "produce", name }), "Produce");
    }
    case "SUBSCRIBE": {
      const { topic, subscription } = command.body;
      const wanted = { action: "consume", name: nameOf(topic), subscription } as const;
      return assertAllowed(mayUse(broker, role, wanted), "subscribe");
    }
    case "GET_TOPICS_OF_NAMESPACE":
      return assertAllowed(mayList(broker, role, command.body.namespace), "GetTopicsOfNamespace");
    case "WATCH_TOPIC_LIST":
      return assertAllowed(mayList(broker, role, command.body.namespace), "WatchTopicList");
    // Pulsar lets everybody read and write schemas who may connect; here that takes a right on the topic.
    case "GET_SCHEMA":
      return assertAllowed(mayLookUp(broker, role, nameOf(command.body.topic)), "GetSchema");
    case "GET_OR_CREATE_SCHEMA": {
      const name = nameOf(command.body.topic);
      return assertAllowed(mayUse(broker, role, { action: "produce", name }), "GetOrCreateSchema");
    }
    default:
      // What names an id of this connection was allowed when the id came into being.
      return;
  }
}
