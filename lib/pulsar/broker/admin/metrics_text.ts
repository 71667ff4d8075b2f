import { backlogAgeSeconds } from "../backlog_quota.ts";
import type { Broker } from "../broker.ts";
import type { Consumer, Subscription } from "../dispatch/mod.ts";
import { ratesOf } from "../rates.ts";
import type { Counter } from "../rates.ts";
import { expiredOf } from "../expiry.ts";
import type { NonPersistentTopic } from "../non_persistent_topic.ts";
import { timesOf } from "../subscription_times.ts";
import type { Topic } from "../topic.ts";

/** What the process itself uses. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtMs: number;
  /** Files and sockets that are open; undefined where the system does not say. */
  readonly openFiles?: number | undefined;
}

const CLUSTER = 'cluster="standalone"';

type Kind = "counter" | "gauge";
type Sample = readonly [labels: string, value: number];

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function block(name: string, kind: Kind, samples: Iterable<Sample>): string {
  let text = `# TYPE ${name} ${kind}\n`;
  for (const [labels, value] of samples) {
    text += `${name}${labels === "" ? "" : `{${labels}}`} ${value}\n`;
  }
  return text;
}

/** A metric of each of many things. */
type Metric<Thing> = readonly [name: string, kind: Kind, of: (thing: Thing) => number];

function* blocksOf<Thing>(
  metrics: readonly Metric<Thing>[],
  things: readonly (readonly [labels: string, thing: Thing])[],
): Generator<string> {
  for (const [name, kind, of] of metrics) {
    yield block(name, kind, things.map(([labels, thing]) => [labels, of(thing)]));
  }
}

type AnyTopic = Topic | NonPersistentTopic;

const consumersOf = (topic: AnyTopic) => {
  let count = 0;
  for (const { consumers } of topic.subscriptions.values()) count += consumers.length;
  return count;
};
const backlogOf = (topic: Topic) => {
  let entries = 0;
  for (const one of topic.subscriptions.values()) entries += one.backlog().entries;
  return entries;
};

/** Of topics of both kinds; Pulsar's own names and labels, so that dashboards made for it work. */
const TRAFFIC_METRICS: readonly Metric<AnyTopic>[] = [
  ["pulsar_subscriptions_count", "gauge", (topic) => topic.subscriptions.size],
  ["pulsar_producers_count", "gauge", (topic) => topic.producers.size],
  ["pulsar_consumers_count", "gauge", consumersOf],
  ["pulsar_rate_in", "gauge", (topic) => ratesOf(topic).perSec.messagesIn],
  ["pulsar_rate_out", "gauge", (topic) => ratesOf(topic).perSec.messagesOut],
  ["pulsar_throughput_in", "gauge", (topic) => ratesOf(topic).perSec.bytesIn],
  ["pulsar_throughput_out", "gauge", (topic) => ratesOf(topic).perSec.bytesOut],
  ["pulsar_in_messages_total", "counter", (topic) => topic.messagesIn],
  ["pulsar_in_bytes_total", "counter", (topic) => topic.bytesIn],
  [
    "pulsar_average_msg_size",
    "gauge",
    (topic) => topic.messagesIn === 0 ? 0 : topic.bytesIn / topic.messagesIn,
  ],
];

const STORAGE_METRICS: readonly Metric<Topic>[] = [
  ["pulsar_storage_size", "gauge", (topic) => topic.log.sizeBytes],
  ["pulsar_storage_logical_size", "gauge", (topic) => topic.log.sizeBytes],
  ["pulsar_storage_backlog_size", "gauge", (topic) => topic.backlogBytes()],
  ["pulsar_storage_offloaded_size", "gauge", () => 0],
  ["pulsar_storage_backlog_quota_limit", "gauge", (topic) => topic.policies().backlogBytesMax],
  ["pulsar_storage_backlog_quota_limit_time", "gauge", (topic) => {
    const { backlogAgeMsMax } = topic.policies();
    return backlogAgeMsMax < 0 ? -1 : backlogAgeMsMax / 1000;
  }],
  ["pulsar_storage_write_rate", "gauge", (topic) => ratesOf(topic).perSec.entriesIn],
  ["pulsar_msg_backlog", "gauge", backlogOf],
  [
    "pulsar_storage_backlog_age_seconds",
    "gauge",
    (topic) => backlogAgeSeconds(topic, topic.context.clock.wallMs()),
  ],
  ["pulsar_publish_rate_limit_times", "gauge", () => 0],
  ["pulsar_storage_write_latency_count", "gauge", (topic) => topic.log.writeLatencies.count],
  ["pulsar_storage_write_latency_sum", "gauge", (topic) => topic.log.writeLatencies.sumMs],
  ["pulsar_entry_size_count", "counter", (topic) => topic.entrySizes.count],
  ["pulsar_entry_size_sum", "counter", (topic) => topic.entrySizes.sumBytes],
];

const SUBSCRIPTION_METRICS: readonly Metric<Subscription>[] = [
  ["pulsar_subscription_back_log", "gauge", (one) => one.backlog().entries],
  [
    "pulsar_subscription_back_log_no_delayed",
    "gauge",
    (one) => Math.max(0, one.backlog().entries - (one.multiple?.delayedEntries ?? 0)),
  ],
  ["pulsar_subscription_delayed", "gauge", (one) => one.multiple?.delayedEntries ?? 0],
  ["pulsar_subscription_in_replay", "gauge", (one) => one.multiple?.replaySize ?? 0],
  ["pulsar_subscription_unacked_messages", "gauge", (one) => one.multiple?.unackedMessages ?? 0],
  [
    "pulsar_subscription_blocked_on_unacked_messages",
    "gauge",
    (one) => one.multiple?.isBlocked === true ? 1 : 0,
  ],
  ["pulsar_subscription_consumers_count", "gauge", (one) => one.consumers.length],
  ["pulsar_subscription_msg_rate_out", "gauge", (one) => rateSum(one, "messagesOut")],
  ["pulsar_subscription_msg_throughput_out", "gauge", (one) => rateSum(one, "bytesOut")],
  ["pulsar_subscription_msg_rate_redeliver", "gauge", (one) => rateSum(one, "messagesRedelivered")],
  ["pulsar_subscription_msg_ack_rate", "gauge", (one) => rateSum(one, "messagesAcked")],
  ["pulsar_subscription_total_msg_expired", "counter", (one) => expiredOf(one).entries],
  ["pulsar_subscription_last_expire_timestamp", "gauge", (one) => expiredOf(one).lastAtMs],
  ["pulsar_subscription_msg_rate_expired", "gauge", (one) => timesOf(one).expiredPerSec],
  ["pulsar_subscription_last_consumed_flow_timestamp", "gauge", (one) => timesOf(one).flowMs],
  ["pulsar_subscription_last_consumed_timestamp", "gauge", (one) => timesOf(one).consumedMs],
  ["pulsar_subscription_last_acked_timestamp", "gauge", (one) => timesOf(one).ackedMs],
  [
    "pulsar_subscription_last_mark_delete_advanced_timestamp",
    "gauge",
    (one) => timesOf(one).markDeleteMs,
  ],
  // What this broker never does: entry filters, throttling, dropping.
  ["pulsar_subscription_filter_processed_msg_count", "gauge", () => 0],
  ["pulsar_subscription_filter_accepted_msg_count", "gauge", () => 0],
  ["pulsar_subscription_filter_rejected_msg_count", "gauge", () => 0],
  ["pulsar_subscription_filter_rescheduled_msg_count", "gauge", () => 0],
  ["pulsar_subscription_msg_drop_rate", "gauge", () => 0],
  ["pulsar_out_messages_total", "counter", (one) => one.messagesOut],
  ["pulsar_out_bytes_total", "counter", (one) => one.bytesOut],
  ["weir_subscription_read_failed", "gauge", (one) => one.readError === undefined ? 0 : 1],
];

function rateSum({ consumers }: { consumers: readonly Consumer[] }, name: Counter): number {
  return consumers.reduce((sum, consumer) => sum + ratesOf(consumer).perSec[name], 0);
}

/** Pulsar shows these when exposeConsumerLevelMetricsInPrometheus is set. */
const CONSUMER_METRICS: readonly Metric<Consumer>[] = [
  ["pulsar_consumer_msg_rate_out", "gauge", (one) => ratesOf(one).perSec.messagesOut],
  ["pulsar_consumer_msg_throughput_out", "gauge", (one) => ratesOf(one).perSec.bytesOut],
  ["pulsar_consumer_msg_rate_redeliver", "gauge", (one) => ratesOf(one).perSec.messagesRedelivered],
  ["pulsar_consumer_msg_ack_rate", "gauge", (one) => ratesOf(one).perSec.messagesAcked],
  ["pulsar_consumer_unacked_messages", "gauge", (one) => one.pending.messages],
  ["pulsar_consumer_blocked_on_unacked_messages", "gauge", (one) => one.isBlocked ? 1 : 0],
  ["pulsar_consumer_available_permits", "gauge", (one) => one.permits],
];

function topicLabels(topic: AnyTopic): string {
  const { namespace, full } = topic.name;
  return `${CLUSTER},namespace="${escapeLabel(namespace)}",topic="${escapeLabel(full)}"`;
}

type Buckets = readonly (readonly [name: string, count: number])[];

/** The buckets of a histogram, each a metric of its own, as Pulsar has them. */
function* bucketBlocks(
  metric: string,
  topics: readonly (readonly [string, Topic])[],
  bucketsOf: (topic: Topic) => Buckets,
): Generator<string> {
  const all = topics.map(([labels, topic]) => [labels, bucketsOf(topic)] as const);
  for (const [i, [name]] of (all[0]?.[1] ?? []).entries()) {
    const samples = all.map(([labels, buckets]): Sample => [labels, buckets[i]![1]]);
    yield block(`${metric}_${name}`, "gauge", samples);
  }
}

function* brokerBlocks(broker: Broker, figures: ProcessFigures): Generator<string> {
  const { connections, connectionsCreated, connectionsRefused, shared, parts } = broker;
  const connection = `${CLUSTER},broker="127.0.0.1",metric="broker_connection"`;
  const closed = connectionsCreated - connections.size;
  const version = `${CLUSTER},version="${escapeLabel(parts.systemName)}",commit=""`;
  const gauges: readonly (readonly [name: string, labels: string, value: number])[] = [
    ["process_resident_memory_bytes", "", figures.residentBytes],
    ["process_start_time_seconds", "", figures.startedAtMs / 1000],
    ["pulsar_version_info", version, 1],
    ["pulsar_health", `${CLUSTER},broker="127.0.0.1",metric="broker_health"`, 1],
    ["pulsar_active_connections", connection, connections.size],
    ["pulsar_broker_throttled_connections", CLUSTER, 0],
    ["weir_broker_slab_bytes", CLUSTER, shared.pool.bytesInUse],
  ];
  const counters: readonly (readonly [name: string, labels: string, value: number])[] = [
    ["process_cpu_seconds_total", "", figures.cpuSeconds],
    ["pulsar_connection_created_total_count", connection, connectionsCreated],
    ["pulsar_connection_create_success_count", connection, connectionsCreated - connectionsRefused],
    ["pulsar_connection_create_fail_count", connection, connectionsRefused],
    ["pulsar_connection_closed_total_count", connection, closed],
  ];
  for (const [name, labels, value] of gauges) yield block(name, "gauge", [[labels, value]]);
  for (const [name, labels, value] of counters) yield block(name, "counter", [[labels, value]]);
  const { openFiles } = figures;
  if (openFiles !== undefined) yield block("process_open_fds", "gauge", [["", openFiles]]);
}

/** Sums over all topics, and the number of topics of each namespace. */
function* sumBlocks(
  broker: Broker,
  topics: readonly AnyTopic[],
  logs: readonly Topic[],
): Generator<string> {
  const sum = (of: (topic: AnyTopic) => number) =>
    topics.reduce((total, topic) => total + of(topic), 0);
  const stored = (of: (topic: Topic) => number) => logs.reduce((total, one) => total + of(one), 0);
  const { catalog } = broker;
  const sums: readonly (readonly [name: string, value: number])[] = [
    ["pulsar_broker_topics_count", catalog.topicCount + broker.nonPersistentTopics.size],
    ["pulsar_broker_subscriptions_count", sum((topic) => topic.subscriptions.size)],
    ["pulsar_broker_producers_count", sum((topic) => topic.producers.size)],
    ["pulsar_broker_consumers_count", sum(consumersOf)],
    ["pulsar_broker_rate_in", sum((topic) => ratesOf(topic).perSec.messagesIn)],
    ["pulsar_broker_rate_out", sum((topic) => ratesOf(topic).perSec.messagesOut)],
    ["pulsar_broker_throughput_in", sum((topic) => ratesOf(topic).perSec.bytesIn)],
    ["pulsar_broker_throughput_out", sum((topic) => ratesOf(topic).perSec.bytesOut)],
    ["pulsar_broker_in_bytes_total", sum((topic) => topic.bytesIn)],
    ["pulsar_broker_out_bytes_total", sum((topic) => topic.bytesOut)],
    ["pulsar_broker_storage_size", stored((topic) => topic.log.sizeBytes)],
    ["pulsar_broker_storage_logical_size", stored((topic) => topic.log.sizeBytes)],
    ["pulsar_broker_storage_write_rate", stored((topic) => ratesOf(topic).perSec.entriesIn)],
    ["pulsar_broker_msg_backlog", stored(backlogOf)],
  ];
  for (const [name, value] of sums) yield block(name, "gauge", [[CLUSTER, value]]);
  const counts = catalog.namespaces().map((namespace): Sample => [
    `${CLUSTER},namespace="${escapeLabel(namespace)}"`,
    catalog.topics(namespace).length,
  ]);
  yield block("pulsar_topics_count", "gauge", counts);
}

/** The text that Prometheus scrapes (exposition format 0.0.4), in pieces, for with many topics it is long. */
export function* metricsPieces(broker: Broker, figures: ProcessFigures): Generator<string> {
  const logs = [...broker.topics.values()];
  const topics: AnyTopic[] = [...logs, ...broker.nonPersistentTopics.values()];
  yield* brokerBlocks(broker, figures);
  yield* sumBlocks(broker, topics, logs);
  yield* blocksOf(TRAFFIC_METRICS, topics.map((topic) => [topicLabels(topic), topic] as const));
  const labelled = logs.map((topic) => [topicLabels(topic), topic] as const);
  yield* blocksOf(STORAGE_METRICS, labelled);
  yield* bucketBlocks("pulsar_entry_size", labelled, ({ entrySizes }) => entrySizes.buckets());
  const latencies = ({ log }: Topic) => log.writeLatencies.buckets();
  yield* bucketBlocks("pulsar_storage_write_latency", labelled, latencies);
  const subscriptions = labelled.flatMap(([labels, topic]) =>
    [...topic.subscriptions.values()].map((one) =>
      [`${labels},subscription="${escapeLabel(one.name)}"`, one] as const
    )
  );
  yield* blocksOf(SUBSCRIPTION_METRICS, subscriptions);
  const consumers = subscriptions.flatMap(([labels, { consumers }]) =>
    consumers.map((one) =>
      [
        `${labels},consumer_name="${escapeLabel(one.name)}",consumer_id="${one.consumerId}"`,
        one,
      ] as const
    )
  );
  yield* blocksOf(CONSUMER_METRICS, consumers);
}
