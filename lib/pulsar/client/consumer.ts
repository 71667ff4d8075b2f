import type { AckId } from "./ack_tracker.ts";
import { closedError } from "./closed_error.ts";
import {
  assertConsumerOptions,
  type ConsumerOptions,
  type MessageListener,
} from "./consumer_options.ts";
import { type ReaderStart, sharedTopicOptions } from "./consumer_settings.ts";
import { type ConsumerStats, statsOf } from "./consumer_stats.ts";
import type { ClientContext } from "./context.ts";
import { Letters, type OpenProducer, retryTopicOf } from "./dead_letter.ts";
import { END_OF_TOPIC, Inbox, type ReceiveOptions } from "./inbox.ts";
import type { Message } from "./message.ts";
import { isForAllTopics, MessageId } from "./message_id.ts";
import { ReceivedMessage } from "./received_entry.ts";
import type { TopicConsumer } from "./topic_consumer.ts";
import { parseTopicPattern } from "./topic_pattern.ts";
import { TopicWatcher } from "./topic_watcher.ts";
import type { TopicConsumerOwner } from "./topic_consumer_parts.ts";
import { parseTopicName } from "./topic_name.ts";
import { isGone, type PartitionCount, TopicSet } from "./topic_set.ts";
import { PulsarError } from "../wire/mod.ts";

const MINUTE_MS = 60_000;
const BATCH_BYTES = 10 * 1024 * 1024;
const BATCH_TIMEOUT_MS = 100;

/** What a consumer needs of its client. */
export interface ConsumerServices {
  readonly context: ClientContext;
  readonly partitionCount: PartitionCount;
  readonly openProducer: OpenProducer;
}

/** What `batchReceive` waits for: whichever is reached first. */
export interface BatchReceiveOptions {
  /** Default: no bound. */
  readonly maxMessages?: number | undefined;
  /** Default 10 MiB. */
  readonly maxBytes?: number | undefined;
  /** Default 100 ms. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A message, or its id. */
export type MessageOrId = Message<unknown> | MessageId;

/**
 * Receives the messages of a subscription.
 *
 * @example
 * ```ts ignore
 * await using client = await connectPulsar({ serviceUrl: "pulsar://127.0.0.1:6650" });
 * await using consumer = await client.openConsumer({
 *   topic: "orders",
 *   subscription: "kitchen",
 *   subscriptionType: "shared",
 *   schema: schema.string(),
 * });
 * for await (const message of consumer) {
 *   console.log(message.key, message.value);
 *   await consumer.acknowledge(message);
 * }
 * ```
 */
export class Consumer<T = Uint8Array> implements AsyncDisposable, AsyncIterable<Message<T>> {
  readonly subscription: string;
  readonly consumerName: string;
  readonly #services: ConsumerServices;
  /** Of any value, so that a consumer of something is a consumer of anything. */
  readonly #options: ConsumerOptions<unknown>;
  readonly #inbox: Inbox;
  readonly #topics: TopicSet;
  readonly #letters: Letters;
  readonly #closing = new AbortController();
  readonly #watcher: TopicWatcher | undefined;
  #disposed: Promise<void> | undefined;
  #listenerErrors = 0;

  private constructor(
    services: ConsumerServices,
    options: ConsumerOptions<T>,
    reader: ReaderStart,
    topics: readonly string[],
  ) {
    const { context } = services;
    this.#services = services;
    this.#options = options as ConsumerOptions<unknown>;
    this.subscription = options.subscription;
    const shared = sharedTopicOptions(options as ConsumerOptions<unknown>, reader, context.random);
    this.consumerName = shared.subscribe.consumerName!;
    // Only a consumer that lets nothing come ahead asks when somebody begins to wait.
    const waiting = options.receiverQueueSize === 0 ? () => this.#grantPermits() : () => {};
    this.#inbox = new Inbox(context.clock, waiting);
    this.#letters = new Letters({
      topic: options.enableRetry ? topics[0] : undefined,
      subscription: options.subscription,
      consumerName: this.consumerName,
      policy: options.deadLetterPolicy,
      schemaInfo: options.schema?.info,
      openProducer: services.openProducer,
    });
    this.#topics = new TopicSet({
      context,
      options: shared,
      schema: options.schema as ConsumerOptions<unknown>["schema"],
      owner: this.#owner(),
      partitionCount: services.partitionCount,
      closing: this.#closing.signal,
    });
    const { topicsPattern } = options;
    this.#watcher = topicsPattern === undefined ? undefined : this.#watcherOf(topicsPattern);
  }

  /** @throws {PulsarError} why a topic cannot be subscribed */
  static async open<T>(
    services: ConsumerServices,
    options: ConsumerOptions<T>,
    reader: ReaderStart = {},
  ): Promise<Consumer<T>> {
    assertConsumerOptions(options as ConsumerOptions<unknown>);
    const { topic, topics = topic === undefined ? [] : [topic] } = options;
    const named = topics.map((name) => parseTopicName(name).full);
    const consumer = new Consumer<T>(services, options, reader, named);
    try {
      await consumer.#subscribe(named);
    } catch (error) {
      await consumer[Symbol.asyncDispose]();
      throw error;
    }
    consumer.#start();
    return consumer;
  }

  /** Full names of the topics and partitions that it reads now. */
  get topics(): readonly string[] {
    return this.#topics.consumers.map(({ topic }) => topic);
  }

  /** Whether each of its topics is connected to its broker at this moment. */
  get isConnected(): boolean {
    return !this.#closing.signal.aborted &&
      this.#topics.consumers.every(({ session }) => session.connection !== undefined);
  }

  /** Whether each of its topics is terminated and has nothing left that is not acknowledged. */
  get hasReachedEndOfTopic(): boolean {
    const { consumers } = this.#topics;
    return consumers.length > 0 && consumers.every(({ hasReachedEnd }) => hasReachedEnd);
  }

  /** Counts since it was opened. */
  get stats(): ConsumerStats {
    return statsOf(this.#topics.consumers, {
      queuedMessages: this.#inbox.messageCount,
      listenerErrors: this.#listenerErrors,
      failedUpdates: this.#topics.failedUpdates + (this.#watcher?.failedCount ?? 0),
    });
  }

  /**
   * The next message.
   *
   * @param options.signal gives up waiting
   * @param options.timeoutMs gives up waiting after this time; the result is then undefined
   * @throws {PulsarError} `closed`; why it cannot go on; or why this one message cannot be read (`checksum_mismatch`, `malformed`,
   *   `decompression_failed`, `not_supported` where it is encrypted): it stays unacknowledged, and the next call goes on behind it
   */
  receive(options?: { readonly signal?: AbortSignal | undefined }): Promise<Message<T>>;
  receive(options: ReceiveOptions): Promise<Message<T> | undefined>;
  receive(options: ReceiveOptions = {}): Promise<Message<T> | undefined> {
    return this.#inbox.receive(options) as Promise<Message<T> | undefined>;
  }

  /** The messages that are there, or come until the batch is full or its time over; maybe none.
   *
   * @throws {PulsarError} as {@link receive}
   */
  async batchReceive(options: BatchReceiveOptions = {}): Promise<Message<T>[]> {
    const messages = await this.#inbox.receiveBatch({
      maxMessages: options.maxMessages ?? Infinity,
      maxBytes: options.maxBytes ?? BATCH_BYTES,
      timeoutMs: options.timeoutMs ?? BATCH_TIMEOUT_MS,
      signal: options.signal,
    });
    return messages as ReceivedMessage<T>[];
  }

  /** Messages until it is closed, the signal is aborted, or all its topics have ended.
   *
   * @throws {PulsarError} as {@link receive}, but for `closed`; the signal's reason
   */
  async *messages(
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Message<T>, void, undefined> {
    const options = { endsWithTopic: true, ...(signal === undefined ? {} : { signal }) };
    while (!this.#closing.signal.aborted) {
      if (this.#inbox.messageCount === 0 && this.hasReachedEndOfTopic) return;
      let message: ReceivedMessage<unknown> | undefined;
      try {
        message = await this.#inbox.receive(options);
      } catch (error) {
        if (error === END_OF_TOPIC || this.#isDisposedFor(error)) return;
        throw error;
      }
      yield message as ReceivedMessage<T>;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message<T>, void, undefined> {
    return this.messages();
  }

  /**
   * Tells the broker that messages are dealt with. They go in groups, within `ackGroupTimeMs`; those that are lost with a connection are
   * sent again where there are receipts, else the messages come again.
   *
   * @throws {PulsarError} from the result: `closed`; with `ackReceipt`, what the broker answers, or `request_timeout` when it does not
   */
  acknowledge(messages: MessageOrId | readonly MessageOrId[]): Promise<void> {
    if (Array.isArray(messages)) {
      return Promise.all(messages.map((one: MessageOrId) => this.acknowledge(one))).then(() => {});
    }
    try {
      const message = messages as MessageOrId;
      const topic = this.#topicOf(message, "acknowledge");
      return topic.acks.acknowledge(ackIdOf(message));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Tells the broker that everything of a topic up to and with a message is dealt with.
   *
   * @throws {PulsarError} from the result: `not_supported` on shared and key_shared subscriptions; as {@link acknowledge}
   */
  async acknowledgeCumulative(message: MessageOrId): Promise<void> {
    const topic = this.#topicOf(message, "acknowledge");
    if (topic.isShared) {
      throw new PulsarError(
        `Cannot acknowledge cumulatively: ${this.subscription} shares its messages out`,
        { code: "not_supported", cure: "acknowledge each message" },
      );
    }
    const id = ackIdOf(message);
    const result = topic.acks.acknowledgeCumulative(id);
    topic.redelivery.acknowledgedUpTo({ ledgerId: id.ledgerId, entryId: id.entryId - 1 });
    if (!topic.acks.tracker.isPartial(id)) topic.redelivery.acknowledged(id, true);
    await result;
  }

  /**
   * Has a message delivered again, after `negativeAckRedeliveryDelayMs` or as `negativeAckBackoff` says. Exclusive and failover
   * subscriptions deliver everything again that is not acknowledged: only shared ones can leave messages out.
   *
   * @param options.delayMs instead of the consumer's
   * @throws {PulsarError} `closed`
   */
  negativeAcknowledge(
    message: MessageOrId,
    { delayMs }: { readonly delayMs?: number | undefined } = {},
  ): void {
    const topic = this.#topicOf(message, "acknowledge negatively");
    const redeliveryCount = message instanceof ReceivedMessage ? message.redeliveryCount : 0;
    topic.redelivery.later(ackIdOf(message), redeliveryCount, delayMs);
  }

  /**
   * Sends a message to the retry letter topic, from where it comes again after a delay, and acknowledges it here. Where it was there more
   * often than `maxRedeliverCount` says, it goes to the dead letter topic instead.
   *
   * @param options.properties are added to the message's
   * @throws {PulsarError} `not_supported` without `enableRetry`; why it could not be sent: then it stays unacknowledged
   */
  async reconsumeLater(
    message: Message<unknown>,
    delayMs: number,
    options: { readonly properties?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    if (!this.#options.enableRetry) {
      throw new PulsarError("Cannot reconsume later: enableRetry is not set", {
        code: "not_supported",
        cure: "open the consumer with enableRetry",
      });
    }
    this.#topicOf(message, "reconsume later");
    await this.#letters.retry(message, delayMs, options.properties);
    await this.acknowledge(message);
  }

  /** Has everything delivered again that was received and not acknowledged. */
  redeliverUnacknowledged(): void {
    this.#assertOpen("redeliver");
    for (const topic of this.#topics.consumers) topic.redeliverAll();
  }

  /**
   * Goes on at another place, for the whole subscription. Without `startMessageIdInclusive` the message that an id names is left out.
   *
   * @param target an id of one topic or partition, `MessageId.earliest` or `latest`, or a publish time in ms since 1970
   * @throws {PulsarError} what the broker answers
   */
  async seek(target: MessageId | number): Promise<void> {
    this.#assertOpen("seek");
    const isForAll = isForAllTopics(target) || typeof target === "number";
    const topics = isForAll ? this.#topics.consumers : [this.#topicOf(target, "seek")];
    await Promise.all(topics.map((topic) => topic.seek(target)));
  }

  /** The last message of each topic or partition that has one.
   *
   * @throws {PulsarError} `closed`, or what the broker answers
   */
  async getLastMessageIds(): Promise<MessageId[]> {
    this.#assertOpen("read the last message ids");
    const answers = await Promise.all(this.#topics.consumers.map((one) => one.lastMessageId()));
    return answers.flatMap(({ last }) => last === undefined ? [] : [last]);
  }

  /** Whether a message waits here, or any of its topics has one after the last that was received. */
  async hasMessageAvailable(): Promise<boolean> {
    this.#assertOpen("ask for messages");
    if (this.#inbox.messageCount > 0) return true;
    const { consumers } = this.#topics;
    const answers = await Promise.all(consumers.map((one) => one.hasMessageAvailable()));
    return answers.includes(true) || this.#inbox.messageCount > 0;
  }

  /** Asks for no more messages until {@link resume}; those that are on their way still come. */
  pause(): void {
    this.#topics.isPaused = true;
  }

  /** Ends a {@link pause}. */
  resume(): void {
    this.#topics.isPaused = false;
  }

  /**
   * Removes the subscription, and closes the consumer.
   *
   * @param options.force also where other consumers have it
   * @throws {PulsarError} what the broker answers
   */
  async unsubscribe({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    this.#assertOpen("unsubscribe");
    await Promise.all(this.#topics.consumers.map((topic) => topic.unsubscribe(force)));
    await this[Symbol.asyncDispose]();
  }

  /** Sends the acknowledgements that wait, and closes it; whoever waits for messages hears `closed`. */
  close(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposed ??= this.#dispose(
      closedError(`read ${this.#name}`, "consumer"),
    );
  }

  async #dispose(reason: unknown): Promise<void> {
    this.#closing.abort(reason);
    this.#services.context.opened.delete(this);
    this.#watcher?.close();
    this.#inbox.close(reason);
    const error = reason instanceof PulsarError ? reason : new PulsarError(
      `Cannot read ${this.#name}: the consumer has failed`,
      { code: "closed", cause: reason },
    );
    await Promise.all(this.#topics.consumers.map((topic) => topic.close(error)));
    await this.#letters[Symbol.asyncDispose]();
  }

  get #name(): string {
    return this.#topics.topics.join(", ") || this.subscription;
  }

  async #subscribe(named: readonly string[]): Promise<void> {
    const { enableRetry, subscription, deadLetterPolicy, signal } = this.#options;
    const retry = enableRetry
      ? [parseTopicName(retryTopicOf(named[0] ?? "", subscription, deadLetterPolicy)).full]
      : [];
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    const found = await this.#watcher?.list(AbortSignal.any(signals)) ?? [];
    await this.#topics.add([...new Set([...named, ...retry])], false, signal);
    await this.#topics.addEach(found.map(({ name }) => name), false, signal);
  }

  #watcherOf(pattern: string | RegExp): TopicWatcher {
    const { topicsMode, patternAutoDiscoveryIntervalMs } = this.#options;
    return new TopicWatcher({
      context: this.#services.context,
      pattern: parseTopicPattern(pattern, topicsMode),
      intervalMs: patternAutoDiscoveryIntervalMs ?? MINUTE_MS,
      closing: this.#closing.signal,
      changed: (topics) => this.#topics.follow(topics),
    });
  }

  #start(): void {
    this.#services.context.opened.add(this);
    const intervalMs = this.#options.autoUpdatePartitionsIntervalMs ?? MINUTE_MS;
    if (intervalMs > 0) this.#topics.watchPartitions(intervalMs);
    this.#watcher?.start();
    const { listener } = this.#options;
    if (listener !== undefined) void this.#listen(listener);
  }

  #owner(): TopicConsumerOwner {
    const inbox = this.#inbox;
    const { activeChanged } = this.#options;
    return {
      arrived: (source, entry) => inbox.push(source, entry),
      unreadable: (error) => inbox.pushError(error),
      withdraw: (source, keys) => inbox.withdraw(source, keys),
      wake: () => inbox.serve(),
      get waiting() {
        return inbox.waiterCount;
      },
      deadLetter: (message) => this.#letters.bury(message),
      activeChanged: (isActive, topic) => activeChanged?.(isActive, topic),
      reachedEnd: () => {
        if (this.hasReachedEndOfTopic && inbox.messageCount === 0) inbox.end();
      },
      failed: (error, topic) => this.#failed(error, topic),
    };
  }

  #failed(error: unknown, topic: string): void {
    // A pattern means the topics that there are.
    if (isGone(error) && this.#watcher !== undefined) return void this.#topics.removeByName(topic);
    // Nothing may be left out without a word.
    if (this.#disposed !== undefined) return;
    this.#disposed = this.#dispose(error);
    this.#disposed.catch(() => {});
  }

  #grantPermits(): void {
    for (const topic of this.#topics.consumers) topic.grantPermits();
  }

  /** Until it is closed or has failed: `onError` hears of that, and of what cannot be read. */
  async #listen(listener: MessageListener<unknown>): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        for await (const message of this.messages()) await this.#tell(listener, message);
        return;
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
  }

  async #tell(listener: MessageListener<unknown>, message: Message<T>): Promise<void> {
    try {
      await listener(message);
    } catch {
      this.#listenerErrors++;
      if (!this.#closing.signal.aborted) this.negativeAcknowledge(message);
    }
  }

  /** Closed by its user, that is, and not because a topic cannot be read. */
  #isDisposedFor(error: unknown): boolean {
    const { aborted, reason } = this.#closing.signal;
    return aborted && error === reason && error instanceof PulsarError && error.code === "closed";
  }

  #assertOpen(action: string): void {
    if (!this.#closing.signal.aborted) return;
    throw closedError(action, "consumer");
  }

  #topicOf(target: MessageOrId, action: string): TopicConsumer {
    this.#assertOpen(action);
    const topic = target instanceof ReceivedMessage
      ? this.#topics.of(target.topic)
      : this.#topics.ofId("id" in target ? target.id : target);
    if (topic !== undefined) return topic;
    const id = "id" in target ? target.id : target;
    throw new PulsarError(
      `Cannot ${action}: ${MessageId.toText(id)} names no topic of this consumer`,
      { code: "not_supported", cure: "give the message itself, or its id with `topic`" },
    );
  }
}

function ackIdOf(target: MessageOrId): AckId {
  if (target instanceof ReceivedMessage) return target.ackId;
  const id = "id" in target ? target.id : target;
  if (id.batchIndex >= 0 && id.batchMessageCount === undefined) {
    throw new TypeError(
      "Cannot acknowledge: the id of a message in a batch has no batchMessageCount; give the message or its id as it came",
    );
  }
  return id;
}
