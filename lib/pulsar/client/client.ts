import {
  type Clock,
  type Crc32c,
  loadCrc32c,
  type Random,
  systemClock,
  systemRandom,
} from "../../base/mod.ts";
import type { Authentication } from "./auth.ts";
import { type BackoffOptions, DEFAULT_BACKOFF } from "./backoff.ts";
import { closedError } from "./closed_error.ts";
import { systemNameOf } from "./connection.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { Consumer, type ConsumerServices } from "./consumer.ts";
import type { ConsumerOptions } from "./consumer_options.ts";
import { type ClientContext, retrying } from "./context.ts";
import { Lookup } from "./lookup.ts";
import { BatchProducer, type BatchProducerOptions } from "./batch_producer.ts";
import { Producer } from "./producer.ts";
import type { ProducerOptions } from "./producer_options.ts";
import { Reader, type ReaderOptions } from "./reader.ts";
import { TableView, type TableViewOptions } from "./table_view.ts";
import { type SourceOptions, TopicSource } from "./source.ts";
import { parseTopicName } from "./topic_name.ts";
import { systemTransport } from "./system_transport.ts";
import type { OpenTransport } from "./transport.ts";

/** What a client is made with. */
export interface PulsarClientOptions {
  /** `pulsar://host:port` or `pulsar+ssl://host:port`. */
  readonly serviceUrl: string;
  readonly authentication?: Authentication | undefined;
  /** PEM text of certificate authorities to trust beside the system's. */
  readonly caCertificates?: readonly string[] | undefined;
  /** Whether the broker's certificate must be made for the host that is connected to. Default true. */
  readonly verifyHostName?: boolean | undefined;
  /** Takes any certificate, so that anybody may sit in between: for tests. Node and Bun only. Default false. */
  readonly allowInsecure?: boolean | undefined;
  /** How sockets are opened; those of the runtime by default. */
  readonly openTransport?: OpenTransport | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly crc32c?: Crc32c | undefined;
  readonly backoff?: BackoffOptions | undefined;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long opening a producer or source tries again after errors that may pass. Default 10 s. */
  readonly openTimeoutMs?: number | undefined;
  /** Time without a word from the broker after which it is asked, and after which it is given up. Default 30 s. */
  readonly keepAliveMs?: number | undefined;
  /** Bytes of one connection that handlers may keep before nothing more is read. Default 64 MiB. */
  readonly heldBytesMax?: number | undefined;
}

/**
 * Speaks Pulsar's binary protocol: one connection a broker, shared by what it opens.
 *
 * Make it with {@link connectPulsar}; its end closes everything that it opened.
 */
export class PulsarClient implements AsyncDisposable {
  readonly #pool: ConnectionPool;
  readonly #context: ClientContext;
  readonly #closing = new AbortController();

  /** @throws {PulsarError} `invalid_service_url` */
  constructor(options: PulsarClientOptions, crc32c: Crc32c) {
    const clock = options.clock ?? systemClock;
    const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#pool = new ConnectionPool({
      openTransport: options.openTransport ??
        systemTransport({
          caCertificates: options.caCertificates,
          verifyHostName: options.verifyHostName,
          allowInsecure: options.allowInsecure,
          identity: identityOf(options.authentication),
        }),
      authentication: options.authentication,
      clock,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      requestTimeoutMs,
      keepAliveMs: options.keepAliveMs ?? 30_000,
      heldBytesMax: options.heldBytesMax ?? 64 * 1024 * 1024,
    });
    let lastId = 0;
    this.#context = {
      lookup: new Lookup(this.#pool, options.serviceUrl),
      clock,
      random: options.random ?? systemRandom,
      crc32c,
      backoff: options.backoff ?? DEFAULT_BACKOFF,
      openTimeoutMs: options.openTimeoutMs ?? 10_000,
      requestTimeoutMs,
      opened: new Set(),
      nextId: () => lastId++,
    };
  }

  /** Connects to the service URL, so that a wrong one is told at once. */
  async connect(): Promise<void> {
    await this.#context.lookup.connectToService();
  }

  /** The system as a result names it, e.g. `embedded broker` or `Apache Pulsar 4.2.4`. */
  async systemName(): Promise<string> {
    return systemNameOf((await this.#context.lookup.connectToService()).connection.serverVersion);
  }

  /** How many partitions a topic has; 0 for one that is not partitioned. */
  async partitionCount(topic: string, signal?: AbortSignal): Promise<number> {
    const { full } = parseTopicName(topic);
    const { lookup, openTimeoutMs: deadlineMs } = this.#context;
    const either = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
    const ask = () => lookup.partitionCount(full);
    return await retrying(this.#context, ask, { deadlineMs, signal: either });
  }

  /** @throws {PulsarError} why it cannot be opened */
  async openBatchProducer(options: BatchProducerOptions): Promise<BatchProducer> {
    const topic = parseTopicName(options.topic).full;
    const partitionCount = await this.partitionCount(topic, options.signal);
    const producer = await BatchProducer.open(this.#context, { ...options, topic }, partitionCount);
    return await this.#keep(producer);
  }

  /** Opens a producer of single messages. @throws {PulsarError} why it cannot be opened */
  async openProducer<T = Uint8Array>(options: ProducerOptions<T>): Promise<Producer<T>> {
    const topic = parseTopicName(options.topic).full;
    const partitionCount = await this.partitionCount(topic, options.signal);
    const producer = await Producer.open(this.#context, { ...options, topic }, partitionCount);
    return await this.#keep(producer);
  }

  /** Opens a consumer of single messages. @throws {PulsarError} why it cannot be opened */
  async openConsumer<T = Uint8Array>(options: ConsumerOptions<T>): Promise<Consumer<T>> {
    return await Consumer.open(this.#consumerServices(), options);
  }

  /** Opens a reader, which keeps no subscription. @throws {PulsarError} why it cannot be opened */
  async openReader<T = Uint8Array>(options: ReaderOptions<T>): Promise<Reader<T>> {
    return await Reader.open(this.#consumerServices(), options);
  }

  /** Opens a view of the newest value of each key. @throws {PulsarError} why it cannot be opened */
  async openTableView<T = Uint8Array>(options: TableViewOptions<T>): Promise<TableView<T>> {
    return await TableView.open(this.#consumerServices(), options);
  }

  /** @throws {PulsarError} why it cannot be opened */
  async openSource(options: SourceOptions): Promise<TopicSource> {
    const topic = parseTopicName(options.topic).full;
    const partitionCount = await this.partitionCount(topic, options.signal);
    const source = await TopicSource.open(this.#context, { ...options, topic }, partitionCount);
    return await this.#keep(source);
  }

  /** Closes what it opened, each as its own `close` does (producers have their receipts then), and ends. */
  async close(): Promise<void> {
    const closing = await Promise.allSettled(
      [...this.#context.opened].map((opened) => closeOf(opened)),
    );
    await this[Symbol.asyncDispose]();
    const failed = closing.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Ends at once, with everything that it opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closedError("go on", "client"));
    await Promise.all([...this.#context.opened].map((opened) => opened[Symbol.asyncDispose]()));
    await this.#pool[Symbol.asyncDispose]();
  }

  #consumerServices(): ConsumerServices {
    return {
      context: this.#context,
      partitionCount: (topic, signal) => this.partitionCount(topic, signal),
      openProducer: (options) => this.openProducer(options),
    };
  }

  async #keep<T extends AsyncDisposable>(opened: T): Promise<T> {
    if (this.#closing.signal.aborted) {
      // The client was closed while this was being opened: nobody else would end it.
      await opened[Symbol.asyncDispose]();
      throw this.#closing.signal.reason;
    }
    this.#context.opened.add(opened);
    return opened;
  }
}

/** With `close`, where it has one: what is on its way is waited for. */
function closeOf(opened: AsyncDisposable & { close?(): Promise<void> }): PromiseLike<void> {
  return opened.close === undefined ? opened[Symbol.asyncDispose]() : opened.close();
}

function identityOf(authentication: Authentication | undefined) {
  return authentication?.tlsIdentity?.bind(authentication);
}

/**
 * Makes a client and connects it.
 *
 * @throws {PulsarError} `invalid_service_url`, `connection_refused`, `tls_failed`, `authentication_error`, each with what to do
 *
 * @example
 * ```ts ignore
 * await using client = await connectPulsar({ serviceUrl: "pulsar://127.0.0.1:6650" });
 * console.log(await client.partitionCount("orders"));
 * ```
 */
export async function connectPulsar(options: PulsarClientOptions): Promise<PulsarClient> {
  const client = new PulsarClient(options, options.crc32c ?? await loadCrc32c());
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
