import { type BatchReceiveOptions, Consumer, type ConsumerServices } from "./consumer.ts";
import { END_POSITIONS, type ReadingOptions, type StartPosition } from "./consumer_options.ts";
import { randomName, type ReaderStart } from "./consumer_settings.ts";
import type { ConsumerStats } from "./consumer_stats.ts";
import type { ReceiveOptions } from "./inbox.ts";
import type { Message } from "./message.ts";
import { MessageId } from "./message_id.ts";
import { assertChoices } from "./option_checks.ts";
import { PulsarError } from "../wire/mod.ts";

/** What a reader is opened with: `topic` or `topics`. */
export interface ReaderOptions<T = Uint8Array> extends ReadingOptions<T> {
  readonly topic?: string | undefined;
  readonly topics?: readonly string[] | undefined;
  /** Where it begins; the message of an id itself is left out unless `startMessageIdInclusive`. Default `latest`. */
  readonly startMessageId?: MessageId | "earliest" | "latest" | undefined;
  /** Begins with the messages of the last so many ms, instead of `startMessageId`; brokers know whole seconds. */
  readonly startTimeAgoMs?: number | undefined;
  /** Name of the subscription in the broker's statistics. Default `reader-` and ten characters. */
  readonly subscription?: string | undefined;
}

/**
 * Reads a topic from a place of its own choosing, without a subscription that is kept.
 *
 * @example
 * ```ts ignore
 * await using reader = await client.openReader({ topic: "orders", startMessageId: "earliest" });
 * while (await reader.hasMessageAvailable()) {
 *   const message = await reader.readNext();
 *   console.log(message.key, message.data);
 * }
 * ```
 */
export class Reader<T = Uint8Array> implements AsyncDisposable, AsyncIterable<Message<T>> {
  readonly #consumer: Consumer<T>;

  private constructor(consumer: Consumer<T>) {
    this.#consumer = consumer;
  }

  /** @throws {PulsarError} why a topic cannot be read */
  static async open<T>(
    services: ConsumerServices,
    options: ReaderOptions<T>,
  ): Promise<Reader<T>> {
    const { startMessageId: _, startTimeAgoMs: __, subscription, ...reading } = options;
    const start = startOf(options);
    const name = subscription ?? `reader-${randomName(services.context.random)}`;
    const consumer = await Consumer.open<T>(services, {
      ...reading,
      subscription: name,
      subscriptionType: "exclusive",
      durable: false,
    }, start);
    try {
      const { id, isInclusive } = start.start ?? {};
      assertOnePartition(id, consumer.topics);
      // The broker knows no "last message and what comes after".
      if (id?.ledgerId === Infinity && isInclusive) await seekToLast(consumer);
      return new Reader(consumer);
    } catch (error) {
      await consumer.close();
      throw error;
    }
  }

  /** Full names of the topics and partitions that it reads now. */
  get topics(): readonly string[] {
    return this.#consumer.topics;
  }

  /** Whether each of its topics is connected to its broker at this moment. */
  get isConnected(): boolean {
    return this.#consumer.isConnected;
  }

  /** Whether each of its topics is terminated and was read to its end. */
  get hasReachedEndOfTopic(): boolean {
    return this.#consumer.hasReachedEndOfTopic;
  }

  /** Counts since it was opened. */
  get stats(): ConsumerStats {
    return this.#consumer.stats;
  }

  /**
   * The next message.
   *
   * @param options.signal gives up waiting
   * @param options.timeoutMs gives up waiting after this time; the result is then undefined
   * @throws {PulsarError} as `Consumer.receive`
   */
  readNext(options?: { readonly signal?: AbortSignal | undefined }): Promise<Message<T>>;
  readNext(options: ReceiveOptions): Promise<Message<T> | undefined>;
  async readNext(options: ReceiveOptions = {}): Promise<Message<T> | undefined> {
    const message = await this.#consumer.receive(options);
    if (message !== undefined) this.#read(message);
    return message;
  }

  /** The messages that are there, or come until the batch is full or its time over; maybe none.
   *
   * @throws {PulsarError} as `Consumer.receive`
   */
  async readBatch(options: BatchReceiveOptions = {}): Promise<Message<T>[]> {
    const messages = await this.#consumer.batchReceive(options);
    messages.forEach((message) => this.#read(message));
    return messages;
  }

  /** Whether any of its topics has a message after the last that was read.
   *
   * @throws {PulsarError} `closed`, or what the broker answers
   */
  async hasMessageAvailable(): Promise<boolean> {
    return await this.#consumer.hasMessageAvailable();
  }

  /** The last message of each topic or partition that has one.
   *
   * @throws {PulsarError} `closed`, or what the broker answers
   */
  async getLastMessageIds(): Promise<MessageId[]> {
    return await this.#consumer.getLastMessageIds();
  }

  /** Goes on at another place; see `Consumer.seek`.
   *
   * @throws {PulsarError} what the broker answers
   */
  async seek(target: MessageId | number): Promise<void> {
    await this.#consumer.seek(target);
  }

  /** Messages until it is closed, the signal is aborted, or all its topics have ended.
   *
   * @throws {PulsarError} as `Consumer.receive`, but for `closed`; the signal's reason
   */
  async *messages(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Message<T>, void, undefined> {
    for await (const message of this.#consumer.messages(options)) {
      this.#read(message);
      yield message;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message<T>, void, undefined> {
    return this.messages();
  }

  /** Closes it; whoever waits for messages hears `closed`. */
  close(): Promise<void> {
    return this.#consumer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#consumer.close();
  }

  /** The broker is told of whole entries, so that its backlog shows how far behind the reader is. */
  #read(message: Message<T>): void {
    const { batchIndex, batchMessageCount = 1 } = message.id;
    if (batchIndex < batchMessageCount - 1) return;
    // Closed meanwhile: nobody needs the acknowledgement of a reader.
    this.#consumer.acknowledgeCumulative(message).catch(() => {});
  }
}

function startOf(options: ReaderOptions<unknown>): ReaderStart {
  const { startTimeAgoMs, startMessageId = "latest", startMessageIdInclusive } = options;
  if (startTimeAgoMs !== undefined) {
    return { start: undefined, startRollbackSec: Math.max(1, Math.ceil(startTimeAgoMs / 1000)) };
  }
  const isInclusive = startMessageIdInclusive ?? false;
  if (typeof startMessageId !== "object") {
    const name = "startMessageId";
    assertChoices("read", [{ name, value: startMessageId, allowed: END_POSITIONS }]);
  }
  const id = typeof startMessageId === "object" ? startMessageId : MessageId[startMessageId];
  const start: StartPosition = { id, isInclusive };
  return { start };
}

/** An id is a place in one partition: it says nothing about the others. */
function assertOnePartition(id: MessageId | undefined, topics: readonly string[]): void {
  const isPlace = id !== undefined && id.entryId >= 0 && id.ledgerId !== Infinity;
  if (!isPlace || topics.length <= 1) return;
  throw new PulsarError(
    `Cannot read ${topics.length} partitions from ${MessageId.toText(id)} on: it is of one of them`,
    { code: "not_supported", cure: "begin at the earliest and seek, or read one partition" },
  );
}

async function seekToLast<T>(consumer: Consumer<T>): Promise<void> {
  for (const id of await consumer.getLastMessageIds()) await consumer.seek(id);
}
