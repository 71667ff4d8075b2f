/** What has arrived for a consumer and was not taken, over all its topics, and who waits for it. */
import type { Clock } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import { keyOf } from "./ack_tracker.ts";
import { deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import type { ReceivedEntry, ReceivedMessage } from "./received_entry.ts";
import type { PulsarError } from "../wire/mod.ts";

/** Where entries come from, as the inbox sees it. */
export interface InboxSource {
  /** A message of one of its entries was taken. */
  taken(message: ReceivedMessage<unknown>): void;
  /** So many messages of its entries will not be taken. */
  withdrawn(count: number): void;
}

interface Item {
  readonly source: InboxSource;
  readonly entry: ReceivedEntry;
}

/** Instead of a message: the reason why it cannot be read. */
interface Unreadable {
  readonly error: PulsarError;
}

/** Told to whoever iterates when there is nothing more to come. */
export const END_OF_TOPIC: unique symbol = Symbol("end of topic");

/** Somebody who waits. */
interface Waiter {
  /** Whether the end of all topics ends the waiting. */
  readonly isEndable?: boolean;
  /** Takes what it waits for; false if it is not all there. */
  serve(): boolean;
  reject(reason: unknown): void;
}

/** How much a batch of messages may hold, and how long it waits for it. */
export interface BatchBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** When to give up waiting for a message. */
export interface ReceiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Then the result is undefined. */
  readonly timeoutMs?: number | undefined;
}

/** The messages of a consumer that wait to be received, in the order in which they came. */
export class Inbox {
  readonly #clock: Clock;
  readonly #items = new Fifo<Item | Unreadable>();
  readonly #waiters = new Fifo<Waiter>();
  readonly #waiting: () => void;
  #isServing = false;
  #messages = 0;
  #bytes = 0;
  #closed: { readonly reason: unknown } | undefined;

  /** @param waiting is called when somebody begins to wait */
  constructor(clock: Clock, waiting: () => void) {
    this.#clock = clock;
    this.#waiting = waiting;
  }

  /** Messages that wait to be received. */
  get messageCount(): number {
    return this.#messages;
  }

  /** How many wait for messages; who is being given one does no more. */
  get waiterCount(): number {
    return this.#waiters.length - (this.#isServing ? 1 : 0);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  push(source: InboxSource, entry: ReceivedEntry): void {
    if (this.#closed !== undefined) return;
    this.#messages += entry.left;
    this.#bytes += entry.contentBytes;
    this.#items.push({ source, entry });
    this.serve();
  }

  pushError(error: PulsarError): void {
    this.#items.push({ error });
    this.serve();
  }

  /** Hands out what can be handed out. */
  serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    while (this.#waiters.length > 0 && this.#waiters.peek()!.serve()) this.#waiters.shift();
    this.#isServing = false;
  }

  /**
   * The next message, or undefined if none is there.
   *
   * @throws {PulsarError} why the next message cannot be read; the call after goes on behind it
   */
  take(): ReceivedMessage<unknown> | undefined {
    for (let item = this.#items.peek(); item !== undefined; item = this.#items.peek()) {
      if ("error" in item) {
        this.#items.shift();
        throw item.error;
      }
      const { entry, source } = item;
      if (!entry.isReady) return undefined;
      const message = entry.next();
      if (message === undefined) {
        this.#items.shift();
        this.#bytes -= entry.contentBytes;
        continue;
      }
      this.#messages--;
      if (entry.isTaken) {
        this.#items.shift();
        this.#bytes -= entry.contentBytes;
      }
      source.taken(message);
      return message;
    }
    return undefined;
  }

  /** Drops what a source has handed over and nobody has taken.
   *
   * @param keys of entries; undefined for all
   */
  withdraw(source: InboxSource, keys?: ReadonlySet<string>): void {
    const isMeant = (item: Item | Unreadable) =>
      "entry" in item && item.source === source &&
      (keys === undefined || keys.has(keyOf(item.entry as Position)));
    let count = 0;
    for (const item of this.#items.remove(isMeant)) {
      if (!("entry" in item)) continue;
      count += item.entry.left;
      this.#bytes -= item.entry.contentBytes;
    }
    this.#messages -= count;
    if (count > 0) source.withdrawn(count);
  }

  /** Ends the waiting of those who do not wait beyond the end of the topics. */
  end(): void {
    for (const waiter of this.#waiters.remove(({ isEndable }) => isEndable === true)) {
      waiter.reject(END_OF_TOPIC);
    }
  }

  /** Waits for one message. */
  receive(
    { signal, timeoutMs, endsWithTopic = false }: ReceiveOptions & {
      readonly endsWithTopic?: boolean;
    },
  ): Promise<ReceivedMessage<unknown> | undefined> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed.reason);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#waiters.length === 0) {
      try {
        const message = this.take();
        if (message !== undefined) return Promise.resolve(message);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    if (signal === undefined && timeoutMs === undefined) return this.#wait(endsWithTopic);
    return this.#waitBounded({ signal, timeoutMs }, endsWithTopic);
  }

  /** Waits until a batch is full or its time is over. */
  async receiveBatch(bounds: BatchBounds): Promise<ReceivedMessage<unknown>[]> {
    if (this.#closed !== undefined) throw this.#closed.reason;
    bounds.signal?.throwIfAborted();
    const { promise, resolve, reject } = deferred<ReceivedMessage<unknown>[]>();
    const isFull = () => this.#messages >= bounds.maxMessages || this.#bytes >= bounds.maxBytes;
    const serve = (isLate = false) => {
      if (!isLate && !isFull()) return false;
      try {
        resolve(this.#takeBatch(bounds));
      } catch (error) {
        reject(error);
      }
      return true;
    };
    const waiter: Waiter = { serve: () => serve(), reject };
    this.#begin(waiter);
    return await this.#bounded(promise, waiter, {
      ...bounds,
      late: () => serve(true),
    });
  }

  /** Ends it: whoever waits, and whoever asks afterwards, is told why. */
  close(reason: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { reason };
    this.#items.takeAll();
    this.#messages = this.#bytes = 0;
    for (const waiter of this.#waiters.takeAll()) waiter.reject(reason);
  }

  #wait(isEndable: boolean): Promise<ReceivedMessage<unknown>> {
    return new Promise((resolve, reject) =>
      this.#begin({ ...this.#waiterFor(resolve, reject), isEndable })
    );
  }

  async #waitBounded(
    { signal, timeoutMs }: ReceiveOptions,
    isEndable: boolean,
  ): Promise<ReceivedMessage<unknown> | undefined> {
    const { promise, resolve, reject } = deferred<ReceivedMessage<unknown> | undefined>();
    const waiter = { ...this.#waiterFor(resolve, reject), isEndable };
    this.#begin(waiter);
    const late = () => resolve(undefined);
    return await this.#bounded(promise, waiter, { signal, timeoutMs, late });
  }

  #waiterFor(
    resolve: (message: ReceivedMessage<unknown>) => void,
    reject: (reason: unknown) => void,
  ): Waiter {
    const serve = () => {
      try {
        const message = this.take();
        if (message === undefined) return false;
        resolve(message);
      } catch (error) {
        reject(error);
      }
      return true;
    };
    return { serve, reject };
  }

  #begin(waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.serve();
    if (this.#waiters.length > 0) this.#waiting();
  }

  /** Ends the waiting when its time is over or its signal is aborted. */
  async #bounded<T>(
    promise: Promise<T>,
    waiter: Waiter,
    { signal, timeoutMs, late }: ReceiveOptions & { readonly late: () => void },
  ): Promise<T> {
    const leave = () => this.#waiters.remove((one) => one === waiter);
    const onAbort = () => {
      leave();
      waiter.reject(signal!.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = new AbortController();
    if (timeoutMs !== undefined) {
      this.#clock.sleep(timeoutMs, timer.signal).then(
        () => {
          leave();
          late();
        },
        // Aborted: it was served before.
        () => {},
      );
    }
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      timer.abort();
      // Whoever stood behind a batch that was waited for comes to its turn.
      this.serve();
    }
  }

  #takeBatch({ maxMessages, maxBytes }: BatchBounds): ReceivedMessage<unknown>[] {
    const messages: ReceivedMessage<unknown>[] = [];
    let bytes = 0;
    while (messages.length < maxMessages && bytes < maxBytes) {
      // An error is told by the next call, when nothing else is to be handed out with it.
      const head = this.#items.peek();
      if (head !== undefined && "error" in head && messages.length > 0) break;
      const message = this.take();
      if (message === undefined) break;
      messages.push(message);
      bytes += message.byteLength;
    }
    return messages;
  }
}
