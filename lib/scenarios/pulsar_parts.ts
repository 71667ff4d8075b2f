import { lineOf, messageOf, UsageError, utf8 } from "../base/mod.ts";
import type { Producer, Source } from "../contract.ts";
import {
  type Authentication,
  type BatchProducerOptions,
  type CompressionName,
  connectNative,
  connectPulsar,
  denoTransport,
  PulsarAdmin,
  type PulsarClient,
  PulsarError,
  type SchemaInfo,
  SchemaType,
  type SourceOptions,
  tokenFileAuthentication,
} from "../pulsar/mod.ts";
import { SENSOR_SCHEMA_JSON } from "../sensor/mod.ts";
import type { ClientName, PulsarTarget } from "./config.ts";
import { CuttableConnections } from "./cuttable.ts";

const SENSOR_SCHEMA: SchemaInfo = {
  name: "SensorRecord",
  type: SchemaType.Avro,
  schemaData: utf8(SENSOR_SCHEMA_JSON),
};

function authenticationOf({ tokenFile }: PulsarTarget): Authentication | undefined {
  return tokenFile === undefined ? undefined : tokenFileAuthentication(tokenFile);
}

async function caCertificatesOf({ tlsCaFile }: PulsarTarget): Promise<string[]> {
  if (tlsCaFile === undefined) return [];
  try {
    return [await Deno.readTextFile(tlsCaFile)];
  } catch (error) {
    throw new UsageError(
      `Cannot read the authorities to trust from "${tlsCaFile}": ${messageOf(error)}`,
      "give a PEM file with --pulsar-tls-ca",
      error,
    );
  }
}

/**
 * Connects to a Pulsar; the client's end closes what was opened over it.
 *
 * @param connections wraps what is opened: where connections can be broken on purpose, or what comes through them is kept
 * @throws with the cure when nothing answers or it refuses
 */
export async function connectTarget(
  target: PulsarTarget,
  connections: Pick<CuttableConnections, "through"> = new CuttableConnections(),
): Promise<PulsarClient> {
  const caCertificates = await caCertificatesOf(target);
  try {
    return await connectPulsar({
      serviceUrl: target.serviceUrl,
      authentication: authenticationOf(target),
      openTransport: connections.through(denoTransport({ caCertificates })),
    });
  } catch (error) {
    // What a web server answers begins with "HTTP", which as the size of a frame is 1.2 GB.
    if (!(error instanceof PulsarError) || error.code !== "frame_too_large") throw error;
    throw new UsageError(
      `Cannot connect to ${target.serviceUrl}: what answers there does not speak Pulsar's protocol`,
      "give the port of Pulsar's own protocol, 6650 by default",
      error,
    );
  }
}

/** What the roles need of a Pulsar client: the one or the other. */
export interface PulsarDriver extends AsyncDisposable {
  openBatchProducer(options: BatchProducerOptions): Promise<Producer>;
  openSource(options: SourceOptions): Promise<Source>;
}

/**
 * Connects the client that a role shall use.
 *
 * @param connections where its connections can be broken on purpose; those of the native client cannot
 * @throws with the cure when the client is missing, nothing answers or it refuses
 */
export async function connectDriver(
  target: PulsarTarget,
  client: ClientName,
  connections: CuttableConnections,
): Promise<PulsarDriver> {
  if (client === "weir") return await connectTarget(target, connections);
  return await connectNative({
    serviceUrl: target.serviceUrl,
    authentication: authenticationOf(target),
    caFile: target.tlsCaFile,
  });
}

/** What a producer of SensorRecords is opened with. */
export interface OpenProducerOptions {
  readonly topic: string;
  /** Names the producer, so that one that is started again goes on for it. */
  readonly runId: string;
  readonly compression: string;
}

/**
 * Opens a producer of SensorRecords, and registers their schema.
 *
 * @throws with the cure when Pulsar refuses, e.g. for a schema that is not compatible with the topic's
 */
export function openProducer(
  client: PulsarDriver,
  { topic, runId, compression }: OpenProducerOptions,
): Promise<Producer> {
  return client.openBatchProducer({
    topic,
    producerName: `weir-${runId}`,
    schema: SENSOR_SCHEMA,
    compression: compression as CompressionName,
  });
}

/** What a source of SensorRecords is opened with. */
export interface OpenSourceOptions {
  readonly topic: string;
  readonly subscription: string;
  readonly consumerName: string;
}

/**
 * Opens a source of SensorRecords. Several of them share the topic's partitions and take over from one another.
 *
 * @throws with the cure when Pulsar refuses
 */
export function openSource(client: PulsarDriver, options: OpenSourceOptions): Promise<Source> {
  return client.openSource({
    ...options,
    subscriptionType: "failover",
    schema: SENSOR_SCHEMA,
  });
}

/** The admin interface of a target. */
export async function openAdmin(target: PulsarTarget): Promise<PulsarAdmin> {
  if (target.adminUrl === undefined) {
    throw new UsageError(
      `Cannot manage topics of ${target.serviceUrl}: its admin URL is not known`,
      "give it with --pulsar-admin http://HOST:8080",
    );
  }
  return new PulsarAdmin({
    adminUrl: target.adminUrl,
    authentication: authenticationOf(target),
    fetch: await fetchTrusting(target),
  });
}

/** `fetch` that trusts the authorities of the target as well. */
async function fetchTrusting(target: PulsarTarget): Promise<typeof fetch> {
  const caCerts = await caCertificatesOf(target);
  if (caCerts.length === 0) return fetch;
  const client = Deno.createHttpClient({ caCerts });
  return (input: RequestInfo | URL, init?: RequestInit) => fetch(input, { ...init, client });
}

/** Answers to "make this topic" that leave it to the broker: it is there, or this user may not ask. */
const TOPIC_LEFT_ALONE: readonly string[] = [
  "admin_conflict",
  "connection_refused",
  "authorization_error",
];

/**
 * Makes a topic for a role that a person started, where it is not there yet.
 *
 * @param tell says what was done, or why not: then the broker's own rule decides
 */
export async function makeTopicIfMissing(
  target: PulsarTarget,
  { topic, partitionCount }: { readonly topic: string; readonly partitionCount: number },
  tell: (text: string) => void,
): Promise<void> {
  try {
    await (await openAdmin(target)).createPartitionedTopic(topic, partitionCount);
    tell(`made topic ${topic} with ${partitionCount} partitions`);
  } catch (error) {
    if (!(error instanceof PulsarError) || !TOPIC_LEFT_ALONE.includes(error.code)) throw error;
    if (error.code !== "admin_conflict") tell(`the topic is left to the broker: ${lineOf(error)}`);
  }
}
