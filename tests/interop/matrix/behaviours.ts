/**
 * The rows of the matrix: each behaviour of Pulsar once, as data. What a row must show is the same for every client
 * and every broker; each driver of `../drivers/` has one function a row.
 *
 * @module
 */

/** What a broker must be like for a behaviour. */
export type Setup = "plain" | "secured";

/** One row. */
export interface Behaviour {
  /** The name by which drivers know it. */
  readonly id: string;
  readonly group: string;
  /** What must be seen, as a statement that is true or not. */
  readonly shows: string;
  /** "secured": tokens are asked for, and TLS is spoken on a second port. */
  readonly setup: Setup;
  /** Nothing else may run beside it: it takes the broker down. */
  readonly isAlone: boolean;
}

type Row = readonly [id: string, shows: string, mark?: "secured" | "alone"];

const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  "Messages": [
    ["single", "messages sent one by one arrive once, in order, whole"],
    ["metadata", "key, ordering key, properties, event time, producer name and sequence id arrive"],
    ["empty_message", "an empty payload arrives as one"],
    ["large_message", "a message of 5,000,000 bytes arrives whole"],
    ["too_large_refused", "a message over the maximum is refused, and the next one goes through"],
    ["message_id", "the id of the receipt is the id received, also after it was written down"],
    ["batch_none", "100 messages in batches arrive in order, without compression"],
    ["batch_lz4", "… with LZ4"],
    ["batch_zlib", "… with ZLIB"],
    ["batch_zstd", "… with ZSTD"],
    ["batch_snappy", "… with SNAPPY"],
    ["batch_by_key", "key-based batches: each batch holds one key"],
    ["chunking", "a message of 12 MB goes out in chunks and arrives whole, between its neighbours"],
  ],
  "Topics": [
    ["partitioned_by_key", "messages of one key share a partition and keep their order"],
    ["round_robin", "messages without key reach every partition"],
    ["key_hash_java", "keys go to the partitions that Java's string hash says"],
    ["key_hash_murmur3", "keys go to the partitions that Murmur3 says"],
    ["custom_router", "a router of the application chooses the partition"],
    ["non_persistent", "a non-persistent topic delivers to who listens, and keeps nothing"],
    ["multi_topic", "one subscription on several topics gets the messages of all"],
    ["pattern", "a subscription by pattern gets the topics there are, and finds a new one"],
    ["topic_listing", "the partitions of a topic are listed; a plain topic has none"],
    ["partition_growth", "a running producer and consumer notice new partitions"],
    ["missing_namespace", "a topic in a namespace that is not there is refused"],
  ],
  "Subscriptions": [
    ["exclusive", "a second consumer is refused as long as the first one is there"],
    [
      "failover_by_name",
      "partition n is the n-th name's; when that consumer goes the next takes over, nothing lost",
    ],
    ["failover_by_ring", "without partitions one consumer is active, the same with every broker"],
    ["failover_by_priority", "the priority decides before the name who is active"],
    ["shared", "messages are spread over the consumers, each delivered once"],
    ["shared_priority", "consumers of the best priority are served first while they take messages"],
    ["key_shared", "each key has one consumer, and both consumers get keys"],
    ["key_shared_order", "the order per key holds while consumers come and go, nothing lost"],
    ["key_shared_sticky", "fixed hash ranges are served as declared; an overlap is refused"],
    ["initial_position", "earliest gets what was there before, latest does not"],
    ["consumer_properties", "name and properties of a consumer are in the stats of the topic"],
    ["unsubscribe", "the subscription is gone, and starts anew when it is made again"],
  ],
  "Receiving": [
    ["batch_receive", "several messages are taken in one call"],
    ["listener", "a listener is called for each message"],
    ["small_queue", "a receiver queue of one gets everything all the same"],
    ["zero_queue", "a receiver queue of none takes a message only when it is asked for"],
  ],
  "Acknowledgement": [
    ["ack_individual", "what was acknowledged does not come again, all else does"],
    ["ack_cumulative", "everything up to the acknowledged message is done with"],
    ["ack_batch_index", "single messages of a batch are acknowledged"],
    ["ack_cumulative_in_batch", "a cumulative acknowledgement holds inside a batch"],
    ["ack_receipt", "the broker confirms an acknowledgement"],
    ["negative_ack", "a message that is refused comes again, its redelivery count one higher"],
    ["ack_timeout", "a message that is not acknowledged in time comes again"],
    ["redeliver_all", "everything unacknowledged comes again when that is asked for"],
    [
      "reconnect_redelivery",
      "what a consumer that left had not acknowledged goes to the other one",
    ],
    ["dead_letter", "after the last try a message goes to the dead-letter topic"],
    ["retry_topic", "a message to be tried later goes through the retry topic and comes again"],
  ],
  "Time": [
    ["deliver_after", "a delayed message arrives when its delay is over, others before it"],
    ["deliver_at", "a message for a given time arrives at that time"],
    ["seek_by_id", "delivery goes on behind the message that was sought"],
    ["seek_by_id_inclusive", "… or with it, when that is asked for"],
    ["seek_by_time", "delivery goes on with the first message published at that time"],
    ["seek_ends", "earliest replays everything, latest skips it"],
  ],
  "Readers and views": [
    ["reader", "a reader from the earliest on gets everything, without a subscription that stays"],
    ["reader_from_id", "a reader starts behind an id, or with it"],
    ["reader_latest", "a reader from the latest on gets only what comes after it"],
    ["has_message_available", "true before the last message, false behind it, true after the next"],
    ["last_message_id", "the last id is that of the last message; an empty topic says so"],
    ["table_view", "a table view holds the newest value of each key, and follows"],
  ],
  "Schemas": [
    ["schema_string", "STRING"],
    ["schema_json", "JSON"],
    ["schema_avro", "AVRO"],
    ["schema_numbers", "INT8, INT16, INT32, INT64, FLOAT, DOUBLE, BOOLEAN"],
    ["schema_time", "DATE, TIME, TIMESTAMP, INSTANT, LOCAL_DATE, LOCAL_TIME, LOCAL_DATE_TIME"],
    ["schema_protobuf_native", "PROTOBUF_NATIVE"],
    ["schema_key_value", "KEY_VALUE, inline and separated"],
    ["schema_incompatible", "a producer and a consumer with another type are refused"],
    [
      "schema_evolution",
      "a field with a default is added: both versions are read, each by its own",
    ],
    ["schema_auto_consume", "a consumer without schema reads by what the broker keeps"],
    ["schema_auto_produce", "bytes are checked against the schema of the topic"],
  ],
  "Producers": [
    ["producer_names", "the broker gives each producer without name one of its own"],
    ["producer_name_taken", "a name in use is refused"],
    ["sequence_ids", "numbering goes on behind the initial sequence id"],
    ["deduplication", "what is sent twice is stored once; a producer goes on at its last id"],
    ["access_exclusive", "an exclusive producer keeps others out, until it goes"],
    ["access_wait_for_exclusive", "a producer that waits gets the topic when the other one goes"],
    [
      "access_exclusive_with_fencing",
      "a fencing producer takes the topic; the one before cannot send",
    ],
    ["backlog_quota", "above the quota a producer is told so, and the backlog is not touched"],
  ],
  "Life of a topic": [
    ["termination", "a terminated topic takes no message and is read to its end"],
    ["end_of_topic", "a consumer learns that it has reached the end of a terminated topic"],
    ["compaction", "a compacted read gives the newest value of each key, without deleted ones"],
    [
      "unload",
      "an unloaded topic goes on: producer and consumer come back, nothing lost or doubled",
    ],
    ["delete_in_use", "a topic in use is not deleted; by force it is, and clients are told"],
  ],
  "Connection": [
    ["several_service_urls", "a host that is not there is passed over"],
    ["http_lookup", "the lookup over HTTP finds the topic"],
    ["transactions", "a transaction is refused where there is no coordinator"],
    [
      "broker_restart",
      "kill -9 with clients connected: they go on, no acknowledged message is lost",
      "alone",
    ],
  ],
  "Security": [
    ["token", "a token lets a client in", "secured"],
    ["wrong_token", "a forged token, or none, is refused", "secured"],
    ["rights", "a role may do what it was granted, and nothing else", "secured"],
    ["tls", "TLS with a certificate of a trusted authority", "secured"],
    ["tls_refused", "an unknown authority, or another host name, is refused", "secured"],
  ],
  "Administration": [
    ["admin_tenants", "tenants: create, list, get, delete"],
    ["admin_namespaces", "namespaces: create, list, delete; one in use is not deleted"],
    [
      "admin_policies",
      "retention, TTL, backlog quota, compatibility and deduplication: set and read",
    ],
    ["admin_topics", "topics: create, list, delete; what is there is not created again"],
    ["admin_partitioned", "partitioned topics: create, get, grow, list, delete"],
    ["admin_stats", "stats: producers, subscriptions, consumers, backlog, figures in and out"],
    ["admin_partitioned_stats", "stats of a partitioned topic, as a sum and of each partition"],
    ["admin_internal_stats", "internal stats: entries, ledgers, cursors"],
    ["admin_subscriptions", "subscriptions: create, list, delete"],
    ["admin_skip", "messages are skipped, some or all, and expire by age"],
    ["admin_reset_cursor", "a cursor is set back, by time and by id"],
    ["admin_peek", "messages are looked at without being taken"],
    ["admin_last_message_id", "last message id, termination"],
    ["admin_compaction", "compaction is started, and its state read"],
    ["admin_schemas", "schemas: post, get by version, list versions, compatibility, delete"],
    ["admin_brokers", "clusters, brokers, health, ready, version"],
    ["metrics", "the figures of a topic are on /metrics under Pulsar's names"],
  ],
};

/** All rows, in the order of the page. */
export const BEHAVIOURS: readonly Behaviour[] = Object.entries(GROUPS).flatMap(([group, rows]) =>
  rows.map(([id, shows, mark]) => ({
    id,
    group,
    shows,
    setup: mark === "secured" ? "secured" : "plain",
    isAlone: mark === "alone",
  }))
);
