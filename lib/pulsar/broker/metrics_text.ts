import type { Broker } from "./broker.ts";
import type { Topic } from "./topic.ts";

/** What the process itself uses. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtMs: number;
}

const CLUSTER = "standalone";

type Samples = readonly (readonly [labels: string, value: number])[];

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function block(name: string, kind: "counter" | "gauge", samples: Samples): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}`);
  return `# TYPE ${name} ${kind}\n${lines.join("\n")}\n`;
}

type TopicMetric = readonly [name: string, kind: "counter" | "gauge", of: (topic: Topic) => number];

const backlog = (topic: Topic) =>
  [...topic.subscriptions.values()].reduce((sum, one) => sum + one.backlog().entries, 0);

/** Pulsar's own names, so that dashboards made for it work. */
const TOPIC_METRICS: readonly TopicMetric[] = [
  ["pulsar_subscriptions_count", "gauge", (topic) => topic.subscriptions.size],
  ["pulsar_producers_count", "gauge", (topic) => topic.producers.size],
  [
    "pulsar_consumers_count",
    "gauge",
    (topic) => [...topic.subscriptions.values()].reduce((n, one) => n + one.consumers.length, 0),
  ],
  ["pulsar_rate_in", "gauge", (topic) => topic.rates.messagesInPerSec],
  ["pulsar_rate_out", "gauge", (topic) => topic.rates.messagesOutPerSec],
  ["pulsar_throughput_in", "gauge", (topic) => topic.rates.bytesInPerSec],
  ["pulsar_throughput_out", "gauge", (topic) => topic.rates.bytesOutPerSec],
  ["pulsar_storage_size", "gauge", (topic) => topic.log.sizeBytes],
  ["pulsar_storage_backlog_size", "gauge", (topic) => topic.backlogBytes()],
  ["pulsar_msg_backlog", "gauge", backlog],
  ["pulsar_in_messages_total", "counter", (topic) => topic.messagesIn],
  ["pulsar_in_bytes_total", "counter", (topic) => topic.bytesIn],
  ["pulsar_out_messages_total", "counter", (topic) => topic.messagesOut],
  ["pulsar_out_bytes_total", "counter", (topic) => topic.bytesOut],
];

function topicLabels(topic: Topic): string {
  const { namespace, full } = topic.name;
  return `cluster="${CLUSTER}",namespace="${escapeLabel(namespace)}",topic="${escapeLabel(full)}"`;
}

function subscriptionBlocks(topics: readonly Topic[]): string {
  const samples = (of: (topic: Topic, name: string) => number): Samples =>
    topics.flatMap((topic) =>
      [...topic.subscriptions.keys()].map((name) =>
        [`{${topicLabels(topic)},subscription="${escapeLabel(name)}"}`, of(topic, name)] as const
      )
    );
  return block(
    "pulsar_subscription_back_log",
    "gauge",
    samples((topic, name) => topic.subscriptions.get(name)!.backlog().entries),
  ) + block(
    "pulsar_subscription_consumers_count",
    "gauge",
    samples((topic, name) => topic.subscriptions.get(name)!.consumers.length),
  ) + block(
    "weir_subscription_read_failed",
    "gauge",
    samples((topic, name) => topic.subscriptions.get(name)!.readError === undefined ? 0 : 1),
  );
}

/** The text that Prometheus scrapes (exposition format 0.0.4). */
export function metricsText(broker: Broker, figures: ProcessFigures): string {
  const topics = [...broker.topics.values()];
  const cluster = `{cluster="${CLUSTER}"}`;
  const { connections, connectionsCreated, catalog, shared } = broker;
  return [
    block("process_cpu_seconds_total", "counter", [["", figures.cpuSeconds]]),
    block("process_resident_memory_bytes", "gauge", [["", figures.residentBytes]]),
    block("process_start_time_seconds", "gauge", [["", figures.startedAtMs / 1000]]),
    block("pulsar_topics_count", "gauge", [[cluster, catalog.topicCount]]),
    block("pulsar_active_connections", "gauge", [[cluster, connections.size]]),
    block("pulsar_connection_created_total_count", "counter", [[cluster, connectionsCreated]]),
    block("weir_broker_slab_bytes", "gauge", [[cluster, shared.pool.bytesInUse]]),
    ...TOPIC_METRICS.map(([name, kind, of]) =>
      block(name, kind, topics.map((topic) => [`{${topicLabels(topic)}}`, of(topic)] as const))
    ),
    subscriptionBlocks(topics),
  ].join("");
}
