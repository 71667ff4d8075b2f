import type { Clock, EventTimeMs, MonoUs, Random } from "../base/mod.ts";
import { assert, messageOf, WeirError } from "../base/mod.ts";
import type {
  CheckpointStore,
  MessageBatch,
  Position,
  Projection,
  Sink,
  Source,
} from "../contract.ts";
import { END_MARKER_PROPERTY } from "../contract.ts";
import { Signal } from "./_signal.ts";
import type { PendingBatch } from "./checkpoint.ts";
import { checkSameConfiguration, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import type { DeliveryContext, RetryOptions } from "./delivery.ts";
import { deliver, retrying } from "./delivery.ts";
import { isStaleOwner, StreamError } from "./errors.ts";
import type { PartitionCounters, PipelineHooks } from "./hooks.ts";
import type { ClosedBy, StreamConfiguration } from "./options.ts";
import { partitionConfiguration } from "./options.ts";
import { PartitionState } from "./partition_state.ts";
import type { Plant } from "./plant.ts";
import { comparePositions } from "./position.ts";

/** What the partitions of a pipeline share. */
export interface RunnerParts {
  readonly configuration: StreamConfiguration;
  readonly source: Pick<Source, "acknowledge" | "isIdle" | "partitionCount">;
  readonly sink: Sink;
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly newProjection: (partition: number) => Projection;
  readonly batchRows: number;
  readonly pendingBatchesMax: number;
  readonly staleGraceMs: number;
  readonly retry: RetryOptions;
  readonly plant: Plant | undefined;
  readonly hooks: PipelineHooks;
  readonly fail: (error: unknown) => void;
  readonly drained: (partition: number) => void;
}

interface QueuedBatch {
  readonly pending: PendingBatch;
  /** Counts the batches that this runner had to store, from 1. */
  readonly ordinal: number;
  /** When the watermark passed the window's end; unknown after a restart. */
  readonly closedMonoUs: MonoUs | undefined;
}

/** A position that a durable checkpoint holds, and the batches that must be stored before it is acknowledged. */
interface DurablePosition {
  readonly position: Position;
  readonly ordinal: number;
}

/**
 * One partition from its activation to its deactivation. Messages are dealt with synchronously in {@link handle}; beside that run three loops:
 *
 *     checkpoint: snapshot (synchronous) → save ──► deliver: each batch that a durable checkpoint holds, in order
 *                                                        └──► acknowledge: the position of the newest checkpoint all of whose batches are stored
 */
export class PartitionRunner {
  readonly #partition: number;
  readonly #parts: RunnerParts;
  readonly #projection: Projection;
  readonly #abort = new AbortController();
  readonly #checkpointNeeded = new Signal();
  readonly #deliveryNeeded = new Signal();
  readonly #acknowledgeNeeded = new Signal();
  readonly #room = new Signal();
  readonly #queue: QueuedBatch[] = [];
  readonly #durablePositions: DurablePosition[] = [];
  #state: PartitionState;
  #epoch = 0;
  #closedOrdinal = 0;
  #durableOrdinal = 0;
  #storedOrdinal = 0;
  #acknowledged: Position | undefined;
  #entriesSkipped = 0;
  #changed = false;
  #active = false;
  #finalSaved = false;
  #drained = false;
  #stale = false;
  #loops: Promise<unknown> = Promise.resolve();
  /** Since when the source says that this partition is idle. */
  idleSinceUs: MonoUs | undefined;

  constructor(partition: number, parts: RunnerParts) {
    this.#partition = partition;
    this.#parts = parts;
    this.#projection = parts.newProjection(partition);
    this.#state = new PartitionState(this.#configuration());
  }

  get position(): Position | undefined {
    return this.#state.position;
  }

  get watermarkMs(): EventTimeMs {
    return this.#state.watermark.currentMs;
  }

  get ended(): boolean {
    return this.#state.watermark.ended;
  }

  get counters(): PartitionCounters {
    const state = this.#state;
    return {
      partition: this.#partition,
      messagesRead: state.messagesRead,
      messagesAggregated: state.messagesAggregated,
      messagesDuplicated: state.dedupe.duplicateCount,
      messagesLate: state.late.messageCount,
      entriesSkipped: this.#entriesSkipped,
      watermarkMs: state.watermark.currentMs,
      openWindows: state.windows.open.length,
      pendingBatches: this.#queue.length,
      position: state.position,
    };
  }

  /**
   * Takes the partition over, restores what was durable and starts the loops; batches of the checkpoint are stored first.
   *
   * @returns where reading goes on
   */
  async activate(): Promise<Position | undefined> {
    if (this.#stopped) return undefined;
    const { epoch, checkpoint } = await this.#parts.store.acquire(this.#partition);
    if (this.#stopped) return undefined;
    this.#epoch = epoch;
    if (checkpoint !== undefined) this.#restore(checkpoint.bytes);
    this.#loops = Promise.all([
      this.#loop(this.#checkpointNeeded, () => this.#checkpoint()),
      this.#loop(this.#deliveryNeeded, () => this.#deliver()),
      this.#loop(this.#acknowledgeNeeded, () => this.#acknowledge()),
    ]);
    this.#deliveryNeeded.notify();
    this.#acknowledgeNeeded.notify();
    this.#active = true;
    return this.#state.position;
  }

  /** Deals with one entry. Returns a promise only where the reader must wait. */
  handle(batch: MessageBatch): void | Promise<void> {
    if (this.#stale) return this.#untilStopped();
    if (this.#stopped) return;
    assert(this.#active, `partition ${this.#partition} got an entry before it was restored`);
    const state = this.#state;
    if (state.hasHandled(batch.position)) {
      this.#entriesSkipped++;
      return;
    }
    const { clock, plant, hooks } = this.#parts;
    const startUs = clock.monoUs();
    this.#changed = true;
    this.idleSinceUs = undefined;
    if (END_MARKER_PROPERTY in batch.properties) {
      state.end(batch.position);
      this.#close("end_marker", startUs);
      this.#checkpointNeeded.notify();
      return;
    }
    state.handle(batch, this.#projection, plant);
    hooks.onAggregated?.({
      partition: this.#partition,
      aggregatedWallMs: clock.wallMs(),
      intended: state.intended,
    });
    this.#close("watermark", startUs);
    if (this.#queue.length > this.#parts.pendingBatchesMax) return this.#untilRoom();
  }

  /** Saves a checkpoint if anything has changed since the last. */
  checkpointIfChanged(): void {
    if (this.#changed) this.#checkpointNeeded.notify();
  }

  /** Lets an idle partition follow the others' watermark. */
  follow(otherMs: EventTimeMs): void {
    if (this.#stopped || this.#stale || !this.#state.watermark.follow(otherMs)) return;
    this.#changed = true;
    this.#close("idle", this.#parts.clock.monoUs());
  }

  /** Ends the loops; what is under way is cut off. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error(`partition ${this.#partition} was stopped`));
    this.#checkpointNeeded.notify();
    this.#deliveryNeeded.notify();
    this.#acknowledgeNeeded.notify();
    this.#room.notify();
    await this.#loops;
  }

  get #stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  #configuration() {
    return partitionConfiguration(this.#parts.configuration, this.#partition, this.#projection);
  }

  #restore(bytes: Uint8Array): void {
    const { configuration, sourceNames, state, pending } = decodeCheckpoint(bytes);
    checkSameConfiguration(configuration, this.#configuration());
    for (let slot = 0; slot < sourceNames.length; slot++) {
      const given = this.#projection.slotOf(sourceNames[slot]!);
      assert(given === slot, `source ${slot} of the checkpoint became ${given}`);
    }
    this.#state = state;
    for (const batch of pending) this.#enqueue(batch, undefined);
    this.#durableOrdinal = this.#closedOrdinal;
    this.#noteDurable(state.position);
    this.#finalSaved = state.watermark.ended && pending.length === 0;
  }

  #close(closedBy: ClosedBy, closedMonoUs: MonoUs): void {
    const built = this.#state.closeWindows(this.#projection, {
      batchRows: this.#parts.batchRows,
      emittedAtMs: Math.floor(this.#parts.clock.wallMs()),
    });
    if (built.length === 0) return;
    for (const batch of built) {
      this.#enqueue({ ...batch, closedBy, sinceEpoch: this.#epoch }, closedMonoUs);
    }
    this.#checkpointNeeded.notify();
  }

  #enqueue(pending: PendingBatch, closedMonoUs: MonoUs | undefined): void {
    this.#queue.push({ pending, ordinal: ++this.#closedOrdinal, closedMonoUs });
  }

  #noteDurable(position: Position | undefined): void {
    if (position === undefined) return;
    this.#durablePositions.push({ position, ordinal: this.#closedOrdinal });
  }

  /** Runs an action after each notice until the partition is stopped; nothing it throws is lost. */
  async #loop(signal: Signal, action: () => Promise<void>): Promise<void> {
    try {
      for (;;) {
        await signal.wait();
        if (this.#stopped || this.#stale) return;
        await action();
      }
    } catch (error) {
      if (this.#stopped) return;
      if (isStaleOwner(error)) this.#loseOwnership(error);
      else this.#parts.fail(error);
    }
  }

  async #checkpoint(): Promise<void> {
    const { store, clock, hooks } = this.#parts;
    // From here to the save nothing waits, so the snapshot is of one instant, between two entries.
    this.#changed = false;
    const { position } = this.#state;
    const ordinal = this.#closedOrdinal;
    const final = this.ended && this.#queue.length === 0;
    const pending = this.#queue.map((queued) => queued.pending);
    const bytes = encodeCheckpoint(this.#state, this.#projection, pending);
    const startUs = clock.monoUs();
    await store.save(this.#partition, this.#epoch, bytes);
    if (this.#stopped) return;
    const durationMs = (clock.monoUs() - startUs) / 1000;
    hooks.onCheckpoint?.({ partition: this.#partition, bytes: bytes.length, durationMs });
    this.#durableOrdinal = ordinal;
    if (position !== undefined) this.#durablePositions.push({ position, ordinal });
    this.#finalSaved ||= final;
    this.#deliveryNeeded.notify();
    this.#acknowledgeNeeded.notify();
  }

  async #deliver(): Promise<void> {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.ordinal > this.#durableOrdinal) break;
      const { visibleMonoUs, visibleWallMs } = await deliver(next.pending, this.#context());
      if (this.#stopped) return;
      this.#queue.shift();
      this.#storedOrdinal = next.ordinal;
      this.#noteVisible(next, visibleMonoUs, visibleWallMs);
      this.#room.notify();
      this.#acknowledgeNeeded.notify();
    }
    // The last checkpoint says that nothing is pending any more: a verifier reads it.
    if (this.ended && this.#queue.length === 0 && !this.#finalSaved) {
      this.#checkpointNeeded.notify();
    }
  }

  #context(): DeliveryContext {
    const { sink, clock, random, retry, store, hooks } = this.#parts;
    return {
      sink,
      clock,
      random,
      retry,
      epoch: this.#epoch,
      assertOwner: () => store.assertOwner(this.#partition, this.#epoch),
      signal: this.#abort.signal,
      onInsert: hooks.onInsert?.bind(hooks),
    };
  }

  #noteVisible(queued: QueuedBatch, visibleMonoUs: MonoUs, visibleWallMs: number): void {
    const { pending, closedMonoUs } = queued;
    this.#parts.hooks.onWindowVisible?.({
      partition: this.#partition,
      batchId: pending.batch.batchId,
      rows: pending.batch.rows.length,
      windowEndMs: pending.batch.windowEndMs,
      closedBy: pending.closedBy,
      windowVisibleUs: closedMonoUs === undefined
        ? (visibleWallMs - pending.emittedAtMs) * 1000
        : visibleMonoUs - closedMonoUs,
      visibleWallMs,
      recovered: closedMonoUs === undefined,
    });
  }

  async #acknowledge(): Promise<void> {
    const position = this.#takeAcknowledgeable();
    if (position !== undefined) {
      await this.#acknowledgeUpTo(position);
      if (this.#stopped) return;
      this.#acknowledged = position;
      this.#parts.hooks.onAcknowledged?.(this.#partition, position);
    }
    const { position: last } = this.#state;
    const allAcknowledged = last === undefined ||
      (this.#acknowledged !== undefined && comparePositions(this.#acknowledged, last) >= 0);
    if (this.#finalSaved && allAcknowledged && !this.#drained) {
      this.#drained = true;
      this.#parts.drained(this.#partition);
    }
  }

  /** The newest durable position before which everything is stored. */
  #takeAcknowledgeable(): Position | undefined {
    let position: Position | undefined;
    while (this.#durablePositions.length > 0) {
      const oldest = this.#durablePositions[0]!;
      if (oldest.ordinal > this.#storedOrdinal) break;
      position = oldest.position;
      this.#durablePositions.shift();
    }
    return position;
  }

  async #acknowledgeUpTo(position: Position): Promise<void> {
    const { store, source, clock, random, retry } = this.#parts;
    const signal = this.#abort.signal;
    try {
      await retrying(async () => {
        await store.assertOwner(this.#partition, this.#epoch);
        await source.acknowledge(this.#partition, position);
      }, { clock, random, retry, signal });
    } catch (cause) {
      if (isStaleOwner(cause) || signal.aborted) throw cause;
      throw new StreamError(
        `Cannot acknowledge partition ${this.#partition} up to ${position.ledgerId}:${position.entryId}: ${
          messageOf(cause)
        }`,
        { code: "acknowledge_failed", cure: "see that the broker is up", cause },
      );
    }
  }

  #loseOwnership(error: unknown): void {
    if (this.#stale) return;
    this.#stale = true;
    this.#room.notify();
    this.#checkpointNeeded.notify();
    this.#deliveryNeeded.notify();
    this.#acknowledgeNeeded.notify();
    this.#parts.hooks.onOwnerLost?.(this.#partition);
    const cure = error instanceof WeirError ? error.cure : undefined;
    const { clock, staleGraceMs, fail } = this.#parts;
    // The source is about to say so itself; where it does not, two readers share the folder and it must be told.
    clock.sleep(staleGraceMs, this.#abort.signal).then(
      () =>
        fail(
          new StreamError(
            `${messageOf(error)}, and the source still reads it after ${staleGraceMs} ms`,
            {
              code: "stale_owner",
              cure: cure ??
                "see that no two aggregators of different subscriptions share a checkpoint folder",
              cause: error,
            },
          ),
        ),
      () => {},
    );
  }

  async #untilRoom(): Promise<void> {
    while (this.#queue.length > this.#parts.pendingBatchesMax && !this.#stopped) {
      if (this.#stale) return await this.#untilStopped();
      await this.#room.wait();
    }
  }

  /** A reader that lost its partition gets nothing more done, and takes nothing more in. */
  #untilStopped(): Promise<void> {
    const { signal } = this.#abort;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
  }
}
