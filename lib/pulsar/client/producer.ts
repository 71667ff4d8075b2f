/** One message after the other, batched by itself: the way to send that services use. Whole batches in place are `BatchProducer`'s. */
import { closedError } from "./closed_error.ts";
import type { ClientContext } from "./context.ts";
import { orAborted } from "./context.ts";
import { systemNameOf } from "./connection.ts";
import type { MessageId } from "./message_id.ts";
import { PartitionRouter } from "./message_router.ts";
import { type EncodedMessage, encodeOutgoing, type OutgoingMessage } from "./outgoing_message.ts";
import type { PartitionSender } from "./partition_sender.ts";
import { PartitionSenders } from "./partition_senders.ts";
import { type ProducerOptions, type ProducerSettings, settingsOf } from "./producer_options.ts";
import { ProducerMeter, type ProducerStats } from "./producer_stats.ts";
import type { Schema } from "./schema.ts";
import { Sending } from "./sending.ts";
import { TopicSchemas } from "./topic_schemas.ts";

/**
 * Sends messages to a topic, one after the other, in batches that it fills by itself.
 *
 * @example
 * ```ts ignore
 * await using client = await connectPulsar({ serviceUrl: "pulsar://127.0.0.1:6650" });
 * await using producer = await client.openProducer({ topic: "orders", schema: schema.string() });
 * const id = await producer.send({ value: "two teas", key: "table-7" });
 * console.log(MessageId.toText(id));
 * ```
 */
export class Producer<T = Uint8Array> implements AsyncDisposable {
  /** Full name. */
  readonly topic: string;
  readonly #context: ClientContext;
  readonly #settings: ProducerSettings<T>;
  readonly #senders: PartitionSenders;
  readonly #router: PartitionRouter;
  readonly #meter: ProducerMeter;
  readonly #schemas: TopicSchemas;
  /** Versions of schemas besides the producer's own. */
  readonly #versions = new Map<Schema<unknown>, Uint8Array>();
  readonly #closing = new AbortController();
  readonly #stopTimers: (() => void)[] = [];
  #isClosed = false;
  /** While a schema is registered, later messages wait behind it. */
  #gate: Promise<unknown> | undefined;

  private constructor(
    context: ClientContext,
    settings: ProducerSettings<T>,
    parts: { readonly senders: PartitionSenders; readonly meter: ProducerMeter },
    router: PartitionRouter,
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#senders = parts.senders;
    this.#meter = parts.meter;
    this.#router = router;
    this.topic = settings.topic;
    this.#schemas = new TopicSchemas(context, settings.topic, this.#closing.signal);
    this.#startTimers();
  }

  /** @throws {PulsarError} why a partition's producer cannot be registered */
  static async open<T>(
    context: ClientContext,
    options: ProducerOptions<T>,
    partitionCount: number,
  ): Promise<Producer<T>> {
    const settings = settingsOf(options);
    const { routing, hashing } = settings;
    const meter = new ProducerMeter(context.clock);
    const router = new PartitionRouter({ routing, hashing, random: context.random });
    const senders: PartitionSenders = new PartitionSenders(context, settings, {
      meter,
      onBatchEnded: (index) => router.batchEnded(index, senders.count),
    });
    await senders.open(partitionCount);
    return new Producer(context, settings, { senders, meter }, router);
  }

  /** As the broker knows it: the name that was given, or one that it made up. */
  get producerName(): string {
    return this.#senders.first.producer.producerName;
  }

  /** 1 for a topic that is not partitioned. */
  get partitionCount(): number {
    return this.#senders.count;
  }

  /** The system as a result names it, e.g. `embedded broker` or `Apache Pulsar 4.2.4`. */
  get systemName(): string {
    return systemNameOf(this.#senders.first.producer.serverVersion);
  }

  /** Whether all partitions have a connection at this moment. */
  get isConnected(): boolean {
    return !this.#closing.signal.aborted &&
      [...this.#senders].every(({ producer }) => producer.isConnected);
  }

  /** The highest sequence id that the log is known to hold of this producer, −1 for none. */
  get lastSequenceId(): number {
    return Math.max(...[...this.#senders].map((sender) => sender.lastSequenceId));
  }

  /** Figures since it was opened, and of the last interval. */
  get stats(): ProducerStats {
    return this.#meter.read();
  }

  /**
   * Sends a message; the promise settles with its receipt. Messages of one partition are stored in the order of the calls.
   *
   * @param signal gives the message up: it is not sent if it still waits for room, else it may be stored all the same
   * @returns where it lies; ledger and entry −1 when the broker had it already (deduplication)
   * @throws {PulsarError} from the result: why the broker refused it, `schema_mismatch`, `message_too_large`, `queue_full`, `send_timeout` or
   *   `closed`
   */
  send(message: OutgoingMessage<T>, signal?: AbortSignal): Promise<MessageId> {
    const { schema } = this.#settings;
    // Not async: each promise more takes half a microsecond.
    if (this.#gate === undefined) return this.#send(message, schema, signal);
    return this.#passGate().then(() => this.#send(message, schema, signal));
  }

  /**
   * Sends a message of another schema, which is registered with the topic first. Messages sent later wait for that.
   *
   * @throws {PulsarError} from the result: `incompatible_schema`, and as `send`
   */
  async sendAs<Value>(
    schema: Schema<Value>,
    message: OutgoingMessage<Value>,
    signal?: AbortSignal,
  ): Promise<MessageId> {
    if (this.#gate !== undefined) await this.#passGate();
    if (schema.info !== undefined && !this.#versions.has(schema as Schema<unknown>)) {
      const registered = this.#schemas.getOrCreate(schema.info);
      this.#gate = registered;
      try {
        this.#versions.set(schema as Schema<unknown>, await registered);
      } finally {
        if (this.#gate === registered) this.#gate = undefined;
      }
    }
    return await this.#send(message, schema, signal);
  }

  /**
   * Sends what is in batches now, and waits until everything sent before has its receipt or its error, which are told by `send`.
   *
   * @throws the signal's reason when it is aborted before
   */
  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#gate !== undefined) await this.#passGate();
    const flushed = Promise.all([...this.#senders].map((sender) => sender.flush()));
    await (signal === undefined ? flushed : orAborted(flushed, signal));
  }

  /**
   * Resolves when no message would have to wait for room; to be awaited before `send` where its result is not.
   *
   * @throws the signal's reason when it is aborted before
   */
  async ready(signal?: AbortSignal): Promise<void> {
    const ready = Promise.all([...this.#senders].map((sender) => sender.ready()));
    await (signal === undefined ? ready : orAborted(ready, signal));
  }

  /**
   * Flushes, then ends. No later than the send timeout, as nothing waits longer than that.
   *
   * @throws the signal's reason when it is aborted before; it is closed all the same
   */
  async close(signal?: AbortSignal): Promise<void> {
    try {
      await this.flush(signal);
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Ends at once: what has no receipt yet is rejected with `closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort(closedError(`send to ${this.topic}`, "producer"));
    for (const stop of this.#stopTimers.splice(0)) stop();
    this.#context.opened.delete(this);
    await this.#senders[Symbol.asyncDispose]();
  }

  #send<Value>(
    message: OutgoingMessage<Value>,
    schema: Schema<Value>,
    signal?: AbortSignal,
  ): Promise<MessageId> {
    try {
      return this.#begin(message, schema, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin<Value>(
    message: OutgoingMessage<Value>,
    schema: Schema<Value>,
    signal: AbortSignal | undefined,
  ): Promise<MessageId> {
    if (this.#isClosed) throw this.#closing.signal.reason;
    signal?.throwIfAborted();
    const schemaVersion = this.#versions.get(schema as Schema<unknown>);
    const { clock } = this.#context;
    const encoded = encodeOutgoing(message, schema, { clock, schemaVersion });
    const sender = this.#senderFor(message, encoded);
    const { sending, sent } = newSending(encoded, clock.monoUs());
    sender.send(sending);
    if (signal === undefined) return sent;
    const onAbort = () => sender.withdraw(sending, signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    return sent.finally(() => signal.removeEventListener("abort", onAbort));
  }

  #senderFor(message: OutgoingMessage<unknown>, { partitionKey }: EncodedMessage): PartitionSender {
    const { count } = this.#senders;
    const index = this.#router.route(message, partitionKey, count);
    // Without batches every message is one.
    if (this.#settings.batching === undefined) this.#router.batchEnded(index, count);
    return this.#senders.at(index);
  }

  async #passGate(): Promise<void> {
    while (this.#gate !== undefined) await this.#gate.then(() => {}, () => {});
  }

  #startTimers(): void {
    const { clock } = this.#context;
    const { statsIntervalMs, onStats, partitionsUpdateIntervalMs } = this.#settings;
    if (statsIntervalMs > 0) {
      this.#stopTimers.push(clock.every(statsIntervalMs, () => {
        this.#meter.endInterval();
        onStats?.(this.stats);
      }));
    }
    if (partitionsUpdateIntervalMs > 0) {
      this.#stopTimers.push(
        clock.every(partitionsUpdateIntervalMs, () => void this.#senders.grow()),
      );
    }
  }
}

function newSending(message: EncodedMessage, startUs: number) {
  let sending!: Sending;
  const sent = new Promise<MessageId>((resolve, reject) => {
    sending = new Sending(message, startUs, { resolve, reject });
  });
  return { sending, sent };
}
