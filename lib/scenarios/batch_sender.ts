import type { Clock, MonoUs } from "../base/mod.ts";
import type { BatchBuffer, Ledger, Producer } from "../contract.ts";

/** Takes a latency in µs that `count` messages had. */
export interface LatencyRecorder {
  record(latencyUs: number, count: number): void;
}

/** How batches are cut and where they go. */
export interface BatchSenderOptions {
  readonly producer: Producer;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly batchMessagesMax: number;
  readonly batchBytesMax: number;
  /** Longest wait of a message in its batch, µs. */
  readonly batchDelayUs: number;
  /** `closed`: a batch goes out only when the one before has its receipt, and publish latency counts from when it really went. */
  readonly loop: "open" | "closed";
  /** Intended send time to receipt; in a closed loop, from the actual send. */
  readonly publish: LatencyRecorder;
  /** The batch handed to the client to receipt: what a closed-loop tool would call latency. */
  readonly service: LatencyRecorder;
  /** After each receipt. */
  acknowledged(messageCount: number): void;
  /** A batch that will get no receipt. */
  failed(error: unknown): void;
}

/** Latency is recorded once for all messages that were due within this time, by the first of them. */
const LATENCY_STEP_US = 1000;

/** A batch while it fills: when its messages were due, in steps. */
interface OpenBatch {
  readonly buffer: BatchBuffer;
  readonly firstSequenceId: number;
  readonly openedUs: MonoUs;
  readonly dueUs: number[];
  readonly dueCounts: number[];
}

/** Cuts batches by count, bytes and delay, notes them in the ledger before they go, and records latency when their receipts come. */
export class BatchSender {
  readonly #options: BatchSenderOptions;
  readonly #open: (OpenBatch | undefined)[];
  readonly #full: OpenBatch[] = [];
  readonly #inFlight = new Set<Promise<void>>();

  constructor(options: BatchSenderOptions) {
    this.#options = options;
    this.#open = new Array<OpenBatch | undefined>(options.producer.partitionCount).fill(undefined);
  }

  /**
   * The buffer for the next message of a partition.
   *
   * @param sequenceId of that message
   * @returns undefined while the bound of batches in flight is reached
   */
  bufferFor(partition: number, sequenceId: number): BatchBuffer | undefined {
    const open = this.#open[partition];
    if (open !== undefined) return open.buffer;
    const { producer, clock, loop } = this.#options;
    // In a closed loop whatever is full waits for a receipt, and the load with it.
    if (loop === "closed" && this.#full.length > 0) return undefined;
    const buffer = producer.openBatch(partition);
    if (buffer === undefined) return undefined;
    this.#open[partition] = {
      buffer,
      firstSequenceId: sequenceId,
      openedUs: clock.monoUs(),
      dueUs: [],
      dueCounts: [],
    };
    return buffer;
  }

  /**
   * Notes that a message was written into its partition's buffer.
   *
   * @param dueUs when it should have gone out, on the monotonic clock
   */
  written(partition: number, dueUs: MonoUs): void {
    const open = this.#open[partition]!;
    const last = open.dueUs.length - 1;
    if (last >= 0 && dueUs - open.dueUs[last]! < LATENCY_STEP_US) open.dueCounts[last]!++;
    else {
      open.dueUs.push(dueUs);
      open.dueCounts.push(1);
    }
    const { batchMessagesMax, batchBytesMax } = this.#options;
    const { messageCount, byteLength } = open.buffer;
    if (messageCount < batchMessagesMax && byteLength < batchBytesMax) return;
    this.#open[partition] = undefined;
    this.#full.push(open);
  }

  /**
   * Sends the batches that are full or have waited long enough; all of them when `everything`.
   *
   * The ledger is flushed first: whatever may be in the log is in the ledger.
   */
  flush(everything = false): void {
    const { clock, batchDelayUs } = this.#options;
    const openedBefore = clock.monoUs() - batchDelayUs;
    this.#open.forEach((open, partition) => {
      if (open === undefined || !everything && open.openedUs > openedBefore) return;
      this.#open[partition] = undefined;
      this.#full.push(open);
    });
    this.#sendFull();
  }

  #sendFull(): void {
    const { ledger, loop } = this.#options;
    const room = loop === "open" ? Infinity : this.#inFlight.size === 0 ? 1 : 0;
    const batches = this.#full.splice(0, room);
    for (const { buffer, firstSequenceId } of batches) {
      ledger.sent({
        partition: buffer.partition,
        first: firstSequenceId,
        count: buffer.messageCount,
      });
    }
    // Also without a batch: receipts noted since the last time go out.
    ledger.flush();
    for (const batch of batches) this.#send(batch);
  }

  /** Resolves when every batch sent so far has its receipt or has failed. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  #send(batch: OpenBatch): void {
    const { producer, clock, failed, loop } = this.#options;
    const sentUs = clock.monoUs();
    const { partition, messageCount } = batch.buffer;
    const sending: Promise<void> = producer.send(batch.buffer, batch.firstSequenceId)
      .then(() => this.#acknowledged(batch, partition, messageCount, sentUs))
      .catch(failed)
      .finally(() => {
        this.#inFlight.delete(sending);
        if (loop === "closed") this.#sendNext();
      });
    this.#inFlight.add(sending);
  }

  /** What the ledger refuses must not go out, and ends the producer as it does in the open loop. */
  #sendNext(): void {
    try {
      this.#sendFull();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #acknowledged(batch: OpenBatch, partition: number, count: number, sentUs: MonoUs): void {
    const { clock, ledger, loop, publish, service, acknowledged } = this.#options;
    const nowUs = clock.monoUs();
    ledger.acknowledged({ partition, first: batch.firstSequenceId, count });
    service.record(nowUs - sentUs, count);
    if (loop === "closed") publish.record(nowUs - sentUs, count);
    else batch.dueUs.forEach((dueUs, i) => publish.record(nowUs - dueUs, batch.dueCounts[i]!));
    acknowledged(count);
  }
}
