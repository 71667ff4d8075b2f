import type { KillPoint } from "../run/mod.ts";
import type { ClientName, Loop, Unsafe } from "./config.ts";
import type { ThresholdSpec } from "./threshold_text.ts";

/** A process of a run that a fault may strike. `aggregate` is the first of several; `aggregate-2` is the second. */
export type FaultRole = "produce" | "broker" | "clickhouse" | "aggregate" | `aggregate-${number}`;

/** Something that is done to a run at a time, counted from the begin of the load: `at` has its unit, e.g. `30s`. */
export type TimedFault =
  | { readonly at: string; readonly kill: FaultRole; readonly when?: KillPoint }
  | { readonly at: string; readonly freeze: FaultRole; readonly for: string }
  | {
    readonly at: string;
    readonly cut: "produce" | "broker" | "aggregate" | `aggregate-${number}`;
  }
  | { readonly at: string; readonly rate: number }
  | { readonly at: string; readonly pause: true }
  | { readonly at: string; readonly resume: true };

/** A part of the load in time. Rates are messages per second; times have their unit, e.g. `30s`. */
export type StageSpec =
  | { readonly constant: number; readonly for: string }
  | { readonly ramp: readonly [from: number, to: number]; readonly for: string }
  /** Up from `from` in a quarter of the time, half of it at the top, and down again. */
  | { readonly spike: number; readonly from: number; readonly for: string }
  /** One rate after the other, each for as long. */
  | { readonly steps: readonly number[]; readonly each: string }
  | { readonly pause: string };

/** What a run may be told; everything else has the default of `deno task bench50k --help`. */
export interface RunOptions {
  /** Messages a second. */
  readonly rate?: number;
  /** How long to send, with its unit: `20s`, `3m`. */
  readonly duration?: string;
  /** Rates in time, in place of `rate` and `duration`: data, or a text such as `ramp 0 to 50k for 30s, constant 50k for 3m`. */
  readonly stages?: readonly StageSpec[] | string;
  /** `closed`: a batch goes out only when the one before has its receipt, and publish latency counts from the actual send. */
  readonly loop?: Loop;
  readonly sources?: number;
  readonly partitions?: number;
  readonly aggregators?: number;
  readonly seed?: number;
  /** Zipf exponent of the sources; 0 is uniform. */
  readonly skew?: number;
  /** Seconds of event time a second: at 60 a window of a minute closes every second. */
  readonly timeScale?: number;
  /** Share of messages planted too late, 0 to 1. */
  readonly lateShare?: number;
  /** Share of messages planted twice, 0 to 1. */
  readonly duplicateShare?: number;
  /** Length of a window in event time, e.g. `1m`. */
  readonly window?: string;
  /** How far behind the newest a message may be, in event time. */
  readonly outOfOrderness?: string;
  /** How long a window stays open for stragglers, in event time. */
  readonly allowedLateness?: string;
  /** A partition without messages for so long follows the watermark of the others, wall time. */
  readonly idleAfter?: string;
  /** Most messages in a producer batch. */
  readonly batchMessages?: number;
  /** Longest wait for a batch to fill, e.g. `10ms`. */
  readonly batchDelay?: string;
  /** Most rows in one insert. */
  readonly batchRows?: number;
  /** Longest gap between checkpoints, e.g. `60s`. */
  readonly checkpointInterval?: string;
  readonly compression?: "none" | "lz4";
  /** `native`: npm:pulsar-client, which must be installed beside weir; see docs/pulsar-client.md. */
  readonly client?: ClientName;
  /** `embedded`, or `pulsar://host:6650`. */
  readonly pulsar?: string;
  /** Base of that Pulsar's admin interface. */
  readonly pulsarAdmin?: string;
  readonly pulsarTokenFile?: string;
  /** PEM file of the authorities to trust beside the system's. */
  readonly pulsarTlsCa?: string;
  /** `embedded`, or `http://host:8123`; its password comes from CLICKHOUSE_PASSWORD. */
  readonly clickhouse?: string;
  readonly clickhouseUser?: string;
  /** What must hold for PASS: `below("windowVisible.p99", "1s")`, or a text such as `p99 of windowVisible below 1 s, after warm-up`. */
  readonly thresholds?: readonly (ThresholdSpec | string)[];
  /** Latencies of so much of the load's begin are kept apart, and no threshold looks at them. */
  readonly warmUp?: string;
  /** What is done to the run by itself: data, or texts such as `kill aggregate at 30s`. */
  readonly faults?: readonly (TimedFault | string)[];
  /** Faults in the aggregator that the verdict must find, e.g. `drop:sensor-00007:42`. */
  readonly plants?: readonly string[];
  /** Protections switched off, to see the damage. */
  readonly unsafe?: readonly Unsafe[];
  /** Keep the topic and the data of embedded parts. */
  readonly keep?: boolean;
}

/**
 * What to do: a run as data, which a cell, a file and `deno task run` take alike.
 *
 * @example
 * ```ts
 * import type { Scenario } from "./run_options.ts";
 * const scenario: Scenario = {
 *   name: "spike",
 *   stages: [{ constant: 10_000, for: "20s" }, { spike: 60_000, from: 10_000, for: "10s" }],
 *   faults: [{ at: "15s", kill: "aggregate" }],
 *   warmUp: "5s",
 *   thresholds: ["p99 of windowVisible below 1 s, after warm-up"],
 * };
 * ```
 */
export interface Scenario extends RunOptions {
  /** Letters, digits, `.`, `_` and `-`: it begins the run's id and stands in the report. */
  readonly name: string;
}
