-- One row per source and window, as the aggregator closes it. A window of a topic whose sources are not kept to one partition is several rows: add the counts,
-- and average by sum(x_avg * x_count) / sum(x_count). An average, minimum or maximum of nothing is nan.
--
-- ORDER BY begins as a batch is named (run, partition, window), so that counting a batch's rows reads its granules only.
-- The three settings make a retried insert safe: tokens of the last 10,000 inserts are remembered, and an insert is answered when it is on the disk.
CREATE TABLE IF NOT EXISTS sensor_1m
(
    window_start         DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    window_end           DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    event_source_id      String CODEC(ZSTD(1)),
    message_count        UInt64,
    identity_sum         UInt64,
    temperature_c_count  UInt64,
    temperature_c_avg    Float64,
    temperature_c_min    Float64,
    temperature_c_max    Float64,
    humidity_pct_count   UInt64,
    humidity_pct_avg     Float64,
    humidity_pct_min     Float64,
    humidity_pct_max     Float64,
    pressure_hpa_count   UInt64,
    pressure_hpa_avg     Float64,
    pressure_hpa_min     Float64,
    pressure_hpa_max     Float64,
    vibration_mm_s_count UInt64,
    vibration_mm_s_avg   Float64,
    vibration_mm_s_min   Float64,
    vibration_mm_s_max   Float64,
    power_w_count        UInt64,
    power_w_avg          Float64,
    power_w_min          Float64,
    power_w_max          Float64,
    anomaly_count        UInt64,
    error_count          UInt64,
    first_event_time     DateTime64(3, 'UTC'),
    last_event_time      DateTime64(3, 'UTC'),
    min_sequence         UInt64,
    max_sequence         UInt64,
    partition            UInt32,
    run_id               LowCardinality(String),
    batch_id             LowCardinality(String),
    emitted_at           DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (run_id, partition, window_start, event_source_id)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1
