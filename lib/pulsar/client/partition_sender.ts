/**
 * Messages of one partition on their way: what waits for room, what is collected into batches, what waits for its receipt.
 *
 *     send ─► waiting (bounded) ─► batches ─► entries in flight (bounded) ─► receipt
 *
 * The order of `send` is the order of the log. A send that is given up gives up everything behind it, so that nothing overtakes.
 */
import { type Clock, type Crc32c, messageOf } from "../../base/mod.ts";
import type { Receipt } from "../../contract.ts";
import type { FrameBatch } from "./batch_buffer.ts";
import { closedError } from "./closed_error.ts";
import { EntryFramer, nameBytesOf } from "./entry_framer.ts";
import { Fifo } from "./fifo.ts";
import { type BatchBy, BatchContainer, BufferPool, type OpenBatch } from "./open_batch.ts";
import type { PartitionProducer } from "./partition_producer.ts";
import type { ProducerMeter } from "./producer_stats.ts";
import type { Sending } from "./sending.ts";
import { type CompressionType, PulsarError } from "../wire/mod.ts";

/** How a partition's messages are sent. */
export interface SenderOptions {
  /** −1 for a topic that is not partitioned. */
  readonly partition: number;
  readonly topic: string;
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly compression: CompressionType;
  /** Undefined: every message has an entry of its own. */
  readonly batching: {
    readonly messagesMax: number;
    readonly bytesMax: number;
    readonly delayMs: number;
    readonly by: BatchBy;
  } | undefined;
  readonly canChunk: boolean;
  readonly pendingMessagesMax: number;
  readonly pendingBytesMax: number;
  /** 0 to refuse what finds no room. */
  readonly waitingMessagesMax: number;
  /** 0 for none. */
  readonly sendTimeoutMs: number;
  /** The sequence id before the first message's. */
  readonly initialSequenceId?: number | undefined;
  readonly meter: ProducerMeter;
  /** What was collected goes out. */
  readonly onBatchEnded: () => void;
}

/** What goes out as one entry, or as the chunks of one message. */
interface Entry {
  readonly frames: readonly Uint8Array[];
  readonly sequenceId: number;
  readonly highestSequenceId: number;
  readonly sendings: readonly Sending[];
  /** What a batch lies in, to be used again after its receipt. */
  readonly buffer?: FrameBatch;
}

/** Sends the messages of one partition. */
export class PartitionSender implements AsyncDisposable {
  readonly producer: PartitionProducer;
  readonly #options: SenderOptions;
  readonly #framer: EntryFramer;
  readonly #pool: BufferPool;
  readonly #container: BatchContainer;
  readonly #waiting = new Fifo<Sending>();
  /** Everything that has no receipt yet, the oldest first. */
  readonly #unsettled = new Fifo<Sending>();
  readonly #flushes = new Fifo<{ readonly order: number; readonly resolve: () => void }>();
  readonly #roomWaiters: (() => void)[] = [];
  #lastOrder = -1;
  /** What waits for room up to here goes out at once when it has some; −1 for nothing. */
  #flushOrder = -1;
  #pendingMessages = 0;
  #pendingBytes = 0;
  #nextSequenceId: number;
  #stopBatchTimer: (() => void) | undefined;
  #stopTimeout: (() => void) | undefined;
  #failure: PulsarError | undefined;
  /** The highest sequence id that the log is known to hold. */
  lastSequenceId: number;

  constructor(producer: PartitionProducer, options: SenderOptions) {
    this.producer = producer;
    this.#options = options;
    this.#framer = new EntryFramer(producer, options);
    const nameBytes = nameBytesOf(producer.producerName);
    this.#pool = new BufferPool(options.partition, nameBytes, producer.messageBytesMax);
    this.#container = new BatchContainer(options.batching?.by ?? "arrival", this.#pool);
    this.lastSequenceId = options.initialSequenceId ?? producer.lastSequenceId;
    this.#nextSequenceId = this.lastSequenceId + 1;
  }

  /** Whether a message would have to wait for room. */
  get isFull(): boolean {
    return this.#waiting.length > 0 || !this.#hasRoom();
  }

  send(sending: Sending): void {
    if (this.#failure !== undefined) return void sending.reject(this.#failure);
    const mustWait = this.isFull;
    if (mustWait && this.#waiting.length >= this.#options.waitingMessagesMax) {
      return void sending.reject(this.#fullError());
    }
    sending.order = ++this.#lastOrder;
    this.#unsettled.push(sending);
    this.#options.meter.sent(sending.message.payload.length);
    this.#watchTimeout();
    if (mustWait) this.#waiting.push(sending);
    else this.#accept(sending);
  }

  /** Gives one message up for its caller. What is in a batch goes out all the same. */
  withdraw(sending: Sending, reason: unknown): void {
    if (!sending.reject(reason)) return;
    this.#options.meter.failed();
    this.#waiting.remove((waiting) => waiting === sending);
    this.#letOn();
  }

  /** Sends what is collected; resolves when everything that was sent before is settled. */
  flush(): Promise<void> {
    this.#endBatches();
    if (this.#unsettled.length === 0) return Promise.resolve();
    if (this.#waiting.length > 0) this.#flushOrder = this.#lastOrder;
    return new Promise((resolve) => this.#flushes.push({ order: this.#lastOrder, resolve }));
  }

  /** Resolves when a message would not have to wait. */
  async ready(): Promise<void> {
    while (this.isFull && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  /** Rejects what has no receipt yet, with `closed`, and ends the producer. */
  async [Symbol.asyncDispose](): Promise<void> {
    const error = closedError(`send to ${this.#options.topic}`, "producer");
    this.#failure ??= error;
    this.#giveUp(error);
    await this.producer[Symbol.asyncDispose]();
  }

  #hasRoom(): boolean {
    const { pendingMessagesMax, pendingBytesMax } = this.#options;
    return this.#pendingMessages < pendingMessagesMax && this.#pendingBytes < pendingBytesMax;
  }

  #accept(sending: Sending): void {
    const { message } = sending;
    this.#pendingMessages++;
    this.#pendingBytes += message.payload.length;
    const { batching } = this.#options;
    const isCollected = batching !== undefined && message.batchBytes <= batching.bytesMax &&
      message.deliverAtMs === undefined && message.replicateTo === undefined;
    if (isCollected) this.#collect(sending, batching);
    else {
      this.#endBatches();
      this.#number(sending);
      this.#sendAlone(sending);
    }
    if (this.#flushOrder >= 0 && sending.order >= this.#flushOrder) {
      this.#flushOrder = -1;
      this.#endBatches();
    }
  }

  #collect(sending: Sending, batching: NonNullable<SenderOptions["batching"]>): void {
    const container = this.#container;
    const wanted = container.byteLength + sending.message.batchBytes;
    if (container.messageCount > 0 && wanted > batching.bytesMax) this.#endBatches();
    // By key, batches do not hold consecutive messages: they are numbered when they go out, or deduplication would drop some.
    if (batching.by === "arrival") this.#number(sending);
    if (!container.add(sending)) {
      this.#endBatches();
      container.add(sending);
    }
    if (
      container.messageCount >= batching.messagesMax || container.byteLength >= batching.bytesMax
    ) {
      return this.#endBatches();
    }
    this.#stopBatchTimer ??= this.#later(batching.delayMs, () => this.#endBatches());
  }

  #number(sending: Sending): void {
    sending.sequenceId ??= this.#nextSequenceId;
    this.#nextSequenceId = Math.max(this.#nextSequenceId, sending.sequenceId + 1);
  }

  #endBatches(): void {
    this.#stopBatchTimer?.();
    this.#stopBatchTimer = undefined;
    if (this.#container.messageCount === 0) return;
    for (const batch of this.#container.take()) this.#sendBatch(batch);
    this.#options.onBatchEnded();
  }

  #sendBatch(batch: OpenBatch): void {
    const { sendings } = batch;
    for (const sending of sendings) this.#number(sending);
    const [first] = sendings;
    if (sendings.length === 1) return this.#sendAlone(first!);
    const buffer = batch.seal();
    const sequenceId = first!.sequenceId!;
    const highestSequenceId = sendings.at(-1)!.sequenceId!;
    const frame = this.#framer.batch(buffer, {
      sequenceId,
      highestSequenceId,
      first: first!.message,
    });
    void this.#transmit({ frames: [frame], sequenceId, highestSequenceId, sendings, buffer });
  }

  #sendAlone(sending: Sending): void {
    const { message } = sending;
    const sequenceId = sending.sequenceId!;
    const frames = this.#framer.single(message, sequenceId, this.#options.canChunk);
    const sendings = [sending];
    if (frames === undefined) return this.#refuse(sending);
    void this.#transmit({ frames, sequenceId, highestSequenceId: sequenceId, sendings });
  }

  #refuse(sending: Sending): void {
    const { topic } = this.#options;
    const bytes = sending.message.batchBytes;
    const error = new PulsarError(
      `Cannot send to ${topic}: a message of ${bytes} bytes with key and properties, the broker takes at most ${this.producer.messageBytesMax}`,
      { code: "message_too_large" },
    );
    this.#settled([sending], (refused) => refused.reject(error));
  }

  async #transmit(entry: Entry): Promise<void> {
    const { frames, sequenceId, sendings, buffer } = entry;
    try {
      const receipts = await Promise.all(
        frames.map((frame) => this.producer.send(sequenceId, frame)),
      );
      this.lastSequenceId = Math.max(this.lastSequenceId, entry.highestSequenceId);
      if (buffer !== undefined) this.#pool.give(buffer);
      this.#acknowledged(sendings, receipts, buffer !== undefined);
    } catch (error) {
      // Whoever sent them is told, whatever it is.
      this.#settled(sendings, (sending) => sending.reject(error));
    }
  }

  #acknowledged(
    sendings: readonly Sending[],
    receipts: readonly Receipt[],
    isBatch: boolean,
  ): void {
    const { clock, meter, partition } = this.#options;
    const nowUs = clock.monoUs();
    const { position } = receipts.at(-1)!;
    const firstChunk = receipts.length > 1 ? receipts[0]!.position : undefined;
    let batchIndex = 0;
    this.#settled(sendings, (sending) => {
      const place = isBatch
        ? { batchIndex: batchIndex++, batchMessageCount: sendings.length }
        : { batchIndex: -1 };
      const chunks = firstChunk === undefined ? {} : { firstChunk };
      const isFirst = sending.resolve({ ...position, partition, ...place, ...chunks });
      if (isFirst) meter.acknowledged(nowUs - sending.startUs);
      return false;
    });
  }

  /** Gives room back and lets on what waits. `settle` tells whether it made a message fail. */
  #settled(sendings: readonly Sending[], settle: (sending: Sending) => boolean): void {
    for (const sending of sendings) {
      this.#pendingMessages--;
      this.#pendingBytes -= sending.message.payload.length;
      if (settle(sending)) this.#options.meter.failed();
    }
    this.#letOn();
  }

  #letOn(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      const sending = this.#waiting.shift()!;
      // Its caller may have given it up.
      if (!sending.isSettled) this.#accept(sending);
    }
    while (this.#unsettled.peek()?.isSettled) this.#unsettled.shift();
    const first = this.#unsettled.peek()?.order ?? Infinity;
    while ((this.#flushes.peek()?.order ?? Infinity) < first) this.#flushes.shift()!.resolve();
    if (first === Infinity) {
      this.#stopTimeout?.();
      this.#stopTimeout = undefined;
    }
    if (!this.isFull) { for (const resolve of this.#roomWaiters.splice(0)) resolve(); }
  }

  #watchTimeout(): void {
    const { sendTimeoutMs, clock } = this.#options;
    const oldest = this.#unsettled.peek();
    if (sendTimeoutMs === 0 || this.#stopTimeout !== undefined || oldest === undefined) return;
    const dueMs = sendTimeoutMs - (clock.monoUs() - oldest.startUs) / 1000;
    this.#stopTimeout = this.#later(Math.max(dueMs, 0), () => this.#checkTimeout());
  }

  #checkTimeout(): void {
    this.#stopTimeout = undefined;
    const { sendTimeoutMs, clock, topic } = this.#options;
    this.#letOn();
    const oldest = this.#unsettled.peek();
    if (oldest === undefined) return;
    // Timers may fire a little early.
    if (clock.monoUs() - oldest.startUs < (sendTimeoutMs - 1) * 1000) return this.#watchTimeout();
    this.#giveUp(
      new PulsarError(
        `Cannot send to ${topic}: no receipt within ${sendTimeoutMs} ms`,
        { code: "send_timeout", retryable: true },
      ),
    );
  }

  /** Rejects everything that has no receipt. What went out may be stored; nothing of it is sent again. */
  #giveUp(error: PulsarError): void {
    this.#stopBatchTimer?.();
    this.#stopTimeout?.();
    this.#stopBatchTimer = this.#stopTimeout = undefined;
    this.#waiting.takeAll();
    const collected = this.#container.take().flatMap(({ sendings }) => sendings);
    for (const sending of this.#unsettled.takeAll()) {
      if (sending.reject(error)) this.#options.meter.failed();
    }
    this.#settled(collected, () => false);
    this.producer.rejectPending(error);
  }

  #fullError(): PulsarError {
    const { topic, pendingMessagesMax, pendingBytesMax, waitingMessagesMax } = this.#options;
    const waiting = waitingMessagesMax === 0 ? "" : `, and ${waitingMessagesMax} wait for room`;
    return new PulsarError(
      `Cannot send to ${topic}: ${pendingMessagesMax} messages or ${pendingBytesMax} bytes have no receipt yet${waiting}`,
      { code: "queue_full", retryable: true },
    );
  }

  #later(delayMs: number, action: () => void): () => void {
    const timer = new AbortController();
    this.#options.clock.sleep(delayMs, timer.signal).then(action, (error) => {
      // Aborted, because there is nothing to do any more.
      if (!timer.signal.aborted) throw new Error(messageOf(error));
    });
    // With a reason of its own: the one that abort() makes up carries a stack, once a batch.
    return () => timer.abort("stopped");
  }
}
