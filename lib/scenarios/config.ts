/** Where a Pulsar answers. */
export interface PulsarTarget {
  /** `embedded`, or `pulsar://host:port` / `pulsar+ssl://host:port`. */
  readonly serviceUrl: string;
  /** Base of the admin REST interface, e.g. `http://host:8080`. */
  readonly adminUrl: string | undefined;
  readonly tokenFile: string | undefined;
  /** PEM file of the authorities to trust, for TLS. */
  readonly tlsCaFile: string | undefined;
}

/** Where a ClickHouse answers; the password comes from the environment only. */
export interface ClickHouseTarget {
  /** `embedded`, or `http(s)://host:port`. */
  readonly url: string;
  readonly user: string;
  readonly database: string;
  readonly table: string;
}

/** How event time is windowed. All in event-time ms. */
export interface WindowSettings {
  readonly windowMs: number;
  readonly outOfOrdernessMs: number;
  readonly allowedLatenessMs: number;
}

/** What is sent. A message is a pure function of these and its index. */
export interface LoadSettings {
  readonly rateMessagesPerSec: number;
  readonly durationMs: number;
  readonly sourceCount: number;
  readonly seed: number;
  /** Exponent of a Zipf distribution over the sources; 0 is uniform. */
  readonly skew: number;
  /** Share of messages planted so late that their window has closed. */
  readonly lateShare: number;
  /** Share of messages planted as copies of their predecessor. */
  readonly duplicateShare: number;
  /** How many times faster than the wall clock event time runs. */
  readonly timeScale: number;
}

/** Everything that decides what a run of bench50k does. */
export interface BenchConfig {
  readonly runId: string;
  readonly pulsar: PulsarTarget;
  readonly clickhouse: ClickHouseTarget;
  readonly window: WindowSettings;
  readonly load: LoadSettings;
  /** Full name, e.g. `persistent://public/default/weir-…`. */
  readonly topic: string;
  readonly subscription: string;
  readonly partitionCount: number;
  readonly aggregatorCount: number;
  readonly client: "weir";
  readonly compression: string;
  readonly batchMessagesMax: number;
  readonly batchDelayMs: number;
  readonly batchRowsMax: number;
  readonly checkpointIntervalMs: number;
  /** Wall time after which an idle partition follows the others' watermark; undefined for never. */
  readonly idleAfterMs?: number | undefined;
  /** As typed, e.g. `windowVisible.p99<1s`. */
  readonly thresholds: readonly string[];
  /** As typed, e.g. `drop:sensor-00007:42`: faults in the aggregator that the verdict must find. */
  readonly plants: readonly string[];
  /** Keep the broker's data and the topic at the end. */
  readonly keep: boolean;
}

/** Whether a URL asks for the part that weir brings itself. */
export function isEmbedded(url: string): boolean {
  return url === "embedded";
}

/** Messages that the load plans in all. */
export function plannedMessageCount(load: LoadSettings): number {
  return Math.round(load.rateMessagesPerSec * load.durationMs / 1000);
}
