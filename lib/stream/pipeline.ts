import type { Clock, MonoUs, Random } from "../base/mod.ts";
import type {
  CheckpointStore,
  MessageBatch,
  Position,
  Projection,
  Sink,
  Source,
  SourceHandler,
} from "../contract.ts";
import { PartitionRunner } from "./_partition_runner.ts";
import type { RunnerParts } from "./_partition_runner.ts";
import type { RetryOptions } from "./delivery.ts";
import { RETRY_DEFAULTS } from "./delivery.ts";
import type { PartitionCounters, PipelineHooks } from "./hooks.ts";
import type { StreamConfiguration } from "./options.ts";
import { checkConfiguration } from "./options.ts";
import type { Plant } from "./plant.ts";

/** What a pipeline is made of. */
export interface PipelineOptions {
  readonly configuration: StreamConfiguration;
  readonly source: Source;
  readonly sink: Sink;
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly random: Random;
  /** A fresh projection, which numbers the sources of one partition. */
  readonly newProjection: (partition: number) => Projection;
  /** Rows that a batch holds at most. */
  readonly batchRows?: number;
  /** The longest gap between two checkpoints of a partition that changes, in wall time. */
  readonly checkpointIntervalMs?: number;
  /** Batches that may wait for the sink before a partition's reader is held. */
  readonly pendingBatchesMax?: number;
  /** How long a partition must be idle, in wall time, before its watermark follows the others; never if undefined. */
  readonly idleAfterMs?: number | undefined;
  /** How long a source may go on bringing entries of a partition that another owner has. */
  readonly staleGraceMs?: number;
  readonly retry?: Partial<RetryOptions>;
  /** A fault put in on purpose. */
  readonly plant?: Plant | undefined;
  readonly hooks?: PipelineHooks;
}

/** How often the partitions are asked whether they are idle, as a share of `idleAfterMs`. */
const IDLE_CHECKS = 4;

/**
 * Takes messages of all partitions that a source gives it into windows, and stores each window exactly once.
 *
 * The partition is the unit of everything; nothing crosses partitions but the watermark of idle ones. What is durable when, and in which order:
 * a window closes → a checkpoint holds its batches → they are stored and counted → the broker is told.
 *
 * A pipeline is used once. Whatever stops it is thrown by {@link run} and by {@link drained}, and what was durable stays good to go on from.
 */
export class Pipeline implements SourceHandler {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #parts: RunnerParts;
  readonly #checkpointIntervalMs: number;
  readonly #idleAfterMs: number | undefined;
  readonly #runners = new Map<number, PartitionRunner>();
  readonly #drainedPartitions = new Set<number>();
  readonly #end = Promise.withResolvers<void>();
  readonly #stopReading = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #checkingIdle = false;

  /** @throws {RangeError} when an option cannot be */
  constructor(options: PipelineOptions) {
    checkConfiguration(options.configuration);
    const { batchRows = 1000, pendingBatchesMax = 64, checkpointIntervalMs = 60_000 } = options;
    checkWhole({ batchRows, pendingBatchesMax, checkpointIntervalMs });
    this.#source = options.source;
    this.#clock = options.clock;
    this.#checkpointIntervalMs = checkpointIntervalMs;
    this.#idleAfterMs = options.idleAfterMs;
    this.#parts = {
      configuration: options.configuration,
      source: options.source,
      sink: options.sink,
      store: options.store,
      clock: options.clock,
      random: options.random,
      newProjection: options.newProjection,
      batchRows,
      pendingBatchesMax,
      staleGraceMs: options.staleGraceMs ?? 30_000,
      retry: { ...RETRY_DEFAULTS, ...options.retry },
      plant: options.plant,
      hooks: options.hooks ?? {},
      fail: (error) => this.#fail(error),
      drained: (partition) => this.#noteDrained(partition),
    };
    // Whoever runs the pipeline learns of a failure from `run`; `drained` may have no listener.
    this.#end.promise.catch(() => {});
  }

  /**
   * Reads until all partitions of the topic have drained here, the signal is aborted or something fails.
   *
   * @param signal stops at once, without a last checkpoint: what was durable is enough to go on from
   * @throws what stopped it
   */
  async run(signal: AbortSignal): Promise<void> {
    const stopTimers = this.#startTimers();
    const stop = () => this.#stopReading.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.#source.run(this, this.#stopReading.signal);
    } catch (error) {
      if (!this.#stopReading.signal.aborted) this.#fail(error);
    } finally {
      signal.removeEventListener("abort", stop);
      stopTimers();
      await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when all partitions of the topic have drained here: end marker seen, all stored, last checkpoint durable, all acknowledged. */
  drained(): Promise<void> {
    return this.#end.promise;
  }

  /** Counters of the partitions that this pipeline reads. */
  counters(): PartitionCounters[] {
    return [...this.#runners.values()].map((runner) => runner.counters);
  }

  batch(batch: MessageBatch): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      // An entry of a partition that was just deactivated is no loss: it is not acknowledged, so its next reader gets it.
      return this.#runners.get(batch.partition)?.handle(batch);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async activated(partition: number): Promise<Position | undefined> {
    const previous = this.#runners.get(partition);
    const runner = new PartitionRunner(partition, this.#parts);
    // At once, so that of calls that cross each other the last one stands.
    this.#runners.set(partition, runner);
    try {
      await previous?.stop();
      const position = await runner.activate();
      // Without a position the source would begin at the earliest, though it is only that this pipeline has failed meanwhile.
      if (this.#failure !== undefined) throw this.#failure.error;
      return position;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async deactivated(partition: number): Promise<void> {
    const runner = this.#runners.get(partition);
    this.#runners.delete(partition);
    await runner?.stop();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stopReading.abort(error);
    this.#end.reject(error);
    for (const runner of this.#runners.values()) void runner.stop();
  }

  #noteDrained(partition: number): void {
    this.#drainedPartitions.add(partition);
    this.#parts.hooks.onDrained?.(partition);
    if (this.#drainedPartitions.size < this.#source.partitionCount) return;
    this.#end.resolve();
    this.#stopReading.abort(new Error("all partitions have drained"));
  }

  #startTimers(): () => void {
    const stops = [this.#clock.every(this.#checkpointIntervalMs, () => {
      for (const runner of this.#runners.values()) runner.checkpointIfChanged();
    })];
    const idleAfterMs = this.#idleAfterMs;
    if (idleAfterMs !== undefined) {
      stops.push(this.#clock.every(idleAfterMs / IDLE_CHECKS, () => {
        this.#followWhenIdle(idleAfterMs).catch((error) => this.#fail(error));
      }));
    }
    return () => stops.forEach((stop) => stop());
  }

  async #followWhenIdle(idleAfterMs: number): Promise<void> {
    if (this.#checkingIdle) return;
    this.#checkingIdle = true;
    try {
      const waiting = [...this.#runners].filter(([, runner]) => !runner.ended);
      await Promise.all(
        waiting.map(([partition, runner]) => this.#askIdle(partition, runner)),
      );
      const active = waiting.filter(([, runner]) => runner.idleSinceUs === undefined);
      if (active.length === 0) return;
      const lowestMs = Math.min(...active.map(([, runner]) => runner.watermarkMs));
      const idleSinceMax: MonoUs = this.#clock.monoUs() - idleAfterMs * 1000;
      for (const [, runner] of waiting) {
        if ((runner.idleSinceUs ?? Infinity) <= idleSinceMax) runner.follow(lowestMs);
      }
    } finally {
      this.#checkingIdle = false;
    }
  }

  async #askIdle(partition: number, runner: PartitionRunner): Promise<void> {
    const before = runner.position;
    let idle = false;
    try {
      idle = await this.#source.isIdle(partition);
    } catch {
      // A source that cannot say so is not idle but stalled: its watermark stays where it is.
    }
    if (!idle || runner.position !== before) runner.idleSinceUs = undefined;
    else runner.idleSinceUs ??= this.#clock.monoUs();
  }
}

function checkWhole(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot make a pipeline: ${name} is ${value}, expected a whole number above 0`,
      );
    }
  }
}
