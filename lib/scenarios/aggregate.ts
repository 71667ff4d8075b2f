import { type Clock, formatCount, systemDisk, systemRandom } from "../base/mod.ts";
import type { Sink, Source } from "../contract.ts";
import {
  LatencyBuckets,
  METRIC,
  MetricRegistry,
  registerProcess,
  serveMetrics,
} from "../metrics/mod.ts";
import { intervalLatencies, type KillPoint } from "../run/mod.ts";
import { createSensorProjection } from "../sensor/mod.ts";
import {
  type AggregatedEvent,
  FileCheckpointStore,
  parsePlant,
  Pipeline,
  type PipelineHooks,
  type WindowVisibleEvent,
} from "../stream/mod.ts";
import type { BenchConfig } from "./config.ts";
import type { CuttableConnections } from "./cuttable.ts";
import type { RecoveryNote } from "./recovery_notes.ts";
import { readyLine, type RoleIo, sayIntervals, tellProgress, untilDismissed } from "./role_io.ts";
import { UnprotectedSink } from "./unprotected_sink.ts";

/** What the aggregator role needs. */
export interface AggregateOptions {
  readonly config: Pick<
    BenchConfig,
    "runId" | "window" | "batchRowsMax" | "checkpointIntervalMs" | "plants" | "unsafe"
  >;
  readonly timeScale: number;
  /**
   * A partition without messages for so long, wall time, follows the others' watermark. Undefined for never: a partition that merely lags would
   * have its messages late, and a run ends every partition by a marker anyway.
   */
  readonly idleAfterMs?: number | undefined;
  readonly source: Source;
  readonly sink: Sink;
  readonly checkpointFolder: string;
  readonly metricsPort: number;
  /** To the broker. */
  readonly connections: CuttableConnections;
  readonly clock: Clock;
  readonly io: RoleIo;
}

/** Totals for Prometheus; plain numbers, read at scrape. */
class AggregateFigures {
  readonly latencies = intervalLatencies([
    "delivery",
    "windowVisible",
    "windowEndToVisible",
    "insert",
    "checkpoint",
  ]);
  readonly delivery = new LatencyBuckets();
  readonly windowVisible = new LatencyBuckets();
  aggregated = 0;
  rows = 0;
  inserts = 0;
  insertBytes = 0;
  insertSec = 0;
  checkpoints = 0;
  checkpointBytes = 0;
  checkpointSec = 0;

  /** On one line, for a person. */
  text(): string {
    return `${formatCount(this.aggregated)} messages in, ${
      formatCount(this.rows)
    } rows stored in ` +
      `${formatCount(this.inserts)} inserts`;
  }

  register(registry: MetricRegistry, pipeline: Pipeline): void {
    const counters = [
      [METRIC.messagesAggregated, "Messages that went into windows.", () => this.aggregated],
      [METRIC.rowsInserted, "Rows that ClickHouse said are stored.", () => this.rows],
      [METRIC.inserts, "Inserts answered.", () => this.inserts],
      [METRIC.insertBytes, "Bytes of inserts.", () => this.insertBytes],
      [METRIC.insertSeconds, "Seconds spent waiting for inserts.", () => this.insertSec],
      [METRIC.checkpoints, "Checkpoints made durable.", () => this.checkpoints],
      [METRIC.checkpointBytes, "Bytes of checkpoints.", () => this.checkpointBytes],
      [METRIC.checkpointSeconds, "Seconds of making them durable.", () => this.checkpointSec],
    ] as const;
    for (const [name, help, read] of counters) registry.counter({ name, help }, read);
    const sum = (of: (one: ReturnType<Pipeline["counters"]>[number]) => number) => () =>
      pipeline.counters().reduce((total, one) => total + of(one), 0);
    registry.gauge(
      { name: METRIC.messagesAccounted, help: "Messages that the state accounts for." },
      sum((one) => one.messagesRead),
    );
    registry.gauge(
      { name: METRIC.messagesLate, help: "Messages that no window took." },
      sum((one) => one.messagesLate),
    );
    registry.gauge(
      { name: METRIC.messagesDuplicate, help: "Messages seen before and dropped." },
      sum((one) => one.messagesDuplicated),
    );
    registry.histogram(
      { name: METRIC.deliveryLatency, help: "Intended send time to aggregated, seconds." },
      this.delivery,
    );
    registry.histogram(
      { name: METRIC.windowVisibleLatency, help: "Watermark past the end to visible, seconds." },
      this.windowVisible,
    );
  }
}

/** Longer than any runner takes to kill; should it be gone, the role goes on. */
const KILLED_WITHIN_MS = 30_000;

/** Has this process killed at one place, exactly there: it does nothing more, and its runner, who alone may send signals, ends it. */
class KillSwitch {
  #at: KillPoint | undefined;

  /**
   * @param dying called right before the end
   */
  constructor(readonly io: RoleIo, readonly dying: () => void) {}

  arm(at: KillPoint): void {
    this.#at = at;
  }

  reached(place: KillPoint): void {
    if (this.#at !== place) return;
    this.#at = undefined;
    this.dying();
    this.io.say({ event: "kill-me" });
    // Blocks the thread: no acknowledgement and no timer comes in between.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, KILLED_WITHIN_MS);
  }
}

/** What is told of a process that was killed and of the one that went on for it; see `recoveryOf`. */
function sayNote(io: RoleIo, kind: RecoveryNote["kind"], data: RecoveryNote["data"]): void {
  io.say({ event: "note", kind, data });
}

/** What the pipeline tells, turned into figures. */
function hooksOf(
  options: AggregateOptions,
  figures: AggregateFigures,
  killSwitch: KillSwitch,
): PipelineHooks {
  const { of } = figures.latencies;
  const { io } = options;
  /** Batches that this process inserted and that are not yet known to be whole. */
  const inserted = new Set<string>();
  return {
    onAggregated: ({ aggregatedWallMs, intended }: AggregatedEvent) => {
      for (let i = 0; i < intended.length; i++) {
        const latencyUs = (aggregatedWallMs - intended.timesMs[i]!) * 1000;
        const messageCount = intended.counts[i]!;
        of.delivery.record(latencyUs, messageCount);
        figures.delivery.record(latencyUs, messageCount);
        figures.aggregated += messageCount;
      }
    },
    onWindowVisible: (event: WindowVisibleEvent) => {
      const { windowVisibleUs, closedBy, rows, batchId, recovered } = event;
      figures.rows += rows;
      const insertedAgain = inserted.delete(batchId);
      if (recovered) sayNote(io, "recovered", { batchId, rows, insertedAgain });
      if (closedBy !== "watermark") return;
      // Event time and wall time are the same only where event time runs at its natural pace.
      if (options.timeScale === 1) {
        of.windowEndToVisible.record((event.visibleWallMs - event.windowEndMs) * 1000, rows);
      }
      of.windowVisible.record(windowVisibleUs, rows);
      figures.windowVisible.record(windowVisibleUs, rows);
    },
    onInsert: ({ batchId, bytes, durationMs }) => {
      inserted.add(batchId);
      figures.inserts++;
      figures.insertBytes += bytes;
      figures.insertSec += durationMs / 1000;
      of.insert.record(durationMs * 1000);
      killSwitch.reached("after-insert");
    },
    onCheckpoint: ({ bytes, durationMs }) => {
      figures.checkpoints++;
      figures.checkpointBytes += bytes;
      figures.checkpointSec += durationMs / 1000;
      of.checkpoint.record(durationMs * 1000);
      killSwitch.reached("after-checkpoint");
    },
    onDrained: (partition) => {
      sayNote(io, "aggregated", { messages: figures.aggregated });
      io.say({ event: "drained", partition });
    },
  };
}

/**
 * Runs the aggregator role until it is asked to end, or, where a person started it, until all partitions have drained.
 *
 * @throws when the pipeline cannot go on
 */
export async function runAggregate(options: AggregateOptions): Promise<void> {
  const { config, source, clock, io } = options;
  const sink = config.unsafe.includes("no-token")
    ? new UnprotectedSink(options.sink)
    : options.sink;
  const { windowMs, outOfOrdernessMs, allowedLatenessMs } = config.window;
  const figures = new AggregateFigures();
  const plant = config.plants[0];
  const killSwitch = new KillSwitch(
    io,
    () => sayNote(io, "dying", { messages: figures.aggregated }),
  );
  const pipeline = new Pipeline({
    configuration: {
      runId: config.runId,
      windowSizeMs: windowMs,
      outOfOrdernessMs,
      allowedLatenessMs,
    },
    source,
    sink,
    store: new FileCheckpointStore(systemDisk, options.checkpointFolder),
    clock,
    random: systemRandom,
    newProjection: () => createSensorProjection(),
    batchRows: config.batchRowsMax,
    checkpointIntervalMs: config.checkpointIntervalMs,
    idleAfterMs: options.idleAfterMs,
    plant: plant === undefined ? undefined : parsePlant(plant),
    hooks: hooksOf(options, figures, killSwitch),
  });
  const registry = new MetricRegistry();
  registerProcess(registry, clock);
  figures.register(registry, pipeline);
  await using server = serveMetrics({ port: options.metricsPort, registry });
  const stopSaying = sayIntervals(io, clock, () => figures.latencies.take());
  io.say(readyLine("aggregate", server.url));
  const stopTelling = tellProgress(io, clock, () => figures.text());
  io.onCommand((told) => {
    if (told.command === "kill-at") killSwitch.arm(told.at);
    else if (told.command === "cut") options.connections.cut();
    else throw new RangeError(`an aggregator has no ${told.command}`);
  });
  try {
    await pipeline.run(io.ending);
  } finally {
    stopSaying();
    stopTelling();
  }
  await untilDismissed(io);
}
