import { AdminError } from "./admin_error.ts";
import {
  atLeastZero,
  autoSubscriptionCreation,
  autoTopicCreation,
  compatibility,
  flag,
  inactiveTopics,
  persistence,
  retention,
  subscriptionKinds,
} from "./policy_values.ts";
import type { ParsePolicy } from "./policy_values.ts";
import type { BacklogPolicy, InactiveTopicMode, TopicPolicies } from "./topic_policies.ts";

/** The policies of a namespace or a topic as they were set, by the names of Pulsar's `Policies`. */
export type StoredPolicies = Readonly<Record<string, unknown>>;

/** One policy that can be read and set by a path of its own. */
export interface PolicySpec {
  /** Below the namespace's path. */
  readonly path: string;
  /** Below a topic's path, where topics have it. */
  readonly topicPath?: string;
  /** In {@link StoredPolicies}. */
  readonly key: string;
  readonly method: "POST" | "PUT";
  /** Answered where it is not set; undefined for an empty answer. */
  readonly unset?: unknown;
  /** Pulsar has no DELETE for it. */
  readonly isPermanent?: boolean;
  readonly parse: ParsePolicy;
}

/** A policy that goes by the same name everywhere, with a number that is not below zero. */
function bound(path: string, key: string, topicPath?: string, unset?: unknown): PolicySpec {
  const parse = atLeastZero(`${path} must be 0 or more`);
  const topic = topicPath === undefined ? {} : { topicPath };
  return { path, key, method: "POST", parse, ...topic, ...(unset === undefined ? {} : { unset }) };
}

/** What can be set, and what of it has an effect: all but the last block, which a broker alone on its machine has no use for. */
export const POLICIES: readonly PolicySpec[] = [
  {
    path: "retention",
    topicPath: "retention",
    key: "retention_policies",
    method: "POST",
    parse: retention,
  },
  {
    path: "messageTTL",
    topicPath: "messageTTL",
    key: "message_ttl_in_seconds",
    method: "POST",
    parse: atLeastZero("Invalid value for message TTL, message TTL must >= 0"),
  },
  {
    path: "subscriptionExpirationTime",
    key: "subscription_expiration_time_minutes",
    method: "POST",
    parse: atLeastZero("Invalid value for subscription expiration time"),
  },
  {
    path: "deduplication",
    topicPath: "deduplicationEnabled",
    key: "deduplicationEnabled",
    method: "POST",
    parse: flag,
  },
  {
    path: "autoTopicCreation",
    key: "autoTopicCreationOverride",
    method: "POST",
    parse: autoTopicCreation,
  },
  {
    path: "autoSubscriptionCreation",
    key: "autoSubscriptionCreationOverride",
    method: "POST",
    parse: autoSubscriptionCreation,
  },
  bound("maxProducersPerTopic", "max_producers_per_topic", "maxProducers"),
  bound("maxConsumersPerTopic", "max_consumers_per_topic", "maxConsumers"),
  bound(
    "maxConsumersPerSubscription",
    "max_consumers_per_subscription",
    "maxConsumersPerSubscription",
  ),
  bound("maxSubscriptionsPerTopic", "max_subscriptions_per_topic", "maxSubscriptionsPerTopic"),
  bound(
    "maxUnackedMessagesPerConsumer",
    "max_unacked_messages_per_consumer",
    "maxUnackedMessagesOnConsumer",
  ),
  bound(
    "maxUnackedMessagesPerSubscription",
    "max_unacked_messages_per_subscription",
    "maxUnackedMessagesOnSubscription",
  ),
  bound("maxTopicsPerNamespace", "max_topics_per_namespace", undefined, 0),
  {
    path: "compactionThreshold",
    topicPath: "compactionThreshold",
    key: "compaction_threshold",
    method: "PUT",
    parse: atLeastZero(
      "Invalid value for compaction threshold, compaction threshold must be >= 0",
      "long",
    ),
  },
  {
    path: "schemaCompatibilityStrategy",
    topicPath: "schemaCompatibilityStrategy",
    key: "schema_compatibility_strategy",
    method: "PUT",
    unset: "UNDEFINED",
    isPermanent: true,
    parse: compatibility,
  },
  {
    path: "isAllowAutoUpdateSchema",
    key: "is_allow_auto_update_schema",
    method: "POST",
    unset: true,
    isPermanent: true,
    parse: flag,
  },
  {
    path: "schemaValidationEnforced",
    topicPath: "schemaValidationEnforced",
    key: "schema_validation_enforced",
    method: "POST",
    unset: false,
    isPermanent: true,
    parse: flag,
  },
  {
    path: "subscriptionTypesEnabled",
    topicPath: "subscriptionTypesEnabled",
    key: "subscription_types_enabled",
    method: "POST",
    unset: [],
    parse: subscriptionKinds,
  },
  {
    path: "inactiveTopicPolicies",
    topicPath: "inactiveTopicPolicies",
    key: "inactive_topic_policies",
    method: "POST",
    parse: inactiveTopics,
  },
  {
    path: "persistence",
    topicPath: "persistence",
    key: "persistence",
    method: "POST",
    parse: persistence,
  },
  {
    path: "deduplicationSnapshotInterval",
    topicPath: "deduplicationSnapshotInterval",
    key: "deduplicationSnapshotIntervalSeconds",
    method: "POST",
    parse: atLeastZero("interval must be greater than or equal to 0"),
  },
  {
    path: "replication",
    key: "replication_clusters",
    method: "POST",
    unset: ["standalone"],
    isPermanent: true,
    parse: ownClusterOnly,
  },
];

/** What Pulsar can do and this broker cannot: they read as not set, and setting them is refused rather than forgotten. */
export const UNSUPPORTED_POLICIES: Readonly<Record<string, unknown>> = {
  dispatchRate: undefined,
  subscriptionDispatchRate: undefined,
  subscribeRate: undefined,
  replicatorDispatchRate: undefined,
  publishRate: undefined,
  delayedDelivery: undefined,
  offloadPolicies: undefined,
  offloadThreshold: -1,
  offloadThresholdInSeconds: -1,
  offloadDeletionLagMs: undefined,
  antiAffinity: undefined,
  resourcegroup: undefined,
  entryFilters: undefined,
  encryptionRequired: false,
  subscriptionAuthMode: "None",
  allowedClusters: [],
  dispatcherPauseOnAckStatePersistent: false,
};

function ownClusterOnly(body: unknown): unknown {
  if (Array.isArray(body) && body.every((cluster) => cluster === "standalone")) return body;
  throw new AdminError(
    403,
    "Cluster does not exist, or replication is not supported by this broker",
  );
}

const MEBIBYTE = 1024 * 1024;

interface Quota {
  readonly limitSize: number;
  readonly limitTime: number;
  readonly policy: BacklogPolicy;
}

type Effective = { -readonly [Key in keyof TopicPolicies]?: TopicPolicies[Key] };

/** What each stored policy means for topics. */
const EFFECTS: Readonly<Record<string, (value: never, into: Effective) => void>> = {
  retention_policies: (
    value: { retentionTimeInMinutes: number; retentionSizeInMB: number },
    into,
  ) => {
    const { retentionTimeInMinutes: minutes, retentionSizeInMB: mebibytes } = value;
    into.retentionMs = minutes < 0 ? -1 : minutes * 60_000;
    into.retentionBytes = mebibytes < 0 ? -1 : mebibytes * MEBIBYTE;
  },
  backlog_quota_map: (value: Record<string, Quota | undefined>, into) => {
    const { destination_storage: bySize, message_age: byAge } = value;
    if (bySize !== undefined) {
      into.backlogBytesMax = bySize.limitSize;
      into.backlogPolicy = bySize.policy;
    }
    if (byAge !== undefined) {
      into.backlogAgeMsMax = byAge.limitTime <= 0 ? -1 : byAge.limitTime * 1000;
      into.backlogAgePolicy = byAge.policy;
    }
  },
  message_ttl_in_seconds: (value: number, into) => into.messageTtlMs = value * 1000,
  subscription_expiration_time_minutes: (value: number, into) =>
    into.subscriptionExpirationMs = value * 60_000,
  deduplicationEnabled: (value: boolean, into) => into.isDeduplicating = value,
  autoTopicCreationOverride: (
    value: { allowAutoTopicCreation: boolean; defaultNumPartitions?: number },
    into,
  ) => {
    into.isAutoCreating = value.allowAutoTopicCreation;
    into.autoPartitions = value.defaultNumPartitions ?? 0;
  },
  autoSubscriptionCreationOverride: (value: { allowAutoSubscriptionCreation: boolean }, into) =>
    into.isAutoSubscribing = value.allowAutoSubscriptionCreation,
  max_producers_per_topic: (value: number, into) => into.producersMax = value,
  max_consumers_per_topic: (value: number, into) => into.consumersMax = value,
  max_consumers_per_subscription: (value: number, into) => into.subscriptionConsumersMax = value,
  max_subscriptions_per_topic: (value: number, into) => into.subscriptionsMax = value,
  max_topics_per_namespace: (value: number, into) => into.topicsMax = value,
  max_unacked_messages_per_consumer: (value: number, into) => into.consumerUnackedMax = value,
  max_unacked_messages_per_subscription: (value: number, into) =>
    into.subscriptionUnackedMax = value,
  inactive_topic_policies: (
    value: {
      inactiveTopicDeleteMode?: InactiveTopicMode;
      maxInactiveDurationSeconds: number;
      deleteWhileInactive: boolean;
    },
    into,
  ) => {
    into.isDeletingInactive = value.deleteWhileInactive;
    into.inactiveMode = value.inactiveTopicDeleteMode;
    into.inactiveMs = value.maxInactiveDurationSeconds * 1000;
  },
  compaction_threshold: (value: number, into) => into.compactionBytes = value,
  is_allow_auto_update_schema: (value: boolean, into) => into.isSchemaAutoUpdating = value,
  schema_validation_enforced: (value: boolean, into) => into.isSchemaRequired = value,
  subscription_types_enabled: (value: string[], into) => into.subscriptionKinds = value,
};

/** What stored policies mean for topics; only what they say. */
export function effectivePolicies(stored: StoredPolicies): Effective {
  const effective: Effective = {};
  for (const [key, value] of Object.entries(stored)) {
    (EFFECTS[key] as ((value: unknown, into: Effective) => void) | undefined)?.(value, effective);
  }
  return effective;
}

/**
 * Whether a quota for the backlog fits what is retained: data that is kept anyway must not hold producers back.
 *
 * @throws {AdminError} 412 where it does not
 */
export function assertQuotaFits(stored: StoredPolicies): void {
  const { retentionBytes, retentionMs } = effectivePolicies(stored);
  const { backlogBytesMax } = effectivePolicies(stored);
  if (retentionBytes === undefined || backlogBytesMax === undefined) return;
  if ((retentionBytes === 0 && retentionMs === 0) || retentionBytes < 0) return;
  if (backlogBytesMax >= 0 && backlogBytesMax < retentionBytes) return;
  throw new AdminError(412, "Retention Quota must exceed configured backlog quota for namespace.");
}
