/** One message after the other, batched automatically: the plain way to send, on top of the same buffers. */
import type { Clock } from "../../base/mod.ts";
import type { Receipt } from "../../contract.ts";
import type { FrameBatch } from "./batch_buffer.ts";
import { orAborted } from "./context.ts";
import { keyHash } from "./key_hash.ts";
import type { MessageId } from "./message_id.ts";
import type { BatchProducer, BatchProducerOptions } from "./producer.ts";
import { PulsarError } from "../wire/mod.ts";

/** A message to send. */
export interface OutgoingMessage {
  readonly value: Uint8Array;
  /** Messages of one key go to one partition. */
  readonly key?: string | undefined;
  readonly orderingKey?: Uint8Array | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly eventTimeMs?: number | undefined;
}

/** What a producer of single messages is opened with. */
export interface MessageProducerOptions extends BatchProducerOptions {
  /** A batch goes out when it holds this many messages. Default 1,000. */
  readonly batchMessagesMax?: number | undefined;
  /** … or this many bytes. Default 128 KiB. */
  readonly batchBytesMax?: number | undefined;
  /** … or is this old. Default 10 ms. */
  readonly batchDelayMs?: number | undefined;
  /** Messages that may wait for room in flight before `send` is refused. Default 10,000. */
  readonly waitingMessagesMax?: number | undefined;
}

interface Sending {
  readonly message: OutgoingMessage;
  readonly resolve: (id: MessageId) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  readonly partition: number;
  readonly waiting: Sending[];
  batch: FrameBatch | undefined;
  sendings: Sending[];
  nextSequenceId: number;
  isWaiting: boolean;
  stopTimer: (() => void) | undefined;
}

/**
 * Sends single messages in batches.
 *
 * @example
 * ```ts ignore
 * await using producer = await client.openMessageProducer({ topic: "orders", producerName: "till-1" });
 * const id = await producer.send({ value: new TextEncoder().encode("hello"), key: "table-7" });
 * ```
 */
export class MessageProducer implements AsyncDisposable {
  readonly #producer: BatchProducer;
  readonly #clock: Clock;
  readonly #batchMessagesMax: number;
  readonly #batchBytesMax: number;
  readonly #batchDelayMs: number;
  readonly #waitingMessagesMax: number;
  readonly #lanes: readonly Lane[];
  readonly #unsettled = new Set<Promise<unknown>>();
  #roundRobin = 0;
  #isClosed = false;

  constructor(producer: BatchProducer, clock: Clock, options: MessageProducerOptions) {
    this.#producer = producer;
    this.#clock = clock;
    this.#batchMessagesMax = options.batchMessagesMax ?? 1000;
    this.#batchBytesMax = options.batchBytesMax ?? 128 * 1024;
    this.#batchDelayMs = options.batchDelayMs ?? 10;
    this.#waitingMessagesMax = options.waitingMessagesMax ?? 10_000;
    this.#lanes = Array.from({ length: producer.partitionCount }, (_, partition) => ({
      partition,
      waiting: [],
      batch: undefined,
      sendings: [],
      nextSequenceId: producer.lastSequenceId(partition) + 1,
      isWaiting: false,
      stopTimer: undefined,
    }));
  }

  get partitionCount(): number {
    return this.#lanes.length;
  }

  /**
   * Sends a message; the value is copied at once, or, while all buffers are in flight, as soon as one is free.
   *
   * @throws {PulsarError} from the result: why the broker refused it, `batch_too_large`, `closed`, or `queue_full`
   */
  send(message: OutgoingMessage): Promise<MessageId> {
    if (this.#isClosed) return Promise.reject(closedError());
    const lane = this.#lanes[this.#route(message)]!;
    return new Promise((resolve, reject) => {
      const sending = { message, resolve, reject };
      if (lane.waiting.length > 0 || !this.#append(lane, sending)) this.#wait(lane, sending);
    });
  }

  /** Sends what is in batches now, and waits for the receipts of everything sent before.
   *
   * @throws the signal's reason when it is aborted before
   */
  async flush(signal?: AbortSignal): Promise<void> {
    const flushed = this.#flushAll();
    await (signal === undefined ? flushed : orAborted(flushed, signal));
  }

  async #flushAll(): Promise<void> {
    for (;;) {
      for (const lane of this.#lanes) this.#flush(lane);
      const idle = this.#lanes.every((lane) =>
        lane.batch === undefined && lane.waiting.length === 0
      );
      if (idle && this.#unsettled.size === 0) return;
      await Promise.all([...this.#unsettled, ...this.#lanes.map((lane) => this.#room(lane))]);
    }
  }

  /** Flushes nothing: what has no receipt yet is rejected with code `closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const lane of this.#lanes) this.#abandon(lane);
    await this.#producer[Symbol.asyncDispose]();
  }

  /** By the key's hash; without a key, the same partition until its batch is sent, then the next one. */
  #route(message: OutgoingMessage): number {
    if (message.key !== undefined) return keyHash(message.key) % this.#lanes.length;
    return this.#roundRobin % this.#lanes.length;
  }

  #append(lane: Lane, sending: Sending): boolean {
    const { value, key, orderingKey, properties, eventTimeMs } = sending.message;
    const wanted = (lane.batch?.byteLength ?? 0) + value.length;
    if (lane.batch !== undefined && wanted > this.#batchBytesMax) this.#flush(lane);
    lane.batch ??= this.#producer.openBatch(lane.partition);
    if (lane.batch === undefined) return false;
    lane.batch.append(value, {
      partitionKey: key,
      orderingKey,
      eventTimeMs,
      properties: properties === undefined
        ? undefined
        : Object.entries(properties).map(([name, text]) => ({ key: name, value: text })),
    });
    lane.sendings.push(sending);
    const { messageCount, byteLength } = lane.batch;
    if (messageCount >= this.#batchMessagesMax || byteLength >= this.#batchBytesMax) {
      this.#flush(lane);
    } else {
      lane.stopTimer ??= this.#flushLater(lane);
    }
    return true;
  }

  #flushLater(lane: Lane): () => void {
    const timer = new AbortController();
    this.#clock.sleep(this.#batchDelayMs, timer.signal).then(
      () => this.#flush(lane),
      // Aborted: the batch went out before.
      () => {},
    );
    return () => timer.abort();
  }

  #flush(lane: Lane): void {
    lane.stopTimer?.();
    lane.stopTimer = undefined;
    const { batch, sendings, partition } = lane;
    if (batch === undefined) return;
    lane.batch = undefined;
    lane.sendings = [];
    this.#roundRobin++;
    const sequenceId = lane.nextSequenceId;
    lane.nextSequenceId += sendings.length;
    const settled = this.#producer.send(batch, sequenceId).then(
      ({ position }: Receipt) =>
        sendings.forEach((sending, batchIndex) =>
          sending.resolve({ ...position, partition, batchIndex })
        ),
      (error) => sendings.forEach((sending) => sending.reject(error)),
    ).finally(() => this.#unsettled.delete(settled));
    this.#unsettled.add(settled);
  }

  #wait(lane: Lane, sending: Sending): void {
    if (lane.waiting.length >= this.#waitingMessagesMax) {
      return sending.reject(
        new PulsarError(
          `Cannot send: ${this.#waitingMessagesMax} messages wait for room already`,
          { code: "queue_full", retryable: true, cure: "await earlier sends before more" },
        ),
      );
    }
    lane.waiting.push(sending);
    void this.#room(lane);
  }

  /** Waits for room and moves what waits into batches. */
  async #room(lane: Lane): Promise<void> {
    if (lane.isWaiting) return;
    lane.isWaiting = true;
    while (lane.waiting.length > 0) {
      await this.#producer.whenReady(lane.partition);
      while (lane.waiting.length > 0 && this.#append(lane, lane.waiting[0]!)) lane.waiting.shift();
    }
    lane.isWaiting = false;
  }

  #abandon(lane: Lane): void {
    lane.stopTimer?.();
    lane.stopTimer = undefined;
    for (const sending of [...lane.sendings, ...lane.waiting.splice(0)]) {
      sending.reject(closedError());
    }
    lane.sendings = [];
    lane.batch = undefined;
  }
}

function closedError(): PulsarError {
  return new PulsarError("Cannot send: the producer is closed", { code: "closed" });
}
