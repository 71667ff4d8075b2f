/** Which broker serves a topic ("Service discovery" in Pulsar's binary protocol specification). */
import type { Connection } from "./connection.ts";
import type { BrokerRoute, ConnectionPool } from "./connection_pool.ts";
import { type BrokerAddress, formatAddress, parseServiceUrl } from "./service_url.ts";
import {
  CommandLookupTopicResponseLookupType as LookupType,
  CommandPartitionedTopicMetadataResponseLookupType as MetadataType,
  PulsarError,
  serverError,
} from "../wire/mod.ts";

/** Far beyond any topic; a number that is damaged must not cost the memory of so many consumers. */
const PARTITIONS_MAX = 10_000;
/** Brokers that send one another the question in turn are given up, as Pulsar's clients do. */
const REDIRECTS_MAX = 20;

/** Asks brokers where topics are. */
export class Lookup {
  readonly #pool: ConnectionPool;
  readonly #addresses: readonly BrokerAddress[];
  #nextAddress = 0;

  constructor(pool: ConnectionPool, serviceUrl: string) {
    this.#pool = pool;
    this.#addresses = parseServiceUrl(serviceUrl).addresses;
  }

  /** A connection to any host of the service URL. */
  async connectToService(): Promise<{ connection: Connection; address: BrokerAddress }> {
    let lastError: unknown;
    for (let i = 0; i < this.#addresses.length; i++) {
      const address = this.#addresses[this.#nextAddress % this.#addresses.length]!;
      try {
        return { connection: await this.#pool.get({ address }), address };
      } catch (error) {
        lastError = error;
        this.#nextAddress++;
      }
    }
    throw lastError;
  }

  /**
   * A connection to the broker that serves a topic.
   *
   * @throws {PulsarError} what the brokers answer, or `protocol_violation` when they redirect in a circle
   */
  async connect(topic: string): Promise<Connection> {
    const { connection: first, address: service } = await this.connectToService();
    let connection = first;
    let authoritative = false;
    for (let i = 0; i < REDIRECTS_MAX; i++) {
      const answer = await this.#ask(connection, topic, authoritative);
      const route = routeOf(answer, service);
      connection = await this.#pool.get(route);
      if (answer.response !== LookupType.Redirect) return connection;
      authoritative = answer.authoritative ?? false;
    }
    throw new PulsarError(
      `Cannot look up ${topic}: the brokers redirected ${REDIRECTS_MAX} times`,
      { code: "protocol_violation", retryable: true },
    );
  }

  /** How many partitions a topic has, 0 for one that is not partitioned. */
  async partitionCount(topic: string): Promise<number> {
    const { connection } = await this.connectToService();
    const action = `read the partitions of ${topic}`;
    const answer = await connection.request("PARTITIONED_METADATA", { topic }, action);
    if (answer.type !== "PARTITIONED_METADATA_RESPONSE") throw unexpected(action, answer.type);
    if (answer.body.response === MetadataType.Failed) {
      throw serverError(action, answer.body.error, answer.body.message);
    }
    const { partitions = 0 } = answer.body;
    if (partitions > PARTITIONS_MAX) {
      throw new PulsarError(
        `Cannot ${action}: ${partitions} announced, at most ${PARTITIONS_MAX} are possible`,
        { code: "protocol_violation" },
      );
    }
    return partitions;
  }

  async #ask(connection: Connection, topic: string, authoritative: boolean) {
    const action = `look up ${topic}`;
    const answer = await connection.request("LOOKUP", { topic, authoritative }, action);
    if (answer.type !== "LOOKUP_RESPONSE") throw unexpected(action, answer.type);
    const { response, error, message } = answer.body;
    if (response === LookupType.Failed || response === undefined) {
      throw serverError(action, error, message);
    }
    return answer.body;
  }
}

interface LookupAnswer {
  readonly brokerServiceUrl?: string | undefined;
  readonly brokerServiceUrlTls?: string | undefined;
  readonly proxyThroughServiceUrl?: boolean | undefined;
}

function routeOf(answer: LookupAnswer, service: BrokerAddress): BrokerRoute {
  const url = service.tls ? answer.brokerServiceUrlTls : answer.brokerServiceUrl;
  const [broker] = url === undefined || url === "" ? [service] : parseServiceUrl(url).addresses;
  if (answer.proxyThroughServiceUrl !== true) return { address: broker! };
  if (formatAddress(broker!) === formatAddress(service)) return { address: service };
  return { address: service, proxyToBroker: `${broker!.host}:${broker!.port}` };
}

/** An answer of a type that does not belong to its request. */
export function unexpected(action: string, type: string): PulsarError {
  return new PulsarError(`Cannot ${action}: the broker answered ${type}`, {
    code: "protocol_violation",
  });
}
