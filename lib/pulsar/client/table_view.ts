import { closedError } from "./closed_error.ts";
import type { ConsumerServices } from "./consumer.ts";
import type { ReadingOptions } from "./consumer_options.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { Message } from "./message.ts";
import { Reader } from "./reader.ts";

/** What a table view is opened with. */
export interface TableViewOptions<T = Uint8Array>
  extends Omit<ReadingOptions<T>, "readCompacted" | "startMessageIdInclusive"> {
  readonly topic: string;
  /** Name of the subscription in the broker's statistics. */
  readonly subscription?: string | undefined;
}

/** Called with a key and its newest value; undefined when the key is gone. */
export type TableListener<T> = (key: string, value: T | undefined) => void;

interface Value<T> {
  readonly read: () => T;
}

/**
 * The newest value of each key of a topic, kept up as messages come. A message without a value removes its key; messages without a key are
 * passed over. Where the topic was compacted, only what is left of it is read.
 *
 * @example
 * ```ts ignore
 * await using prices = await client.openTableView({ topic: "prices", schema: schema.double() });
 * console.log(prices.get("tea"), prices.size);
 * const stop = prices.listen((key, price) => console.log(key, price));
 * ```
 */
export class TableView<T = Uint8Array> implements AsyncDisposable, Iterable<[string, T]> {
  readonly #reader: Reader<T>;
  readonly #values = new Map<string, Value<T>>();
  readonly #listeners = new Set<TableListener<T>>();
  readonly #closing = new AbortController();
  #progress: Deferred<void> = deferred();
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;
  /** Calls of listeners that failed. */
  listenerErrors = 0;

  private constructor(reader: Reader<T>) {
    this.#reader = reader;
  }

  /** Reads what the topic has, and goes on following it.
   *
   * @throws {PulsarError} why the topic cannot be read
   */
  static async open<T>(
    services: ConsumerServices,
    options: TableViewOptions<T>,
  ): Promise<TableView<T>> {
    const view = new TableView(
      await Reader.open<T>(services, {
        ...options,
        startMessageId: "earliest",
        startMessageIdInclusive: true,
        // Topics that are not stored cannot be compacted either.
        readCompacted: !options.topic.startsWith("non-persistent:"),
      }),
    );
    try {
      void view.#follow();
      await view.refresh(options.signal);
      return view;
    } catch (error) {
      await view.close();
      throw error;
    }
  }

  /** How many keys there are.
   *
   * @throws why the topic cannot be read any more, as all methods do
   */
  get size(): number {
    this.#assertAlive();
    return this.#values.size;
  }

  /** The newest value of a key.
   *
   * @throws {PulsarError} `schema_mismatch` when it is none of the schema
   */
  get(key: string): T | undefined {
    this.#assertAlive();
    return this.#values.get(key)?.read();
  }

  has(key: string): boolean {
    this.#assertAlive();
    return this.#values.has(key);
  }

  keys(): IterableIterator<string> {
    this.#assertAlive();
    return this.#values.keys();
  }

  *values(): IterableIterator<T> {
    this.#assertAlive();
    for (const { read } of this.#values.values()) yield read();
  }

  *entries(): IterableIterator<[string, T]> {
    this.#assertAlive();
    for (const [key, { read }] of this.#values) yield [key, read()];
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.entries();
  }

  /** Calls `action` with each key and value that there is. */
  forEach(action: (key: string, value: T) => void): void {
    for (const [key, value] of this.entries()) action(key, value);
  }

  /** Calls `listener` with each change from now on, until the result is called. What it throws is counted. */
  listen(listener: TableListener<T>): () => void {
    this.#assertAlive();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As {@link forEach} and then {@link listen}, without missing what comes in between. */
  forEachAndListen(listener: TableListener<T>): () => void {
    const stop = this.listen(listener);
    this.forEach(listener);
    return stop;
  }

  /** Resolves when all messages are in that the topic had when it was called.
   *
   * @throws {PulsarError} why the topic cannot be read, or the signal's reason
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      this.#assertAlive();
      // Before the question: what comes while it is asked counts, too.
      const { promise } = this.#progress;
      if (!await this.#reader.hasMessageAvailable()) return;
      await promise;
    }
  }

  close(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    this.#progress.resolve();
    this.#listeners.clear();
    await this.#reader.close();
  }

  async #follow(): Promise<void> {
    try {
      for await (const message of this.#reader) {
        this.#apply(message);
        const { resolve } = this.#progress;
        this.#progress = deferred();
        resolve();
      }
      // Its client was closed; a topic that has ended stays as it is.
      if (!this.#reader.hasReachedEndOfTopic) this.#isClosed = true;
      this.#progress.resolve();
    } catch (error) {
      this.#failure = { error };
      this.#progress.resolve();
    }
  }

  #apply(message: Message<T>): void {
    const { key } = message;
    if (key === undefined) return;
    const value = message.isNull || message.data.length === 0 ? undefined : valueOf(message);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
    for (const listener of this.#listeners) {
      try {
        listener(key, value?.read());
      } catch {
        this.listenerErrors++;
      }
    }
  }

  #assertAlive(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#isClosed) return;
    throw closedError("read table view", "table view");
  }
}

/** The value in bytes of its own; one that is none of the schema is told to whoever asks for it. */
function valueOf<T>(message: Message<T>): Value<T> {
  try {
    const { value } = message;
    const own = value instanceof Uint8Array ? value.slice() as T : value;
    return { read: () => own };
  } catch (error) {
    return {
      read: () => {
        throw error;
      },
    };
  }
}
