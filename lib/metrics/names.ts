/**
 * Names of the figures that roles expose and that the runner, the charts and a Prometheus server read.
 * Base units as Prometheus asks for: seconds and bytes.
 */
export const METRIC = {
  /** Counter, produce: messages whose receipt has come. */
  messagesAcknowledged: "weir_messages_acknowledged_total",
  /** Counter, produce: messages handed to the producer, acknowledged or not. */
  messagesSent: "weir_messages_sent_total",
  /** Gauge, produce: the rate the schedule asks for now, in messages per second. */
  targetRate: "weir_target_rate_messages_per_second",
  /** Counter, aggregate: messages that went into windows since the process began, replays included. */
  messagesAggregated: "weir_messages_aggregated_total",
  /**
   * Gauge, aggregate: messages that the state accounts for, those restored from a checkpoint included.
   * Falls when a restarted aggregator goes back to its checkpoint; the backlog is counted from it.
   */
  messagesAccounted: "weir_messages_accounted",
  /** Counter, aggregate: messages behind the watermark that no window took. */
  messagesLate: "weir_messages_late_total",
  /** Counter, aggregate: messages seen before and dropped. */
  messagesDuplicate: "weir_messages_duplicate_total",
  /** Counter, aggregate: rows that the sink said are stored. */
  rowsInserted: "weir_rows_inserted_total",
  /** Counter, aggregate: inserts answered. */
  inserts: "weir_inserts_total",
  /** Counter, aggregate: bytes of inserts as sent. */
  insertBytes: "weir_insert_bytes_total",
  /** Counter, aggregate: seconds spent waiting for inserts. */
  insertSeconds: "weir_insert_seconds_total",
  /** Counter, aggregate: checkpoints made durable. */
  checkpoints: "weir_checkpoints_total",
  /** Counter, aggregate: bytes of checkpoints. */
  checkpointBytes: "weir_checkpoint_bytes_total",
  /** Counter, aggregate: seconds spent making checkpoints durable. */
  checkpointSeconds: "weir_checkpoint_seconds_total",
  /** Histogram, produce: intended send time to receipt. */
  publishLatency: "weir_publish_latency_seconds",
  /** Histogram, aggregate: intended send time to aggregated. */
  deliveryLatency: "weir_delivery_latency_seconds",
  /** Histogram, aggregate: watermark past the window's end to response of the insert. */
  windowVisibleLatency: "weir_window_visible_latency_seconds",
  /** Gauge, every role: the longest time the event loop was held up since the scrape before. */
  eventLoopDelayMax: "weir_event_loop_delay_seconds_max",
  /** Counter, every role: CPU time of the process, all threads, user and system. */
  processCpu: "process_cpu_seconds_total",
  /** Gauge, every role: resident memory. */
  processRss: "process_resident_memory_bytes",
  /** Gauge, every role: when the process began, seconds since 1970. */
  processStart: "process_start_time_seconds",
} as const;
