/** One consumer of one partition: subscription, order, and the turns between the broker's frames and the handler's promises. */
import { assert } from "../../base/mod.ts";
import type { Position, SourceHandler } from "../../contract.ts";
import { Backoff } from "./backoff.ts";
import { closedError } from "./closed_error.ts";
import type { Connection, ConsumerEndpoint } from "./connection.ts";
import { type ClientContext, retrying } from "./context.ts";
import { deferred } from "./deferred.ts";
import { EntryDecoder } from "./entry_decoder.ts";
import { unexpected } from "./lookup.ts";
import { Permits } from "./permits.ts";
import { assertFollows, comparePositions } from "./positions.ts";
import {
  CommandSubscribeInitialPosition,
  CommandSubscribeSubType,
  encodeCommand,
  type Frame,
  type MessageView,
  ProtoWriter,
  PulsarError,
  type Schema,
  writeAck,
  writeFlow,
} from "../wire/mod.ts";

/** What a partition's consumer is opened with. */
export interface PartitionConsumerOptions {
  readonly topic: string;
  readonly partition: number;
  readonly subscription: string;
  readonly subscriptionType: "exclusive" | "failover";
  readonly consumerName?: string | undefined;
  readonly schema?: Schema | undefined;
  /** Bytes that may be under way or wait for the handler. */
  readonly receiverBytesMax: number;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

/** An entry that waits for the handler. */
interface Entry {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly position: Position;
  readonly messageCount: number;
  readonly release: () => void;
}

/** One subscription on one connection, until either ends. */
interface Session {
  readonly connection: Connection;
  isSubscribed: boolean;
  isLost: boolean;
  /** What the broker says. */
  isActive: boolean;
  /** What the handler was told. */
  isActivated: boolean;
  didWork: boolean;
}

/** How often one entry may come damaged before it is taken for damaged in the log. */
const DAMAGED_DELIVERIES_MAX = 3;

/** Reads one partition. */
export class PartitionConsumer implements ConsumerEndpoint, AsyncDisposable {
  readonly #context: ClientContext;
  readonly #options: PartitionConsumerOptions;
  readonly #consumerId: number;
  readonly #decoder: EntryDecoder;
  readonly #permits: Permits;
  readonly #backoff: Backoff;
  readonly #queue: Entry[] = [];
  readonly #writer = new ProtoWriter();
  #session: Session | undefined;
  #handler: SourceHandler | undefined;
  /** Whether the loop sleeps, so that an entry may be handled right where it is read. */
  #isAsleep = false;
  #wakeUp = () => {};
  /** The handler's promise for an entry that was handled where it was read. */
  #handling: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #lastSeen: Position | undefined;
  #lastHandled: Position | undefined;
  #isFirst = true;
  #awaitsRedeliveryOf: Position | undefined;
  #damagedDeliveries = 0;
  #acknowledged: Position | undefined;
  readonly #closing = new AbortController();
  serverVersion = "";
  /** Entries that arrived with a wrong checksum, and how often it was subscribed again. */
  damagedCount = 0;
  reconnectCount = 0;

  private constructor(context: ClientContext, options: PartitionConsumerOptions) {
    this.#context = context;
    this.#options = options;
    this.#consumerId = context.nextId();
    this.#decoder = new EntryDecoder(options.partition, context.crc32c);
    this.#permits = new Permits({ bytesMax: options.receiverBytesMax });
    this.#backoff = new Backoff(context.clock, context.random, context.backoff);
  }

  /** @throws {PulsarError} why it cannot subscribe */
  static async open(
    context: ClientContext,
    options: PartitionConsumerOptions,
  ): Promise<PartitionConsumer> {
    const consumer = new PartitionConsumer(context, options);
    try {
      await retrying(context, () => consumer.#subscribe(), {
        deadlineMs: context.openTimeoutMs,
        signal: AbortSignal.any([
          consumer.#closing.signal,
          ...(options.signal ? [options.signal] : []),
        ]),
      });
      return consumer;
    } catch (error) {
      await consumer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** See `Source.run`. */
  async run(handler: SourceHandler, signal: AbortSignal): Promise<void> {
    assert(this.#handler === undefined, "run was called before");
    this.#handler = handler;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const onAbort = () => this.#wake();
    either.addEventListener("abort", onAbort);
    try {
      while (!either.aborted) {
        if (!await this.#step(handler, either)) await this.#sleep();
      }
      await this.#handling;
    } finally {
      either.removeEventListener("abort", onAbort);
      this.#handler = undefined;
      this.#clearQueue();
    }
  }

  /** Acknowledges cumulatively; after a reconnect once more, because it may not have arrived. */
  acknowledge(position: Position): void {
    this.#acknowledged = position;
    this.#writeAck();
  }

  /** See `Source.isIdle`. */
  async isIdle(): Promise<boolean> {
    const before = this.#lastSeen;
    if (!this.#isQuiet()) return false;
    const last = await this.lastPosition();
    if (!this.#isQuiet() || before !== this.#lastSeen) return false;
    return last === undefined ||
      (this.#lastHandled !== undefined && comparePositions(this.#lastHandled, last) >= 0);
  }

  /** The position of the partition's last entry, or undefined for none. */
  async lastPosition(): Promise<Position | undefined> {
    const action = `read the last message id of ${this.#options.topic}`;
    const body = { consumerId: this.#consumerId };
    const answer = await this.#connected(action).request("GET_LAST_MESSAGE_ID", body, action);
    if (answer.type !== "GET_LAST_MESSAGE_ID_RESPONSE") throw unexpected(action, answer.type);
    const { ledgerId, entryId } = answer.body.lastMessageId;
    return entryId < 0 ? undefined : { ledgerId, entryId };
  }

  /** Sets the subscription's cursor, so that reading goes on with the entry at `position`; the handler is activated again. */
  async seek(position: Position): Promise<void> {
    const action = `seek in ${this.#options.topic}`;
    this.#acknowledged = undefined;
    const body = { consumerId: this.#consumerId, messageId: { ...position } };
    await this.#connected(action).request("SEEK", body, action);
  }

  message(frame: Frame, view: MessageView): void {
    const session = this.#session;
    if (session === undefined) return;
    const { ledgerId, entryId } = view.messageId;
    const start = frame.commandEnd;
    const messageCount = this.#decoder.messageCount(frame.bytes, start, frame.end);
    this.#permits.arrived(messageCount, frame.end - frame.start);
    const entry = {
      bytes: frame.bytes,
      start,
      end: frame.end,
      position: { ledgerId, entryId },
      messageCount,
    };
    if (this.#handler === undefined || !session.isActivated) return this.#settle(entry);
    if (this.#isAsleep) return this.#handleInPlace(session, entry);
    this.#queue.push({ ...entry, release: session.connection.hold(frame.end - frame.start) });
  }

  activeChanged(isActive: boolean): void {
    // For an exclusive subscription it is always so.
    if (this.#session === undefined || this.#options.subscriptionType === "exclusive") return;
    this.#session.isActive = isActive;
    this.#wake();
  }

  closedByBroker(): void {
    this.#session?.connection.removeConsumer(this.#consumerId);
    this.#lose();
  }

  lost(_error: PulsarError): void {
    this.#lose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(
      closedError(`read ${this.#options.topic}`, "consumer"),
    );
    this.#wake();
    const session = this.#session;
    this.#session = undefined;
    // While it subscribes, `#subscribe` itself has the broker forget it.
    if (session === undefined || session.isLost || !session.isSubscribed) return;
    session.connection.removeConsumer(this.#consumerId);
    try {
      const body = { consumerId: this.#consumerId };
      const action = `close consumer of ${this.#options.topic}`;
      await session.connection.request("CLOSE_CONSUMER", body, action);
    } catch (error) {
      // The broker forgets a consumer with its connection anyway.
      if (!(error instanceof PulsarError)) throw error;
    }
  }

  /** Does the next thing there is to do; false if there is none. */
  async #step(handler: SourceHandler, signal: AbortSignal): Promise<boolean> {
    if (this.#handling !== undefined) {
      await this.#handling;
      return true;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    const session = this.#session;
    if (session === undefined || session.isLost) {
      await this.#renew(session, handler, signal);
      return true;
    }
    if (session.isActive !== session.isActivated) {
      await this.#changeActivity(session, handler);
      return true;
    }
    const entry = this.#queue.shift();
    if (entry === undefined) return false;
    try {
      await this.#handle(session, entry);
    } finally {
      entry.release();
    }
    this.#settle(entry);
    return true;
  }

  async #sleep(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#wakeUp = resolve;
    this.#isAsleep = true;
    await promise;
  }

  #wake(): void {
    this.#isAsleep = false;
    this.#wakeUp();
  }

  async #renew(
    session: Session | undefined,
    handler: SourceHandler,
    signal: AbortSignal,
  ): Promise<void> {
    this.#clearQueue();
    if (session?.isActivated) await handler.deactivated(this.#options.partition);
    this.#session = undefined;
    this.reconnectCount++;
    try {
      await this.#backoff.afterSession(session?.didWork ?? true, signal);
      await retrying(this.#context, () => this.#subscribe(), { deadlineMs: Infinity, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #changeActivity(session: Session, handler: SourceHandler): Promise<void> {
    const { partition } = this.#options;
    session.isActivated = session.isActive;
    this.#clearQueue();
    if (!session.isActivated) return await handler.deactivated(partition);
    // No permits are out yet, or what they bring is dropped, until the handler says where it stands.
    session.isActivated = false;
    const position = await handler.activated(partition);
    session.isActivated = true;
    this.#lastSeen = this.#lastHandled = position;
    this.#isFirst = true;
    this.#awaitsRedeliveryOf = undefined;
    this.#grantPermits();
  }

  #handleInPlace(session: Session, entry: Omit<Entry, "release">): void {
    try {
      const result = this.#handle(session, entry);
      if (result === undefined) return this.#settle(entry);
      const release = session.connection.hold(entry.end - entry.start);
      this.#handling = result.finally(() => {
        this.#handling = undefined;
        release();
        this.#settle(entry);
      });
      // The loop may look before or after: it finds the promise, or the error.
      this.#handling.catch((error) => {
        this.#failure ??= { error };
        this.#wake();
      });
    } catch (error) {
      this.#failure = { error };
    }
    this.#wake();
  }

  #handle(session: Session, entry: Omit<Entry, "release">): Promise<void> | undefined {
    const { bytes, start, end, position } = entry;
    if (this.#isToSkip(position)) return undefined;
    if (this.#isFirst) assertFollows(position, this.#lastSeen, this.#options);
    if (!this.#decoder.isIntact(bytes, start, end)) {
      this.#askAgain(session, position);
      return undefined;
    }
    this.#isFirst = false;
    this.#damagedDeliveries = 0;
    this.#lastSeen = position;
    const batch = this.#decoder.decode(bytes, start, end, position);
    const result = batch === undefined ? undefined : this.#handler!.batch(batch);
    session.didWork = true;
    if (result === undefined) {
      this.#lastHandled = position;
      return undefined;
    }
    return result.then(() => {
      this.#lastHandled = position;
    });
  }

  #isToSkip(position: Position): boolean {
    if (this.#awaitsRedeliveryOf !== undefined) {
      // What was under way when the damaged entry came: it comes again, after it.
      if (comparePositions(position, this.#awaitsRedeliveryOf) > 0) return true;
      this.#awaitsRedeliveryOf = undefined;
    }
    return this.#lastSeen !== undefined && comparePositions(position, this.#lastSeen) <= 0;
  }

  #askAgain(session: Session, position: Position): void {
    this.damagedCount++;
    this.#damagedDeliveries++;
    if (this.#damagedDeliveries >= DAMAGED_DELIVERIES_MAX) {
      throw new PulsarError(
        `Cannot read ${this.#options.topic}: entry ${position.ledgerId}:${position.entryId} came with a wrong checksum ${DAMAGED_DELIVERIES_MAX} times`,
        { code: "checksum_mismatch" },
      );
    }
    this.#awaitsRedeliveryOf = position;
    const body = { consumerId: this.#consumerId };
    session.connection.write(encodeCommand("REDELIVER_UNACKNOWLEDGED_MESSAGES", body));
  }

  async #subscribe(): Promise<void> {
    const { topic, subscription, subscriptionType, consumerName, schema } = this.#options;
    const connection = await this.#context.lookup.connect(topic);
    const isExclusive = subscriptionType === "exclusive";
    const session: Session = {
      connection,
      isSubscribed: false,
      isLost: false,
      isActive: isExclusive,
      isActivated: false,
      didWork: false,
    };
    const previous = this.#session;
    this.#session = session;
    connection.addConsumer(this.#consumerId, this);
    const action = `subscribe ${subscription} to ${topic}`;
    try {
      const answer = await connection.request("SUBSCRIBE", {
        topic,
        subscription,
        subType: isExclusive ? CommandSubscribeSubType.Exclusive : CommandSubscribeSubType.Failover,
        consumerId: this.#consumerId,
        consumerName,
        durable: true,
        initialPosition: CommandSubscribeInitialPosition.Earliest,
        schema,
        forceTopicCreation: true,
      }, action);
      if (answer.type !== "SUCCESS") throw unexpected(action, answer.type);
      if (connection.error !== undefined) throw connection.error;
      this.#closing.signal.throwIfAborted();
      session.isSubscribed = true;
    } catch (error) {
      connection.removeConsumer(this.#consumerId);
      this.#session = previous;
      this.#forget(connection, error);
      throw error;
    }
    this.serverVersion = connection.serverVersion;
    this.#permits.reset();
    this.#backoff.sessionBegins();
    this.#writeAck();
  }

  /** Has the broker forget a consumer that it may have made although this side gave up. */
  #forget(connection: Connection, error: unknown): void {
    const isUnsure = this.#closing.signal.aborted ||
      (error instanceof PulsarError && error.code === "request_timeout");
    const body = { consumerId: this.#consumerId, requestId: -1n };
    if (isUnsure) connection.write(encodeCommand("CLOSE_CONSUMER", body));
  }

  #lose(): void {
    if (this.#session !== undefined) this.#session.isLost = true;
    this.#wake();
  }

  #isQuiet(): boolean {
    const session = this.#session;
    return session !== undefined && !session.isLost && session.isActivated &&
      this.#isAsleep && this.#queue.length === 0 && this.#permits.outstanding > 0;
  }

  #settle(entry: Pick<Entry, "messageCount">): void {
    this.#permits.settled(entry.messageCount);
    this.#grantPermits();
  }

  #grantPermits(): void {
    const session = this.#session;
    if (session === undefined || session.isLost || !session.isActivated) return;
    // What came after the end of `run` would be dropped.
    if (this.#handler === undefined) return;
    const permits = this.#permits.take();
    if (permits === 0) return;
    writeFlow(this.#writer.reset(), this.#consumerId, permits);
    session.connection.write(this.#writer.finish());
  }

  #writeAck(): void {
    const position = this.#acknowledged;
    const session = this.#session;
    if (position === undefined || session === undefined || session.isLost) return;
    writeAck(this.#writer.reset(), {
      consumerId: this.#consumerId,
      isCumulative: true,
      ...position,
      validationError: -1,
      requestId: undefined,
    });
    session.connection.write(this.#writer.finish());
  }

  #clearQueue(): void {
    for (const entry of this.#queue.splice(0)) {
      entry.release();
      this.#permits.settled(entry.messageCount);
    }
  }

  #connected(action: string): Connection {
    const session = this.#session;
    if (session !== undefined && !session.isLost) return session.connection;
    throw new PulsarError(`Cannot ${action}: not connected`, {
      code: this.#closing.signal.aborted ? "closed" : "connection_lost",
      retryable: !this.#closing.signal.aborted,
    });
  }
}
