import { parseStages, Schedule } from "../load/mod.ts";

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

/** Who decides when the next batch goes out: the schedule alone, or the receipt of the one before as well. */
export const LOOPS = ["open", "closed"] as const;
/** See {@link LOOPS}. */
export type Loop = typeof LOOPS[number];

/** Which client speaks to Pulsar: weir's own, or npm:pulsar-client, the official one. */
export const CLIENTS = ["weir", "native"] as const;
/** See {@link CLIENTS}. */
export type ClientName = typeof CLIENTS[number];

/** Protections that may be switched off, to see what they are good for. */
export const UNSAFE = ["no-token"] as const;
/**
 * `no-token`: each attempt to insert a batch carries a token of its own, and after a restart nobody counts what is stored before inserting again.
 */
export type Unsafe = typeof UNSAFE[number];

/** What is sent. A message is a pure function of these and its index. */
export interface LoadSettings {
  /** The highest, where there are stages. */
  readonly rateMessagesPerSec: number;
  readonly durationMs: number;
  /** Of rates in time, as typed: `ramp 0 to 50k for 30s, constant 50k for 3m`; null is one of constant rate. */
  readonly stages: string | null;
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
  /** Of the scenario, e.g. `bench50k`. */
  readonly name: string;
  readonly pulsar: PulsarTarget;
  readonly clickhouse: ClickHouseTarget;
  readonly window: WindowSettings;
  readonly load: LoadSettings;
  /** Full name, e.g. `persistent://public/default/weir-…`. */
  readonly topic: string;
  readonly subscription: string;
  readonly partitionCount: number;
  readonly aggregatorCount: number;
  readonly client: ClientName;
  readonly compression: string;
  readonly batchMessagesMax: number;
  readonly batchDelayMs: number;
  readonly loop: Loop;
  readonly batchRowsMax: number;
  readonly checkpointIntervalMs: number;
  /** Wall time after which an idle partition follows the others' watermark; undefined for never. */
  readonly idleAfterMs?: number | undefined;
  /** As typed, e.g. `windowVisible.p99<1s`. */
  readonly thresholds: readonly string[];
  /** As typed, e.g. `drop:sensor-00007:42`: faults in the aggregator that the verdict must find. */
  readonly plants: readonly string[];
  /** Protections that are switched off. */
  readonly unsafe: readonly Unsafe[];
  /** As typed, e.g. `kill aggregate at 30s`: what is done to the run, and when, from the load's begin. */
  readonly faults: readonly string[];
  /** Latencies of so much of the load's begin are kept apart, and no threshold looks at them. Wall ms. */
  readonly warmUpMs: number;
  /** Keep the broker's data and the topic at the end. */
  readonly keep: boolean;
}

/** Whether a URL asks for the part that weir brings itself. */
export function isEmbedded(url: string): boolean {
  return url === "embedded";
}

/** When the messages of a load go out. */
export function scheduleOf(
  { stages, rateMessagesPerSec, durationMs }: Pick<
    LoadSettings,
    "stages" | "rateMessagesPerSec" | "durationMs"
  >,
): Schedule {
  return stages === null
    ? Schedule.constant(rateMessagesPerSec, durationMs)
    : Schedule.ofStages(parseStages(stages));
}

/** Messages that the load plans in all. */
export function plannedMessageCount(load: LoadSettings): number {
  return scheduleOf(load).messageCount;
}
