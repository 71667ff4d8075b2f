/** One TCP connection to a broker: handshake, requests and answers, keep-alive, and the hand-over of frames to producers and consumers. */
import { assert, type Clock, messageOf, utf8 } from "../../base/mod.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { Authentication } from "./auth.ts";
import { Requests } from "./requests.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";
import { silentEndError, strangerError } from "./stranger.ts";
import type { OpenTransport, Transport } from "./transport.ts";
import {
  type Command,
  type CommandBodies,
  COMMANDS,
  type CommandSendError,
  decodeCommand,
  DEFAULT_MESSAGE_BYTES_MAX,
  encodeCommand,
  type FeatureFlags,
  type Frame,
  FRAME_PADDING_BYTES,
  FrameReader,
  MessageView,
  PulsarError,
  SendReceiptView,
  serverError,
} from "../wire/mod.ts";
import { WriteQueue } from "./write_queue.ts";

/** The newest protocol whose commands are used here; a broker answers with the lower of both. */
const PROTOCOL_VERSION = 21;
const CLIENT_VERSION = "weir-client";
/** A frame may take so many keep-alive intervals to come; one that takes longer was announced longer than it is. */
const FRAME_INTERVALS_MAX = 4;

/** What a connection tells a producer. */
export interface ProducerEndpoint {
  receipt(view: SendReceiptView): void;
  sendError(body: CommandSendError): void;
  /** CLOSE_PRODUCER: the topic moves; look it up again. */
  closedByBroker(): void;
  lost(error: PulsarError): void;
}

/** What a connection tells a consumer. */
export interface ConsumerEndpoint {
  /** The frame and the view are valid until this returns; `Connection.hold` keeps the frame's bytes. */
  message(frame: Frame, view: MessageView): void;
  activeChanged(isActive: boolean): void;
  /** REACHED_END_OF_TOPIC: it is terminated, and everything of it is acknowledged. */
  reachedEnd?(): void;
  /** CLOSE_CONSUMER: the topic moves or the cursor was reset; look it up again. */
  closedByBroker(): void;
  lost(error: PulsarError): void;
}

/** What a connection tells whoever watches the topics of a namespace. */
export interface WatcherEndpoint {
  topicsChanged(body: CommandBodies["WATCH_TOPIC_UPDATE"]): void;
  lost(error: PulsarError): void;
}

/** Types of commands that carry a request id and are answered; ACK does where its sender wants to know. */
export type RequestType =
  | {
    [Type in keyof CommandBodies]: CommandBodies[Type] extends { readonly requestId: bigint } ? Type
      : never;
  }[keyof CommandBodies]
  | "ACK";

/** What a connection is opened with. */
export interface ConnectionOptions {
  readonly address: BrokerAddress;
  /** Broker behind a proxy that this connection is for (`proxy_to_broker_url`). */
  readonly proxyToBroker?: string | undefined;
  readonly openTransport: OpenTransport;
  readonly authentication?: Authentication | undefined;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  /** Bytes that consumers may hold before nothing more is read. */
  readonly heldBytesMax: number;
}

/** An attempt to connect, which may be given up at any point. */
interface Attempt {
  isOver: boolean;
  connection: Connection | undefined;
}

/** A connection that has shaken hands. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #transport: Transport;
  readonly #reader = new FrameReader();
  readonly #queue: WriteQueue;
  readonly #requests: Requests;
  readonly #producers = new Map<number, ProducerEndpoint>();
  readonly #consumers = new Map<number, ConsumerEndpoint>();
  readonly #watchers = new Map<number, WatcherEndpoint>();
  readonly #receipt = new SendReceiptView();
  readonly #message = new MessageView();
  readonly #connected = deferred<void>();
  readonly #ended = deferred<void>();
  #stopKeepAlive = () => {};
  #error: PulsarError | undefined;
  /** Whether CONNECTED has come. */
  #isIntroduced = false;
  #heard = true;
  #pinged = false;
  /** Keep-alive intervals since the last whole frame, while part of one is here. */
  #intervalsInFrame = 0;
  #heldBytes = 0;
  #gate: Deferred<void> | undefined;
  /** As the broker said in CONNECTED. */
  serverVersion = "";
  protocolVersion = 0;
  messageBytesMax = DEFAULT_MESSAGE_BYTES_MAX;
  serverFeatures: FeatureFlags = {};

  private constructor(options: ConnectionOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
    this.#queue = new WriteQueue(transport, (error) => this.#fail(this.#lostError(error)));
    this.#requests = new Requests(options.clock, options.requestTimeoutMs);
    // Nobody may wait for the handshake any more when it fails.
    this.#connected.promise.catch(() => {});
  }

  /**
   * Connects and shakes hands.
   *
   * @throws {PulsarError} `connection_refused`, `tls_failed`, `connect_timeout`, `authentication_error` or what else the broker answers
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const timer = new AbortController();
    const late = () => {
      throw new PulsarError(
        `Cannot connect to ${
          formatAddress(options.address)
        }: no answer within ${options.connectTimeoutMs} ms`,
        { code: "connect_timeout", retryable: true },
      );
    };
    const timeout = options.clock.sleep(options.connectTimeoutMs, timer.signal).then(late);
    timeout.catch(() => {});
    const attempt: Attempt = { isOver: false, connection: undefined };
    const opening = Connection.#handshake(options, attempt);
    try {
      return await Promise.race([opening, timeout]);
    } catch (error) {
      attempt.isOver = true;
      attempt.connection?.close();
      // The race may have been decided by the timeout: then nobody else hears of it.
      opening.catch(() => {});
      throw error;
    } finally {
      timer.abort();
    }
  }

  static async #handshake(options: ConnectionOptions, attempt: Attempt): Promise<Connection> {
    const authData = await options.authentication?.authData();
    const transport = await options.openTransport(options.address);
    const connection = new Connection(options, transport);
    attempt.connection = connection;
    if (attempt.isOver) connection.close();
    void connection.#readLoop();
    connection.write(encodeCommand("CONNECT", {
      clientVersion: CLIENT_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      proxyToBrokerUrl: options.proxyToBroker,
      authMethodName: options.authentication?.methodName ?? "none",
      authData: authData === undefined ? undefined : utf8(authData.reveal()),
      featureFlags: { supportsAuthRefresh: true, supportsBrokerEntryMetadata: true },
    }));
    await connection.#connected.promise;
    // CONNECTED may be followed at once by what ends the connection.
    if (connection.#error !== undefined) throw connection.#error;
    connection.#stopKeepAlive = options.clock.every(
      options.keepAliveMs,
      () => connection.#keepAlive(),
    );
    return connection;
  }

  /** Why the connection is closed, or undefined while it is open. */
  get error(): PulsarError | undefined {
    return this.#error;
  }

  /** Queues the frame of a command or batch; it must not change until its answer is here. */
  write(frame: Uint8Array): void {
    if (this.#error === undefined) this.#queue.push(frame);
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param type the command
   * @param body its fields but for the request id
   * @param action for messages, as in `Cannot <action>: …`
   * @throws {PulsarError} what the broker answers, `request_timeout`, or why the connection was lost
   */
  async request<Type extends RequestType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId">,
    action: string,
  ): Promise<Command> {
    if (this.#error !== undefined) throw this.#error;
    const { requestId, answer } = this.#requests.begin(action);
    this.write(encodeCommand(type, { ...body, requestId } as unknown as CommandBodies[Type]));
    return await answer;
  }

  addProducer(id: number, endpoint: ProducerEndpoint): void {
    assert(!this.#producers.has(id), `producer ${id} is on this connection already`);
    this.#producers.set(id, endpoint);
  }

  removeProducer(id: number): void {
    this.#producers.delete(id);
  }

  addConsumer(id: number, endpoint: ConsumerEndpoint): void {
    assert(!this.#consumers.has(id), `consumer ${id} is on this connection already`);
    this.#consumers.set(id, endpoint);
  }

  removeConsumer(id: number): void {
    this.#consumers.delete(id);
  }

  addWatcher(id: number, endpoint: WatcherEndpoint): void {
    assert(!this.#watchers.has(id), `watcher ${id} is on this connection already`);
    this.#watchers.set(id, endpoint);
  }

  removeWatcher(id: number): void {
    this.#watchers.delete(id);
  }

  /** Keeps the bytes of the frame being handed over until the result is called. Beyond the bound of held bytes nothing more is read. */
  hold(byteLength: number): () => void {
    const release = this.#reader.hold();
    this.#heldBytes += byteLength;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      release();
      this.#heldBytes -= byteLength;
      if (this.#heldBytes <= this.#options.heldBytesMax) this.#gate?.resolve();
    };
  }

  /** Closes it; everything that waits is rejected. */
  close(error?: PulsarError): void {
    this.#fail(
      error ?? new PulsarError("Cannot go on: the connection was closed", { code: "closed" }),
    );
  }

  /** Resolves when what was written before has gone out. */
  flushed(): Promise<void> {
    return this.#queue.idle();
  }

  /** Resolves when the connection is closed and nothing of it runs any more. */
  async ended(): Promise<void> {
    await this.#ended.promise;
    await this.#queue.idle();
  }

  async #readLoop(): Promise<void> {
    try {
      while (this.#error === undefined) await this.#readOnce();
    } catch (error) {
      this.#fail(error instanceof PulsarError ? error : this.#lostError(error));
      // Anything else is a bug of ours: reconnecting would hide it.
      if (!(error instanceof PulsarError)) throw error;
    } finally {
      this.#ended.resolve();
    }
  }

  async #readOnce(): Promise<void> {
    if (this.#heldBytes > this.#options.heldBytesMax) await this.#waitForRoom();
    if (this.#error !== undefined) return;
    const room = this.#reader.room();
    const count = await this.#transport.read(room).catch((error) => {
      throw this.#lostError(error);
    });
    if (count === null) throw this.#lostError("the broker closed the connection");
    if (!this.#isIntroduced) {
      const stranger = strangerError(this.#options.address, room.subarray(0, count));
      if (stranger !== undefined) throw stranger;
    }
    this.#heard = true;
    this.#reader.filled(count);
    this.#dispatchAll();
  }

  #dispatchAll(): void {
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      if (this.#error !== undefined) return;
      this.#intervalsInFrame = 0;
      this.#dispatch(frame);
    }
  }

  async #waitForRoom(): Promise<void> {
    this.#gate = deferred<void>();
    if (this.#error === undefined) await this.#gate.promise;
    this.#gate = undefined;
    this.#heard = true;
  }

  #dispatch(frame: Frame): void {
    if (frame.type === COMMANDS.MESSAGE.number) {
      const view = this.#message.read(frame);
      this.#consumers.get(view.consumerId)?.message(frame, view);
    } else if (frame.type === COMMANDS.SEND_RECEIPT.number) {
      const view = this.#receipt.read(frame);
      this.#producers.get(view.producerId)?.receipt(view);
    } else {
      const command = decodeCommand(frame);
      if (command !== undefined) this.#handle(command);
    }
  }

  #handle(command: Command): void {
    switch (command.type) {
      case "CONNECTED":
        return this.#handleConnected(command.body);
      case "PING":
        return this.write(encodeCommand("PONG", {}));
      case "PONG":
        return;
      case "CONNECT":
        // A socket to a dead port of this machine may end in itself, and would keep the broker from its port.
        return this.#fail(
          new PulsarError(`Cannot connect to ${this.#name}: it answers with our own words`, {
            code: "connection_refused",
            retryable: true,
          }),
        );
      case "AUTH_CHALLENGE":
        return void this.#answerChallenge();
      case "SEND_ERROR":
        return this.#producers.get(command.body.producerId)?.sendError(command.body);
      case "CLOSE_PRODUCER":
        return this.#producers.get(command.body.producerId)?.closedByBroker();
      case "CLOSE_CONSUMER":
        return this.#consumers.get(command.body.consumerId)?.closedByBroker();
      case "REACHED_END_OF_TOPIC":
        return this.#consumers.get(command.body.consumerId)?.reachedEnd?.();
      case "WATCH_TOPIC_UPDATE":
        return this.#watchers.get(command.body.watcherId)?.topicsChanged(command.body);
      case "ACTIVE_CONSUMER_CHANGE":
        return this.#consumers.get(command.body.consumerId)?.activeChanged(
          command.body.isActive ?? false,
        );
      case "ERROR": {
        const { requestId, error, message } = command.body;
        if (this.#requests.fail(requestId, error, message)) return;
        // Without a request it is about the connection itself: a token that is not valid, above all.
        return this.#fail(serverError(`connect to ${this.#name}`, error, message));
      }
      default:
        // ACK_RESPONSE may come without one.
        if ("requestId" in command.body && command.body.requestId !== undefined) {
          this.#requests.answer(command.body.requestId, command);
        }
    }
  }

  #handleConnected(body: CommandBodies["CONNECTED"]): void {
    this.#isIntroduced = true;
    this.serverVersion = body.serverVersion;
    this.protocolVersion = Math.min(PROTOCOL_VERSION, body.protocolVersion ?? 0);
    this.messageBytesMax = body.maxMessageSize ?? DEFAULT_MESSAGE_BYTES_MAX;
    this.serverFeatures = body.featureFlags ?? {};
    this.#reader.frameBytesMax = this.messageBytesMax + FRAME_PADDING_BYTES;
    this.#connected.resolve();
  }

  async #answerChallenge(): Promise<void> {
    try {
      const authData = await this.#options.authentication?.authData();
      this.write(encodeCommand("AUTH_RESPONSE", {
        clientVersion: CLIENT_VERSION,
        protocolVersion: PROTOCOL_VERSION,
        response: {
          authMethodName: this.#options.authentication?.methodName ?? "none",
          authData: authData === undefined ? undefined : utf8(authData.reveal()),
        },
      }));
    } catch (error) {
      this.#fail(error instanceof PulsarError ? error : this.#lostError(error));
    }
  }

  #keepAlive(): void {
    const isHeldBack = this.#gate !== undefined;
    // While reading is held back nothing can be heard: that is not the broker's silence, and it must not take it for ours.
    if (isHeldBack) this.write(encodeCommand("PING", {}));
    const isStuck = !isHeldBack && this.#reader.pendingBytes > 0 &&
      ++this.#intervalsInFrame >= FRAME_INTERVALS_MAX;
    if (isStuck) return this.#failSilent("no whole frame", FRAME_INTERVALS_MAX);
    if (this.#heard || isHeldBack) {
      this.#heard = false;
      this.#pinged = false;
      return;
    }
    if (this.#pinged) return this.#failSilent("silent", 2);
    this.#pinged = true;
    this.write(encodeCommand("PING", {}));
  }

  #failSilent(what: string, intervals: number): void {
    const text = `${what} for ${intervals * this.#options.keepAliveMs} ms`;
    this.#fail(
      new PulsarError(`Cannot go on with ${this.#name}: ${text}`, {
        code: "keep_alive_timeout",
        retryable: true,
      }),
    );
  }

  get #name(): string {
    return formatAddress(this.#options.address);
  }

  #lostError(cause: unknown): PulsarError {
    // TLS 1.3 refuses a client's certificate, or the want of one, after the handshake.
    if (
      this.#options.address.tls && /alert.*certificate|certificate.*alert/i.test(messageOf(cause))
    ) {
      return new PulsarError(`Cannot connect to ${this.#name}: ${messageOf(cause)}`, {
        code: "tls_failed",
        cure: "give a client certificate that the broker trusts, with tlsAuthentication()",
        cause,
      });
    }
    if (!this.#isIntroduced) return silentEndError(this.#options.address, cause);
    return new PulsarError(`Cannot go on with ${this.#name}: ${messageOf(cause)}`, {
      code: "connection_lost",
      retryable: true,
      cause,
    });
  }

  #fail(error: PulsarError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#stopKeepAlive();
    this.#transport.close();
    this.#gate?.resolve();
    this.#connected.reject(error);
    this.#requests.failAll(error);
    const endpoints = [...this.#producers, ...this.#consumers, ...this.#watchers].map(([, end]) =>
      end
    );
    this.#producers.clear();
    this.#consumers.clear();
    this.#watchers.clear();
    for (const endpoint of endpoints) endpoint.lost(error);
  }
}

/** How a result names the system behind CONNECTED's server version. */
export function systemNameOf(serverVersion: string): string {
  if (/weir/i.test(serverVersion)) return "embedded broker";
  const version = /^Pulsar Server-?v?\s*(.*)$/i.exec(serverVersion)?.[1];
  return version === undefined || version === "" ? serverVersion : `Apache Pulsar ${version}`;
}
