/** One producer of one partition: registration, what waits for receipts, and going on after the connection or the topic moved. */
import { assert } from "../../base/mod.ts";
import type { Receipt } from "../../contract.ts";
import { closedError } from "./closed_error.ts";
import type { Connection, ProducerEndpoint } from "./connection.ts";
import { Backoff } from "./backoff.ts";
import { type ClientContext, orAborted, retrying } from "./context.ts";
import { Fifo } from "./fifo.ts";
import { unexpected } from "./lookup.ts";
import {
  type CommandProducerSuccess,
  type CommandSendError,
  encodeCommand,
  Frame,
  PayloadSection,
  ProducerAccessMode,
  PulsarError,
  type Schema,
  type SendReceiptView,
  serverError,
} from "../wire/mod.ts";

/** How many producers a topic may have at once, as Pulsar calls it. */
export type AccessMode = "shared" | "exclusive" | "waitForExclusive" | "exclusiveWithFencing";

const ACCESS_MODES: Readonly<Record<AccessMode, ProducerAccessMode>> = {
  shared: ProducerAccessMode.Shared,
  exclusive: ProducerAccessMode.Exclusive,
  waitForExclusive: ProducerAccessMode.WaitForExclusive,
  exclusiveWithFencing: ProducerAccessMode.ExclusiveWithFencing,
};

/** What a partition's producer is opened with. */
export interface PartitionProducerOptions {
  readonly topic: string;
  /** The broker gives one where it is left out. */
  readonly producerName?: string | undefined;
  /** Whether the name was made up, for this topic's other partitions, rather than given. */
  readonly isNameGenerated?: boolean | undefined;
  readonly schema?: Schema | undefined;
  readonly accessMode?: AccessMode | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** A subscription that is made with the topic, so that it misses nothing. */
  readonly initialSubscription?: string | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly sequenceId: number;
  readonly frame: Uint8Array;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: PulsarError) => void;
}

/** How long closing waits for the broker's answer. */
const CLOSE_PATIENCE_MS = 5_000;

const CODES_THAT_END_A_PRODUCER: ReadonlySet<string> = new Set([
  "topic_terminated_error",
  "producer_fenced",
]);

/** Sends frames to one partition, in order, again after a reconnect, until each has its receipt. */
export class PartitionProducer implements ProducerEndpoint, AsyncDisposable {
  readonly #context: ClientContext;
  readonly #options: PartitionProducerOptions;
  /** Kept for life, so that frames can be sent again as they are. */
  readonly producerId: number;
  readonly #pending = new Fifo<Pending>();
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  /** CLOSE_PRODUCER came before the registration was through. */
  #closedEarly = false;
  #gotReceipt = false;
  #epoch = 0;
  /** Of the topic, given to an exclusive producer: whoever came later has a higher one, and fences this one off. */
  #topicEpoch: number | undefined;
  #reconnecting: Promise<void> | undefined;
  #failure: PulsarError | undefined;
  /** As the broker knows it. */
  producerName: string;
  /** Of the log, at the last registration; −1 for none. */
  lastSequenceId = -1;
  schemaVersion: Uint8Array | undefined;
  messageBytesMax = 0;
  serverVersion = "";
  /** Receipts that were older than what was waited for, and so ignored. */
  staleReceiptCount = 0;
  /** How often it was registered again. */
  reconnectCount = 0;

  private constructor(context: ClientContext, options: PartitionProducerOptions) {
    this.#context = context;
    this.#options = options;
    this.producerName = options.producerName ?? "";
    this.producerId = context.nextId();
    this.#backoff = new Backoff(context.clock, context.random, context.backoff);
  }

  /** @throws {PulsarError} why the producer cannot be registered */
  static async open(
    context: ClientContext,
    options: PartitionProducerOptions,
  ): Promise<PartitionProducer> {
    const producer = new PartitionProducer(context, options);
    try {
      await retrying(context, () => producer.#register(), {
        // Whoever waits for its turn goes on waiting when the connection breaks meanwhile.
        deadlineMs: options.accessMode === "waitForExclusive" ? Infinity : context.openTimeoutMs,
        signal: AbortSignal.any([
          producer.#stop.signal,
          ...(options.signal ? [options.signal] : []),
        ]),
      });
      return producer;
    } catch (error) {
      await producer[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Why it is at its end, or undefined while it is not. */
  get failure(): PulsarError | undefined {
    return this.#failure;
  }

  /** Gives up what has no receipt yet; receipts that come all the same are ignored. Frames of it may still go out. */
  rejectPending(error: PulsarError): void {
    for (const pending of this.#pending.takeAll()) pending.reject(error);
  }

  /**
   * Sends a whole SEND frame, which must not change until the promise settles.
   *
   * @throws {PulsarError} when the broker refuses it for good, or the producer is closed
   */
  send(sequenceId: number, frame: Uint8Array): Promise<Receipt> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#pending.push({ sequenceId, frame, resolve, reject });
      this.#connection?.write(frame);
    });
  }

  receipt(view: SendReceiptView): void {
    const first = this.#pending.peek();
    if (first === undefined || view.sequenceId < first.sequenceId) {
      // Of something that was sent twice around a reconnect and has its receipt already.
      this.staleReceiptCount++;
      return;
    }
    if (view.sequenceId > first.sequenceId) {
      this.#connection?.close(
        new PulsarError(
          `Cannot go on with ${this.#options.topic}: receipt of ${view.sequenceId}, expected of ${first.sequenceId}`,
          { code: "protocol_violation", retryable: true },
        ),
      );
      return;
    }
    this.#pending.shift();
    this.#gotReceipt = true;
    const { ledgerId, entryId } = view.messageId;
    first.resolve({ position: { ledgerId, entryId }, duplicate: ledgerId < 0 || entryId < 0 });
  }

  sendError(body: CommandSendError): void {
    const error = serverError(`send to ${this.#options.topic}`, body.error, body.message);
    if (CODES_THAT_END_A_PRODUCER.has(error.code)) return this.#end(error);
    const isOurs = error.code === "not_allowed_error" ||
      (error.code === "checksum_error" && this.#isDamaged(body.sequenceId));
    if (isOurs && this.#pending.peek()?.sequenceId === body.sequenceId) {
      this.#pending.shift()!.reject(error);
      return;
    }
    // Everything else may pass. As Pulsar's own clients do, begin again on a new connection: only that keeps the order.
    this.#connection?.close(
      new PulsarError(error.message, { code: error.code, retryable: true, cause: error }),
    );
  }

  closedByBroker(): void {
    this.#closedEarly = this.#connection === undefined;
    if (this.#closedEarly) return;
    this.#connection!.removeProducer(this.producerId);
    this.#disconnected();
  }

  lost(_error: PulsarError): void {
    // While it registers, the request itself is rejected.
    if (this.#connection !== undefined) this.#disconnected();
  }

  /** Says goodbye to the broker; what has no receipt is rejected with `closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    const connection = this.#connection;
    this.#end(
      closedError(`send to ${this.#options.topic}`, "producer"),
    );
    await this.#reconnecting;
    if (connection === undefined || connection.error !== undefined) return;
    const answered = new AbortController();
    const body = { producerId: this.producerId };
    const closing = connection
      .request("CLOSE_PRODUCER", body, `close producer of ${this.#options.topic}`)
      .catch((error) => {
        // The broker forgets a producer with its connection anyway.
        if (!(error instanceof PulsarError)) throw error;
      })
      .finally(() => answered.abort("answered"));
    // A broker that is silent shall not keep whoever leaves.
    const patience = this.#context.clock.sleep(CLOSE_PATIENCE_MS, answered.signal).catch(() => {});
    await Promise.race([closing, patience]);
  }

  async #register(): Promise<void> {
    const connection = await this.#context.lookup.connect(this.#options.topic);
    this.#closedEarly = false;
    connection.addProducer(this.producerId, this);
    try {
      // Its turn may never come: then the end of this producer ends the waiting.
      const success = await orAborted(this.#announce(connection), this.#stop.signal);
      this.#throwIfLost(connection);
      this.#registered(connection, success);
    } catch (error) {
      connection.removeProducer(this.producerId);
      this.#forget(connection, error);
      throw error;
    }
  }

  /** Has the broker forget a producer that it may have made although this side gave up; else the next attempt finds the name taken. */
  #forget(connection: Connection, error: unknown): void {
    const isUnsure = this.#stop.signal.aborted ||
      (error instanceof PulsarError && error.code === "request_timeout");
    const body = { producerId: this.producerId, requestId: -1n };
    if (isUnsure) connection.write(encodeCommand("CLOSE_PRODUCER", body));
  }

  #throwIfLost(connection: Connection): void {
    if (connection.error !== undefined) throw connection.error;
    this.#stop.signal.throwIfAborted();
    if (!this.#closedEarly) return;
    throw new PulsarError(`Cannot open producer of ${this.#options.topic}: the topic moved`, {
      code: "service_not_ready",
      retryable: true,
    });
  }

  #registered(connection: Connection, success: CommandProducerSuccess): void {
    this.#connection = connection;
    this.#gotReceipt = false;
    this.#backoff.sessionBegins();
    this.producerName = success.producerName;
    this.#topicEpoch = success.topicEpoch;
    this.lastSequenceId = success.lastSequenceId ?? -1;
    // Topics without a schema answer with a version of no bytes.
    this.schemaVersion = success.schemaVersion?.length === 0 ? undefined : success.schemaVersion;
    this.messageBytesMax = connection.messageBytesMax;
    this.serverVersion = connection.serverVersion;
    for (const pending of this.#pending) connection.write(pending.frame);
  }

  async #announce(connection: Connection): Promise<CommandProducerSuccess> {
    const { topic, schema, accessMode = "shared", properties = {} } = this.#options;
    const { producerName } = this;
    const action = `open producer ${producerName} of ${topic}`.replace("  ", " ");
    const isGiven = this.#options.producerName !== undefined && !this.#options.isNameGenerated;
    const body = {
      topic,
      producerId: this.producerId,
      producerName: producerName === "" ? undefined : producerName,
      userProvidedProducerName: isGiven,
      schema,
      epoch: this.#epoch++,
      metadata: Object.entries(properties).map(([key, value]) => ({ key, value })),
      producerAccessMode: accessMode === "shared" ? undefined : ACCESS_MODES[accessMode],
      topicEpoch: this.#topicEpoch,
      initialSubscriptionName: this.#options.initialSubscription,
    };
    const answer = await connection.request("PRODUCER", body, action);
    if (answer.type !== "PRODUCER_SUCCESS") throw unexpected(action, answer.type);
    return answer.body;
  }

  #disconnected(): void {
    this.#connection = undefined;
    if (this.#failure !== undefined || this.#reconnecting !== undefined) return;
    this.reconnectCount++;
    this.#reconnecting = this.#reconnect().finally(() => {
      this.#reconnecting = undefined;
      // It may have been lost again before this came to run.
      if (this.#connection === undefined && this.#failure === undefined) this.#disconnected();
    });
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#backoff.afterSession(this.#gotReceipt, signal);
      await retrying(this.#context, () => this.#registerAgain(), { deadlineMs: Infinity, signal });
    } catch (error) {
      if (signal.aborted) return;
      assert(error instanceof PulsarError, `not an error of Pulsar: ${error}`);
      this.#end(error);
    }
  }

  async #registerAgain(): Promise<void> {
    try {
      await this.#register();
    } catch (error) {
      const isQuota = error instanceof PulsarError &&
        error.code === "producer_blocked_quota_exceeded_exception";
      // By the namespace's policy the application is to hear of it, while `…_error` means to hold what waits.
      if (isQuota) this.rejectPending(error);
      throw error;
    }
  }

  #isDamaged(sequenceId: number): boolean {
    const pending = [...this.#pending].find((candidate) => candidate.sequenceId === sequenceId);
    if (pending === undefined) return false;
    const { frame } = pending;
    const { commandEnd } = new Frame().read(frame, 0, frame.length);
    const section = new PayloadSection().read(frame, commandEnd, frame.length);
    return !section.checksumMatches(this.#context.crc32c);
  }

  #end(error: PulsarError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stop.abort(error);
    this.#connection?.removeProducer(this.producerId);
    this.#connection = undefined;
    this.rejectPending(error);
  }
}
