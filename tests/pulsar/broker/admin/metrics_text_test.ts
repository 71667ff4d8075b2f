import assert from "node:assert/strict";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";

/** Names that a real 4.2.4 exposes for topics, subscriptions, connections and the broker, and Pulsar's Grafana dashboards ask for. */
const NAMES = [
  "pulsar_topics_count",
  "pulsar_subscriptions_count",
  "pulsar_producers_count",
  "pulsar_consumers_count",
  "pulsar_rate_in",
  "pulsar_rate_out",
  "pulsar_throughput_in",
  "pulsar_throughput_out",
  "pulsar_in_messages_total",
  "pulsar_in_bytes_total",
  "pulsar_out_messages_total",
  "pulsar_out_bytes_total",
  "pulsar_average_msg_size",
  "pulsar_storage_size",
  "pulsar_storage_logical_size",
  "pulsar_storage_backlog_size",
  "pulsar_storage_offloaded_size",
  "pulsar_storage_backlog_quota_limit",
  "pulsar_storage_backlog_quota_limit_time",
  "pulsar_storage_write_rate",
  "pulsar_msg_backlog",
  "pulsar_entry_size_count",
  "pulsar_entry_size_sum",
  "pulsar_entry_size_le_128",
  "pulsar_entry_size_le_overflow",
  "pulsar_storage_write_latency_count",
  "pulsar_storage_write_latency_sum",
  "pulsar_storage_write_latency_le_0_5",
  "pulsar_storage_write_latency_le_1000",
  "pulsar_storage_write_latency_overflow",
  "pulsar_storage_backlog_age_seconds",
  "pulsar_publish_rate_limit_times",
  "pulsar_subscription_last_acked_timestamp",
  "pulsar_subscription_last_consumed_flow_timestamp",
  "pulsar_subscription_last_consumed_timestamp",
  "pulsar_subscription_last_mark_delete_advanced_timestamp",
  "pulsar_subscription_msg_rate_expired",
  "pulsar_subscription_msg_drop_rate",
  "pulsar_subscription_filter_processed_msg_count",
  "pulsar_subscription_filter_accepted_msg_count",
  "pulsar_subscription_filter_rejected_msg_count",
  "pulsar_subscription_filter_rescheduled_msg_count",
  "pulsar_subscription_back_log",
  "pulsar_subscription_back_log_no_delayed",
  "pulsar_subscription_delayed",
  "pulsar_subscription_in_replay",
  "pulsar_subscription_unacked_messages",
  "pulsar_subscription_blocked_on_unacked_messages",
  "pulsar_subscription_consumers_count",
  "pulsar_subscription_msg_rate_out",
  "pulsar_subscription_msg_throughput_out",
  "pulsar_subscription_msg_rate_redeliver",
  "pulsar_subscription_msg_ack_rate",
  "pulsar_subscription_total_msg_expired",
  "pulsar_subscription_last_expire_timestamp",
  "pulsar_consumer_available_permits",
  "pulsar_broker_topics_count",
  "pulsar_broker_subscriptions_count",
  "pulsar_broker_producers_count",
  "pulsar_broker_consumers_count",
  "pulsar_broker_rate_in",
  "pulsar_broker_throughput_out",
  "pulsar_broker_storage_size",
  "pulsar_broker_msg_backlog",
  "pulsar_active_connections",
  "pulsar_connection_created_total_count",
  "pulsar_connection_closed_total_count",
  "pulsar_connection_create_success_count",
  "pulsar_connection_create_fail_count",
  "pulsar_version_info",
  "pulsar_health",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
];

Deno.test("/metrics has Pulsar's names, labels and values", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("t"));
  await client.subscribe(topicNamed("t"), { consumerName: 'a "quoted"\nname' });
  for (let i = 0; i < 3; i++) await client.publish(i, "x".repeat(200));
  const text = await (await fetch(broker.metricsUrl)).text();
  const lines = text.split("\n");
  for (const name of NAMES) {
    const samples = lines.filter((line) =>
      line.startsWith(`${name}{`) || line.startsWith(`${name} `)
    );
    assert.ok(samples.length > 0, `${name} is missing`);
    assert.equal(lines.filter((line) => line.startsWith(`# TYPE ${name} `)).length, 1, name);
  }
  const at =
    'cluster="standalone",namespace="public/default",topic="persistent://public/default/t"';
  const own = [
    `pulsar_in_messages_total{${at}} 3`,
    `pulsar_msg_backlog{${at}} 3`,
    `pulsar_storage_write_latency_count{${at}} 3`,
    `pulsar_entry_size_le_512{${at}} 3`,
    `pulsar_subscription_back_log{${at},subscription="sub"} 3`,
    `pulsar_consumer_available_permits{${at},subscription="sub",consumer_name="a \\"quoted\\"\\nname",consumer_id="0"} 0`,
    'pulsar_topics_count{cluster="standalone",namespace="public/default"} 1',
    'pulsar_broker_producers_count{cluster="standalone"} 1',
  ];
  for (const line of own) assert.ok(lines.includes(line), line);
  const written = lines.filter((line) => /^pulsar_storage_write_latency_(le_|over)/.test(line));
  assert.equal(written.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0), 3);
  // Exposition format 0.0.4: every line is a comment or a sample.
  const sample = /^[a-z_\d]+(\{([a-z_]+="(\\.|[^"\\])*",?)*\})? -?[\d.e+]+$/i;
  for (const line of lines.filter((one) => one !== "" && !one.startsWith("# "))) {
    assert.match(line, sample);
  }
});
