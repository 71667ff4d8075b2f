import {
  AdminError,
  assertQuotaFits,
  backlogQuota,
  effectivePolicies,
  notSupported,
  POLICIES,
  UNSUPPORTED_POLICIES,
} from "../policies/mod.ts";
import { ANY_TOPIC, assertNamespaceThere, NAMESPACE, namespaceOf, topicOf } from "./paths.ts";
import { answer, nothing, route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import type { PolicySpec, StoredPolicies, TopicPolicies } from "../policies/mod.ts";

const QUOTAS = "backlog_quota_map";
const MEBIBYTE = 1024 * 1024;

/** Where policies are kept: those of a namespace, or those of a topic. */
interface Shelf {
  /** How error messages name it. */
  readonly place: string;
  readonly stored: StoredPolicies;
  save(stored: StoredPolicies): Promise<void>;
  /** What is in force there. */
  readonly applied: TopicPolicies;
}

function namespaceShelf(broker: Broker, request: AdminRequest): Shelf {
  const { catalog } = broker;
  const namespace = namespaceOf(request);
  const isRead = request.method === "GET";
  const reason = isRead ? "Namespace does not exist" : "Namespace policies does not exist";
  assertNamespaceThere(broker, namespace, reason);
  const stored = catalog.policies(namespace)?.stored ?? {};
  return {
    place: `namespace[${namespace}]`,
    stored,
    save: (changed) => catalog.putStored(namespace, changed),
    applied: { ...broker.parts.policies, ...effectivePolicies(stored) },
  };
}

function topicShelf(broker: Broker, request: AdminRequest): Shelf {
  const { catalog } = broker;
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  const isThere = catalog.has(name.full) || catalog.partitionsOf(name.base) > 0;
  if (!isThere) throw new AdminError(404, `Topic ${name.full} not found`);
  return {
    place: `topic[${name.full}]`,
    stored: catalog.topicPolicies(name.base),
    save: (changed) => catalog.putTopicPolicies(name.base, changed),
    applied: broker.policies(name),
  };
}

function without(stored: StoredPolicies, key: string): StoredPolicies {
  const { [key]: _, ...rest } = stored;
  return rest;
}

/** Words of a policy are JSON, other than the words of the admin interface itself. */
function quoted(value: unknown): unknown {
  return typeof value === "string" ? answer(200, value) : value;
}

/** Numbers come in the query for one policy of topics; everything else in the body. */
async function valueOf(request: AdminRequest, spec: PolicySpec): Promise<unknown> {
  const inQuery = request.url.searchParams.get(spec.path);
  return inQuery === null ? await request.json() : Number(inQuery);
}

function policyRoutes(spec: PolicySpec, base: string, shelfOf: (at: AdminRequest) => Shelf) {
  const { key } = spec;
  const path = `${base}/${base === ANY_TOPIC ? spec.topicPath! : spec.path}`;
  const read = (request: AdminRequest) => {
    const shelf = shelfOf(request);
    const own = shelf.stored[key];
    if (own !== undefined) return quoted(own);
    const isApplied = request.url.searchParams.get("applied") === "true";
    const value = isApplied ? appliedOf(key, shelf.applied) : undefined;
    return quoted(value ?? (base === ANY_TOPIC ? undefined : spec.unset) ?? nothing());
  };
  const write = async (request: AdminRequest) => {
    const shelf = shelfOf(request);
    const value = spec.parse(await valueOf(request, spec), shelf.place);
    // Null is what some policies are removed by.
    const changed = value === undefined
      ? without(shelf.stored, key)
      : { ...shelf.stored, [key]: value };
    assertQuotaFits(changed);
    await shelf.save(changed);
    // The one that Pulsar answers so.
    return spec.path === "replication" ? nothing() : undefined;
  };
  const remove = async (request: AdminRequest) => {
    const shelf = shelfOf(request);
    await shelf.save(without(shelf.stored, key));
  };
  const isPosted = base === ANY_TOPIC && key !== "schema_compatibility_strategy";
  const isRemovable = base === ANY_TOPIC || spec.isPermanent !== true;
  return [
    route(`GET ${path}`, read),
    // Of topics all but one are set by POST.
    route(`${isPosted ? "POST" : spec.method} ${path}`, write),
    ...(isRemovable ? [route(`DELETE ${path}`, remove)] : []),
  ];
}

/** What is in force of one policy, in the form that it is set in. */
function appliedOf(key: string, policies: TopicPolicies): unknown {
  switch (key) {
    case "retention_policies":
      return {
        retentionTimeInMinutes: policies.retentionMs < 0 ? -1 : policies.retentionMs / 60_000,
        retentionSizeInMB: policies.retentionBytes < 0 ? -1 : policies.retentionBytes / MEBIBYTE,
      };
    case "message_ttl_in_seconds":
      return policies.messageTtlMs / 1000;
    case "deduplicationEnabled":
      return policies.isDeduplicating;
    case "max_producers_per_topic":
      return policies.producersMax;
    case "max_consumers_per_topic":
      return policies.consumersMax;
    case "max_consumers_per_subscription":
      return policies.subscriptionConsumersMax;
    case "max_subscriptions_per_topic":
      return policies.subscriptionsMax;
    case "compaction_threshold":
      return policies.compactionBytes;
    case "schema_validation_enforced":
      return policies.isSchemaRequired;
    case "subscription_types_enabled":
      return policies.subscriptionKinds;
    case "inactive_topic_policies":
      return {
        inactiveTopicDeleteMode: policies.inactiveMode,
        maxInactiveDurationSeconds: policies.inactiveMs / 1000,
        deleteWhileInactive: policies.isDeletingInactive,
      };
    default:
      return undefined;
  }
}

function appliedQuotas(policies: TopicPolicies): unknown {
  const quota = (limitSize: number, limitTime: number, policy: string) => ({
    limit: limitSize,
    limitSize,
    limitTime,
    policy,
  });
  const { backlogBytesMax, backlogPolicy, backlogAgeMsMax, backlogAgePolicy } = policies;
  const ageSec = backlogAgeMsMax < 0 ? -1 : backlogAgeMsMax / 1000;
  return {
    destination_storage: quota(backlogBytesMax, -1, backlogPolicy),
    message_age: quota(-1, ageSec, backlogAgePolicy),
  };
}

const QUOTA_KINDS: readonly string[] = ["destination_storage", "message_age"];

/** @throws {AdminError} 404 for another, as where a query has no such value in Pulsar */
function quotaKind(request: AdminRequest): string {
  const kind = request.url.searchParams.get("backlogQuotaType") ?? "destination_storage";
  if (QUOTA_KINDS.includes(kind)) return kind;
  throw new AdminError(
    404,
    `backlogQuotaType ${JSON.stringify(kind)} is not one of ${QUOTA_KINDS.join(", ")}`,
  );
}

/** The backlog quota is a map of two, which are set one by one. */
function quotaRoutes(base: string, shelfOf: (at: AdminRequest) => Shelf): Route[] {
  const quotasOf = ({ stored }: Shelf) => (stored[QUOTAS] ?? {}) as StoredPolicies;
  return [
    route(`GET ${base}/backlogQuotaMap`, (request) => {
      const shelf = shelfOf(request);
      const own = quotasOf(shelf);
      const isApplied = request.url.searchParams.get("applied") === "true";
      return isApplied ? { ...appliedQuotas(shelf.applied) as object, ...own } : own;
    }),
    route(`POST ${base}/backlogQuota`, async (request) => {
      const shelf = shelfOf(request);
      const quota = backlogQuota(await request.json(), shelf.place);
      const quotas = { ...quotasOf(shelf), [quotaKind(request)]: quota };
      const changed = { ...shelf.stored, [QUOTAS]: quotas };
      assertQuotaFits(changed);
      await shelf.save(changed);
    }),
    route(`DELETE ${base}/backlogQuota`, async (request) => {
      const shelf = shelfOf(request);
      const quotas = without(quotasOf(shelf), quotaKind(request));
      const isEmpty = Object.keys(quotas).length === 0;
      await shelf.save(
        isEmpty ? without(shelf.stored, QUOTAS) : { ...shelf.stored, [QUOTAS]: quotas },
      );
    }),
  ];
}

function unsupportedRoutes(base: string, shelfOf: (at: AdminRequest) => Shelf): Route[] {
  return Object.entries(UNSUPPORTED_POLICIES).flatMap(([path, unset]) => {
    const refuse = async (request: AdminRequest) => {
      shelfOf(request);
      // To switch off what is not there is no lie.
      if (await request.json() !== unset) throw notSupported(`The policy ${path}`);
    };
    return [
      route(`GET ${base}/${path}`, (request) => {
        shelfOf(request);
        return quoted(unset ?? nothing());
      }),
      route(`POST ${base}/${path}`, refuse),
      route(`PUT ${base}/${path}`, refuse),
      // There is nothing to remove.
      route(`DELETE ${base}/${path}`, (request) => void shelfOf(request)),
    ];
  });
}

/** Policies of namespaces and of topics. */
export function policyAdminRoutes(broker: Broker): Route[] {
  const ofNamespace = (request: AdminRequest) => namespaceShelf(broker, request);
  const ofTopic = (request: AdminRequest) => topicShelf(broker, request);
  return [
    ...POLICIES.flatMap((spec) => [
      ...policyRoutes(spec, NAMESPACE, ofNamespace),
      ...(spec.topicPath === undefined ? [] : policyRoutes(spec, ANY_TOPIC, ofTopic)),
    ]),
    ...quotaRoutes(NAMESPACE, ofNamespace),
    ...quotaRoutes(ANY_TOPIC, ofTopic),
    ...unsupportedRoutes(NAMESPACE, ofNamespace),
    ...unsupportedRoutes(ANY_TOPIC, ofTopic),
    route(`GET ${ANY_TOPIC}/maxMessageSize`, (request) => void ofTopic(request)),
    route(`POST ${ANY_TOPIC}/maxMessageSize`, () => {
      throw notSupported("The policy maxMessageSize");
    }),
  ];
}
