/** One consumer's subscription to one topic over connections that come and go. */
import { Backoff } from "./backoff.ts";
import type { Connection, ConsumerEndpoint, RequestType } from "./connection.ts";
import { type ClientContext, orAborted, retrying } from "./context.ts";
import { deferred } from "./deferred.ts";
import { unexpected } from "./lookup.ts";
import { AUTO_CONSUME_PROTOCOL } from "./schema_types.ts";
import {
  type Command,
  type CommandBodies,
  type CommandSubscribe,
  encodeCommand,
  type Frame,
  type MessageView,
  PulsarError,
  SchemaType,
} from "../wire/mod.ts";

/** How long closing waits for the broker's answer. */
const CLOSE_PATIENCE_MS = 5_000;

/** What a session tells its consumer. */
export interface SessionHost {
  /** What SUBSCRIBE shall say now. */
  subscribeBody(): Omit<CommandSubscribe, "requestId" | "consumerId" | "topic">;
  /** A new session: the broker has forgotten permits, and delivers again what is not acknowledged. */
  subscribed(): void;
  /** Frame and view are valid until this returns. */
  message(frame: Frame, view: MessageView): void;
  activeChanged(isActive: boolean): void;
  reachedEnd(): void;
  /** It cannot be subscribed again. */
  failed(error: unknown): void;
}

/** Keeps a topic subscribed. */
export class TopicSession implements ConsumerEndpoint {
  readonly topic: string;
  readonly consumerId: number;
  readonly #context: ClientContext;
  readonly #host: SessionHost;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #isSubscribed = false;
  #isRenewing = false;
  #waiting: ReturnType<typeof deferred<void>> | undefined;
  /** Whether the session has been of use; set by the host. */
  didWork = false;
  /** How often it was subscribed. */
  sessionCount = 0;
  serverVersion = "";

  constructor(context: ClientContext, topic: string, host: SessionHost) {
    this.#context = context;
    this.topic = topic;
    this.#host = host;
    this.consumerId = context.nextId();
    this.#backoff = new Backoff(context.clock, context.random, context.backoff);
  }

  /** @throws {PulsarError} why it cannot subscribe; `consumer_busy` at once */
  async open(signal?: AbortSignal): Promise<void> {
    let isFirst = true;
    const attempt = async () => {
      try {
        await this.#subscribe();
      } catch (error) {
        // Later attempts may meet the consumer that an earlier one has left behind.
        throw isFirst ? finalIfBusy(error) : error;
      } finally {
        isFirst = false;
      }
    };
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    await retrying(this.#context, attempt, {
      deadlineMs: this.#context.openTimeoutMs,
      signal: AbortSignal.any(signals),
    });
  }

  /** The connection while it is subscribed. */
  get connection(): Connection | undefined {
    return this.#isSubscribed ? this.#connection : undefined;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborted when it is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws {PulsarError} `connection_lost` while it is not subscribed, `closed`, or what the broker answers */
  async request<Type extends RequestType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId" | "consumerId">,
    action: string,
  ): Promise<Command> {
    this.#closing.signal.throwIfAborted();
    const { connection } = this;
    if (connection === undefined) {
      throw new PulsarError(`Cannot ${action}: not connected`, {
        code: "connection_lost",
        retryable: true,
      });
    }
    const whole = { ...body, consumerId: this.consumerId };
    return await connection.request(
      type,
      whole as unknown as Omit<CommandBodies[Type], "requestId">,
      action,
    );
  }

  /** As {@link request}, again after errors that may pass, for as long as opening may take. */
  async requestRetrying<Type extends RequestType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId" | "consumerId">,
    action: string,
  ): Promise<Command> {
    const { clock, openTimeoutMs: deadlineMs } = this.#context;
    const attempt = async () => {
      await this.whenSubscribed();
      return await this.request(type, body, action);
    };
    // While there is no connection an attempt only waits: it must be ended from outside.
    const [late, timer] = [new AbortController(), new AbortController()];
    clock.sleep(deadlineMs, timer.signal).then(
      () => late.abort(timeoutError(action, deadlineMs)),
      // Aborted, because it is done.
      () => {},
    );
    try {
      const signal = AbortSignal.any([this.#closing.signal, late.signal]);
      return await retrying(this.#context, attempt, { deadlineMs, signal });
    } finally {
      timer.abort();
    }
  }

  /** Resolves while it is subscribed.
   *
   * @throws {PulsarError} `closed`, or why it cannot be subscribed again
   */
  async whenSubscribed(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    if (this.#isSubscribed) return;
    this.#waiting ??= deferred<void>();
    await orAborted(this.#waiting.promise, this.#closing.signal);
  }

  /** Ends this session, so that another begins. */
  renew(): void {
    const connection = this.#connection;
    if (connection !== undefined && this.#isSubscribed) {
      connection.removeConsumer(this.consumerId);
      this.#forget(connection);
    }
    this.#lose();
  }

  message(frame: Frame, view: MessageView): void {
    if (this.#connection !== undefined) this.#host.message(frame, view);
  }

  activeChanged(isActive: boolean): void {
    this.#host.activeChanged(isActive);
  }

  reachedEnd(): void {
    this.#host.reachedEnd();
  }

  closedByBroker(): void {
    this.#connection?.removeConsumer(this.consumerId);
    this.#lose();
  }

  lost(_error: PulsarError): void {
    this.#lose();
  }

  /**
   * Ends it for good.
   *
   * @param error what whoever still waits hears
   * @param tellBroker false where the broker has forgotten the consumer already
   */
  async close(error: PulsarError, tellBroker: boolean): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(error);
    const { connection } = this;
    this.#connection = undefined;
    this.#isSubscribed = false;
    // While it subscribes, `#subscribe` itself has the broker forget it.
    if (connection === undefined) return;
    connection.removeConsumer(this.consumerId);
    if (!tellBroker) return;
    const answered = new AbortController();
    const body = { consumerId: this.consumerId };
    const asked = connection
      .request("CLOSE_CONSUMER", body, `close consumer of ${this.topic}`)
      .catch((error) => {
        // The broker forgets a consumer with its connection anyway.
        if (!(error instanceof PulsarError)) throw error;
      })
      .finally(() => answered.abort("answered"));
    // A broker that is silent shall not keep whoever leaves.
    const patience = this.#context.clock.sleep(CLOSE_PATIENCE_MS, answered.signal).catch(() => {});
    await Promise.race([asked, patience]);
  }

  async #subscribe(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const connection = await this.#context.lookup.connect(this.topic);
    this.#closing.signal.throwIfAborted();
    this.#connection = connection;
    connection.addConsumer(this.consumerId, this);
    const body = this.#host.subscribeBody();
    const action = `subscribe ${body.subscription} to ${this.topic}`;
    try {
      const { schema, ...others } = body;
      const whole = { ...others, topic: this.topic, consumerId: this.consumerId };
      const isKnown = schema?.type !== SchemaType.AutoConsume ||
        connection.protocolVersion >= AUTO_CONSUME_PROTOCOL;
      const named = schema !== undefined && isKnown ? { ...whole, schema } : whole;
      const answer = await connection.request("SUBSCRIBE", named, action);
      if (answer.type !== "SUCCESS") throw unexpected(action, answer.type);
      this.#closing.signal.throwIfAborted();
      // It may have been lost between the answer and now.
      if (this.#connection !== connection) throw lostMeanwhile(action, connection);
    } catch (error) {
      connection.removeConsumer(this.consumerId);
      if (this.#connection === connection) this.#connection = undefined;
      const isUnsure = this.#closing.signal.aborted ||
        (error instanceof PulsarError && error.code === "request_timeout");
      if (isUnsure) this.#forget(connection);
      throw error;
    }
    this.sessionCount++;
    this.#isSubscribed = true;
    this.serverVersion = connection.serverVersion;
    this.didWork = false;
    this.#backoff.sessionBegins();
    this.#host.subscribed();
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Has the broker forget a consumer that it may have made. */
  #forget(connection: Connection): void {
    const body = { consumerId: this.consumerId, requestId: -1n };
    connection.write(encodeCommand("CLOSE_CONSUMER", body));
  }

  #lose(): void {
    this.#connection = undefined;
    const wasSubscribed = this.#isSubscribed;
    this.#isSubscribed = false;
    if (wasSubscribed && !this.#closing.signal.aborted) void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const { signal } = this.#closing;
    try {
      while (!this.#isSubscribed) {
        await this.#backoff.afterSession(this.didWork, signal);
        await retrying(this.#context, () => this.#subscribe(), { deadlineMs: Infinity, signal });
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      this.#isRenewing = false;
    }
  }

  #fail(error: unknown): void {
    this.#waiting?.promise.catch(() => {});
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#host.failed(error);
  }
}

function timeoutError(action: string, deadlineMs: number): PulsarError {
  return new PulsarError(`Cannot ${action}: no connection within ${deadlineMs} ms`, {
    code: "request_timeout",
    retryable: true,
  });
}

function finalIfBusy(error: unknown): unknown {
  if (!(error instanceof PulsarError) || error.code !== "consumer_busy") return error;
  return new PulsarError(error.message, { code: error.code, cause: error });
}

function lostMeanwhile(action: string, connection: Connection): PulsarError {
  return connection.error ?? new PulsarError(`Cannot ${action}: the broker closed the consumer`, {
    code: "connection_lost",
    retryable: true,
  });
}
