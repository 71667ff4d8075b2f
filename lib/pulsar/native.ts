/**
 * npm:pulsar-client, the official Node client, behind the contract of this project: a second driver to compare the own one with.
 *
 * It has fewer words than the contract: no last sequence id (a producer that is started again asks the ledger), no change of the active
 * consumer (so one reader a partition), no last position (so a partition is never idle), and its sockets cannot be cut on purpose.
 */
import { textOf } from "../base/mod.ts";
import type { Producer, Source } from "../contract.ts";
import {
  loadAddon,
  type LoadedAddon,
  type NativeAddon,
  type NativeClientHandle,
} from "./_native_addon.ts";
import { nativeError, NativeProducer } from "./_native_producer.ts";
import { NativeSource } from "./_native_source.ts";
import {
  type Authentication,
  type BatchProducerOptions,
  connectPulsar,
  parseTopicName,
  partitionTopic,
  type SchemaInfo,
  type SourceOptions,
} from "./client/mod.ts";
import { type CompressionName, PulsarError, SchemaType } from "./wire/mod.ts";

/** What the native client is made with. */
export interface NativeOptions {
  readonly serviceUrl: string;
  /** Tokens only; asked for once. */
  readonly authentication?: Authentication | undefined;
  /** PEM file of the authorities to trust. */
  readonly caFile?: string | undefined;
  /** Where `node_modules/pulsar-client` is looked for, and above. Default the current folder. */
  readonly folder?: string | undefined;
  /** The package, where it is loaded already. */
  readonly loaded?: LoadedAddon | undefined;
}

/** Several batches of 20,000 messages may be under way. */
const PENDING_MESSAGES_MAX = 2_000_000;
/** A flush ends each batch; nothing else may. */
const BATCH_DELAY_MS = 60_000;
const BATCH_MESSAGES_MAX = 1_000_000;
const BATCH_BYTES_MAX = 5 * 1024 * 1024;
const RECEIVE_MESSAGES_MAX = 1000;
const RECEIVE_BYTES_MAX = 8 * 1024 * 1024;
const RECEIVE_TIMEOUT_MS = 20;

const COMPRESSIONS: Readonly<Record<CompressionName, string | undefined>> = {
  none: undefined,
  lz4: "LZ4",
  zlib: "Zlib",
  zstd: "ZSTD",
  snappy: "SNAPPY",
};

/** A client over npm:pulsar-client. */
export class NativeClient implements AsyncDisposable {
  /** E.g. `npm:pulsar-client 1.18.0`. */
  readonly clientName: string;
  readonly #addon: NativeAddon;
  readonly #client: NativeClientHandle;
  readonly #options: NativeOptions;
  readonly #opened: AsyncDisposable[] = [];

  constructor({ addon, name }: LoadedAddon, client: NativeClientHandle, options: NativeOptions) {
    this.#addon = addon;
    this.#client = client;
    this.#options = options;
    this.clientName = name;
  }

  /**
   * See `PulsarClient.openBatchProducer`; partitions are sent to under the same names.
   *
   * @throws {PulsarError} what the native client says
   */
  async openBatchProducer(options: BatchProducerOptions): Promise<Producer> {
    const { producerName, schema, compression = "none" } = options;
    const { topics, systemName } = await this.#look(options.topic);
    const handles = await this.#openAll(topics, (topic, partition) =>
      this.#client.createProducer({
        topic,
        producerName: topics.length === 1 && topic === parseTopicName(options.topic).full
          ? producerName
          : `${producerName}-partition-${partition}`,
        sendTimeoutMs: 0,
        maxPendingMessages: PENDING_MESSAGES_MAX,
        maxPendingMessagesAcrossPartitions: PENDING_MESSAGES_MAX,
        batchingEnabled: true,
        batchingMaxPublishDelayMs: BATCH_DELAY_MS,
        batchingMaxMessages: BATCH_MESSAGES_MAX,
        batchingMaxAllowedSizeInBytes: BATCH_BYTES_MAX,
        ...(COMPRESSIONS[compression] === undefined
          ? {}
          : { compressionType: COMPRESSIONS[compression] }),
        ...schemaConfig(schema),
      }));
    return this.#keep(new NativeProducer(handles, systemName));
  }

  /**
   * See `PulsarClient.openSource`; there is one reader, whatever the type of the subscription.
   *
   * @throws {PulsarError} what the native client says, e.g. that another reader holds the subscription
   */
  async openSource(options: SourceOptions): Promise<Source> {
    const { subscription, consumerName, schema } = options;
    const { topics, systemName } = await this.#look(options.topic);
    const handles = await this.#openAll(topics, (topic) =>
      this.#client.subscribe({
        topic,
        subscription,
        subscriptionType: "Exclusive",
        subscriptionInitialPosition: "Earliest",
        ...(consumerName === undefined ? {} : { consumerName }),
        receiverQueueSize: RECEIVE_MESSAGES_MAX * 20,
        batchReceivePolicy: {
          maxNumMessages: RECEIVE_MESSAGES_MAX,
          maxNumBytes: RECEIVE_BYTES_MAX,
          timeoutMs: RECEIVE_TIMEOUT_MS,
        },
        ...schemaConfig(schema),
      }));
    return this.#keep(new NativeSource(this.#addon, handles, systemName));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((opened) => opened[Symbol.asyncDispose]()));
    // A connection that is gone cannot be closed.
    await this.#client.close().catch(() => {});
  }

  /** What this client does not tell is asked for over our own. */
  async #look(name: string): Promise<{ topics: string[]; systemName: string }> {
    const { serviceUrl, authentication, caFile } = this.#options;
    const caCertificates = caFile === undefined ? [] : [await Deno.readTextFile(caFile)];
    await using client = await connectPulsar({ serviceUrl, authentication, caCertificates });
    const { full } = parseTopicName(name);
    const count = await client.partitionCount(full);
    const topics = count === 0
      ? [full]
      : Array.from({ length: count }, (_, partition) => partitionTopic(full, partition));
    return { topics, systemName: await client.systemName() };
  }

  async #openAll<T>(
    topics: readonly string[],
    open: (topic: string, partition: number) => Promise<T>,
  ): Promise<T[]> {
    return await Promise.all(
      topics.map((topic, partition) =>
        open(topic, partition).catch((error) => {
          throw nativeError(`open ${topic}`, error);
        })
      ),
    );
  }

  #keep<T extends AsyncDisposable>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }
}

/**
 * Loads the native client and connects it.
 *
 * @throws {PulsarError} `native_client_missing` with how to get it, or why the broker cannot be reached
 */
export async function connectNative(options: NativeOptions): Promise<NativeClient> {
  const loaded = options.loaded ?? loadNative(options.folder);
  const { addon } = loaded;
  // It writes to standard output by itself, which belongs to the roles' own lines.
  addon.Client.setLogHandler?.(() => {});
  const { serviceUrl, authentication, caFile } = options;
  if (authentication !== undefined && authentication.methodName !== "token") {
    throw new PulsarError(
      `Cannot use authentication ${authentication.methodName} with npm:pulsar-client here`,
      { code: "not_supported", cure: "use a token, or weir's own client" },
    );
  }
  const token = (await authentication?.authData())?.reveal();
  const client = new addon.Client({
    serviceUrl,
    operationTimeoutSeconds: 30,
    ...(token === undefined ? {} : { authentication: new addon.AuthenticationToken({ token }) }),
    ...(caFile === undefined ? {} : { tlsTrustCertsFilePath: caFile, tlsValidateHostname: true }),
  });
  return new NativeClient(loaded, client, options);
}

/**
 * Loads the package, so that it is known before a run is started whether it is there.
 *
 * @param folder where `node_modules/pulsar-client` is looked for, and above; default the current one
 * @throws {PulsarError} `native_client_missing`, with how to get it
 */
export function loadNative(folder: string = Deno.cwd()): LoadedAddon {
  return loadAddon(folder);
}

function schemaConfig(schema: SchemaInfo | undefined): Record<string, unknown> {
  if (schema === undefined) return {};
  if (schema.type !== SchemaType.Avro) {
    throw new PulsarError(
      `Cannot use schema ${schema.name} with npm:pulsar-client: it is not AVRO`,
      { code: "not_supported", cure: "use weir's own client" },
    );
  }
  const { name, schemaData } = schema;
  return { schema: { schemaType: "Avro", name, schema: textOf(schemaData) } };
}
