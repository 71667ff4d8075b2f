/** What a topic keeps or refuses; sizes in bytes, times in ms, −1 for no bound. */
export interface TopicPolicies {
  /** Acknowledged data is kept up to this size; 0 keeps none. */
  readonly retentionBytes: number;
  /** Acknowledged data is kept for this long; 0 keeps none. */
  readonly retentionMs: number;
  /** Data that some subscription has not acknowledged may take this much. */
  readonly backlogBytesMax: number;
  /** Over that: `producer_request_hold` and `producer_exception` close the producers and refuse new ones, to wait or to give up. */
  readonly backlogPolicy: BacklogPolicy;
  /** The oldest message that some subscription has not acknowledged may be this old. */
  readonly backlogAgeMsMax: number;
  /** What happens above that. */
  readonly backlogAgePolicy: BacklogPolicy;
  readonly isDeduplicating: boolean;
  /** Messages count as acknowledged by everybody after this time; 0 for never. */
  readonly messageTtlMs: number;
  /** A subscription that nobody has used for this long is removed; 0 for never. */
  readonly subscriptionExpirationMs: number;
  /** Producers at a time; 0 for no bound. */
  readonly producersMax: number;
  /** Consumers of all subscriptions together; 0 for no bound. */
  readonly consumersMax: number;
  /** Consumers of one subscription; 0 for no bound. */
  readonly subscriptionConsumersMax: number;
  /** 0 for no bound. */
  readonly subscriptionsMax: number;
  /** Of a namespace, partitions counted one by one; 0 for no bound. */
  readonly topicsMax: number;
  /** Messages that a consumer of a shared subscription may hold; undefined where the broker decides, 0 for no bound. */
  readonly consumerUnackedMax?: number | undefined;
  /** The same of all consumers of a subscription together. */
  readonly subscriptionUnackedMax?: number | undefined;
  /** Whether a topic comes into being when a client asks for it. */
  readonly isAutoCreating: boolean;
  /** Partitions of such a topic; 0 for one without partitions. */
  readonly autoPartitions: number;
  /** Whether a subscription comes into being when a consumer asks for it. */
  readonly isAutoSubscribing: boolean;
  /** Kinds of subscription that may be used; empty for all. */
  readonly subscriptionKinds: readonly string[];
  /** Whether producers may bring a new version of the schema. */
  readonly isSchemaAutoUpdating: boolean;
  /** Whether producers without a schema are refused on a topic that has one. */
  readonly isSchemaRequired: boolean;
  /** A topic is compacted by itself when its backlog for that is larger; 0 for never. */
  readonly compactionBytes: number;
  /** Whether a topic goes that nobody uses. */
  readonly isDeletingInactive: boolean;
  /** What counts as nobody; undefined for a mode that was not known, with which nothing goes. */
  readonly inactiveMode?: InactiveTopicMode | undefined;
  /** For how long nobody must have used it. */
  readonly inactiveMs: number;
}

/** When a topic counts as unused, by Pulsar's names: also without producers and connected consumers in both cases. */
export const INACTIVE_TOPIC_MODES = [
  "delete_when_no_subscriptions",
  "delete_when_subscriptions_caught_up",
] as const;
/** One of {@link INACTIVE_TOPIC_MODES}. */
export type InactiveTopicMode = (typeof INACTIVE_TOPIC_MODES)[number];

/** What happens over the backlog quota, by Pulsar's names. */
export type BacklogPolicy =
  | "producer_request_hold"
  | "producer_exception"
  | "consumer_backlog_eviction";

/** What a topic keeps and refuses where nobody said anything; deduplication apart, as Pulsar's standalone. */
export const DEFAULT_POLICIES: TopicPolicies = {
  retentionBytes: 0,
  retentionMs: 0,
  backlogBytesMax: -1,
  backlogPolicy: "producer_request_hold",
  backlogAgeMsMax: -1,
  backlogAgePolicy: "producer_request_hold",
  isDeduplicating: true,
  messageTtlMs: 0,
  subscriptionExpirationMs: 0,
  producersMax: 0,
  consumersMax: 0,
  subscriptionConsumersMax: 0,
  subscriptionsMax: 0,
  topicsMax: 0,
  isAutoCreating: true,
  autoPartitions: 0,
  isAutoSubscribing: true,
  subscriptionKinds: [],
  isSchemaAutoUpdating: true,
  isSchemaRequired: false,
  compactionBytes: 0,
  isDeletingInactive: false,
  inactiveMode: "delete_when_no_subscriptions",
  inactiveMs: 60_000,
};
