import { closedError } from "./closed_error.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";

/** A broker, and the way to it. */
export interface BrokerRoute {
  /** Where the socket goes: the broker itself, or a proxy in front of it. */
  readonly address: BrokerAddress;
  /** `host:port` of the broker that the proxy shall connect to. */
  readonly proxyToBroker?: string | undefined;
}

/** One connection a broker, shared by all producers and consumers. */
export class ConnectionPool implements AsyncDisposable {
  readonly #options: Omit<ConnectionOptions, "address" | "proxyToBroker">;
  readonly #connections = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(options: Omit<ConnectionOptions, "address" | "proxyToBroker">) {
    this.#options = options;
  }

  /**
   * The open connection on this route, or a new one.
   *
   * @throws {PulsarError} as `Connection.open`
   */
  async get(route: BrokerRoute): Promise<Connection> {
    const key = `${formatAddress(route.address)} ${route.proxyToBroker ?? ""}`;
    for (;;) {
      if (this.#closed) {
        throw closedError("connect", "client");
      }
      const existing = this.#connections.get(key);
      const connection = await (existing ?? this.#open(key, route));
      if (connection.error === undefined && !this.#closed) return connection;
      // A connection that broke meanwhile is replaced, once, by whoever finds it first.
      if (this.#connections.get(key) === existing) this.#connections.delete(key);
      if (this.#closed) connection.close();
      // A new one that broke at once would be followed by the next without a pause: whoever asked decides when.
      else if (existing === undefined) throw connection.error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#connections.values());
    this.#connections.clear();
    await Promise.all(opened.map(async (result) => {
      if (result.status === "rejected") return;
      result.value.close();
      await result.value.ended();
    }));
  }

  #open(key: string, route: BrokerRoute): Promise<Connection> {
    const opening = Connection.open({ ...this.#options, ...route });
    this.#connections.set(key, opening);
    opening.catch(() => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    return opening;
  }
}
