/** Pulsar's admin REST API v2, as far as runs need it (https://pulsar.apache.org/admin-rest-api/). */
import { messageOf } from "../../base/mod.ts";
import type { Authentication } from "./auth.ts";
import { parseTopicName } from "./topic_name.ts";
import { PulsarError, type PulsarErrorOptions } from "../wire/mod.ts";

/** What an admin client is made with. */
export interface PulsarAdminOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly adminUrl: string;
  readonly authentication?: Authentication | undefined;
  /** Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** `fetch`, or one that trusts other certificates. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A subscription's part of a topic's statistics. */
export interface SubscriptionStats {
  /** Entries or messages that are not acknowledged, as the broker counts them. */
  readonly msgBacklog: number;
  readonly type?: string;
  readonly consumers?: readonly { readonly consumerName?: string }[];
}

/** A topic's statistics, as far as they are used here; brokers send more. */
export interface TopicStats {
  readonly msgInCounter: number;
  readonly bytesInCounter: number;
  readonly storageSize: number;
  readonly backlogSize?: number;
  readonly publishers?: readonly unknown[];
  readonly subscriptions: Readonly<Record<string, SubscriptionStats>>;
}

/** A schema as the registry keeps it. */
export interface RegisteredSchema {
  readonly version: number;
  readonly type: string;
  /** The definition, JSON text for AVRO. */
  readonly data: string;
}

interface Call {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** As in `Cannot <action>: …`. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
}

/** How authentication goes over HTTP; a certificate is given with `fetch`. */
const HTTP_SCHEMES: Readonly<Record<string, (authData: string) => string>> = {
  token: (token) => `Bearer ${token}`,
  basic: (credentials) => `Basic ${btoa(credentials)}`,
};

/** What a status says, with what to do where the code alone does not tell. */
const STATUSES: Readonly<Record<number, Pick<PulsarErrorOptions, "code" | "cure">>> = {
  401: { code: "authentication_error" },
  403: {
    code: "authorization_error",
    cure: "give the token's role the rights to administer this namespace",
  },
  404: { code: "admin_not_found" },
  409: { code: "admin_conflict" },
  412: { code: "admin_conflict", cure: "end the producers and consumers that are connected" },
};

/**
 * Creates, inspects and deletes topics.
 *
 * @example
 * ```ts ignore
 * const admin = new PulsarAdmin({ adminUrl: "http://127.0.0.1:8080" });
 * await admin.createPartitionedTopic("orders", 4);
 * ```
 */
export class PulsarAdmin {
  readonly #options: PulsarAdminOptions;
  readonly #base: string;

  /** @throws {PulsarError} `invalid_service_url` */
  constructor(options: PulsarAdminOptions) {
    this.#options = options;
    this.#base = options.adminUrl.replace(/\/+$/, "");
    if (!/^https?:\/\/[^/]+$/.test(this.#base)) {
      throw new PulsarError(
        `Cannot use admin URL ${JSON.stringify(options.adminUrl)}: not an HTTP URL`,
        { code: "invalid_service_url", cure: "give http://HOST:PORT" },
      );
    }
  }

  /** The broker's version, e.g. `4.2.4`; the embedded broker's begins with `weir`. */
  async brokerVersion(signal?: AbortSignal): Promise<string> {
    const action = "read the broker's version";
    const text = await this.#call({ method: "GET", path: "/brokers/version", action, signal });
    return text.trim().replace(/^"|"$/g, "");
  }

  /** As a result names it: `embedded broker`, or `Apache Pulsar 4.2.4`. */
  async systemName(signal?: AbortSignal): Promise<string> {
    const version = await this.brokerVersion(signal);
    return version.startsWith("weir") ? "embedded broker" : `Apache Pulsar ${version}`;
  }

  /** @throws {PulsarError} `admin_conflict` when there is one of this name */
  async createPartitionedTopic(
    topic: string,
    partitionCount: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = `${topicPath(topic)}/partitions`;
    const action = `create topic ${topic} with ${partitionCount} partitions`;
    await this.#call({ method: "PUT", path, body: partitionCount, action, signal });
  }

  /** @throws {PulsarError} `admin_conflict` when there is one of this name */
  async createTopic(topic: string, signal?: AbortSignal): Promise<void> {
    const action = `create topic ${topic}`;
    await this.#call({ method: "PUT", path: topicPath(topic), action, signal });
  }

  /**
   * Deletes a topic with all its partitions and its schema.
   *
   * @param options.force also disconnects producers and consumers
   * @throws {PulsarError} `admin_not_found`, or `admin_conflict` while something is connected
   */
  async deletePartitionedTopic(
    topic: string,
    options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const path = `${topicPath(topic)}/partitions?force=${options.force ?? false}`;
    const action = `delete topic ${topic}`;
    await this.#call({ method: "DELETE", path, action, signal: options.signal });
  }

  /** As `deletePartitionedTopic`, for a topic that is not partitioned. */
  async deleteTopic(
    topic: string,
    options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const path = `${topicPath(topic)}?force=${options.force ?? false}`;
    const action = `delete topic ${topic}`;
    await this.#call({ method: "DELETE", path, action, signal: options.signal });
  }

  /**
   * How many partitions a topic has, 0 for one that is not partitioned.
   *
   * @throws {PulsarError} `admin_not_found`
   */
  async partitionCount(topic: string, signal?: AbortSignal): Promise<number> {
    const path = `${topicPath(topic)}/partitions`;
    const action = `read the partitions of ${topic}`;
    const { partitions } = await this.#json<{ partitions: number }>({
      method: "GET",
      path,
      action,
      signal,
    });
    return partitions;
  }

  /** Statistics of one topic or partition. */
  async topicStats(topic: string, signal?: AbortSignal): Promise<TopicStats> {
    const path = `${topicPath(topic)}/stats`;
    return await this.#json({ method: "GET", path, action: `read statistics of ${topic}`, signal });
  }

  /** Statistics of all partitions of a topic together. */
  async partitionedTopicStats(topic: string, signal?: AbortSignal): Promise<TopicStats> {
    const path = `${topicPath(topic)}/partitioned-stats?perPartition=false`;
    return await this.#json({ method: "GET", path, action: `read statistics of ${topic}`, signal });
  }

  /** The newest schema of a topic, or undefined for none. */
  async schema(topic: string, signal?: AbortSignal): Promise<RegisteredSchema | undefined> {
    const { tenant, namespace, localName } = parseTopicName(topic);
    const path = `/schemas/${tenant}/${namespace}/${encodeURIComponent(localName)}/schema`;
    try {
      const action = `read the schema of ${topic}`;
      return await this.#json<RegisteredSchema>({ method: "GET", path, action, signal });
    } catch (error) {
      if (error instanceof PulsarError && error.code === "admin_not_found") return undefined;
      throw error;
    }
  }

  async #json<T>(call: Call): Promise<T> {
    const text = await this.#call(call);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new PulsarError(`Cannot ${call.action}: the answer is not JSON`, {
        code: "admin_failed",
        cause: error,
      });
    }
  }

  async #call(call: Call): Promise<string> {
    const { requestTimeoutMs = 30_000, authentication } = this.#options;
    const headers: Record<string, string> = {};
    if (call.body !== undefined) headers["content-type"] = "application/json";
    const scheme = HTTP_SCHEMES[authentication?.methodName ?? ""];
    const secret = scheme === undefined ? undefined : await authentication?.authData();
    if (secret !== undefined) headers["authorization"] = scheme!(secret.reveal());
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const response = await this.#fetch(call, {
      method: call.method,
      headers,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
    });
    const text = await response.text();
    if (!response.ok) throw httpError(call.action, response.status, text);
    return text;
  }

  async #fetch(call: Call, init: RequestInit): Promise<Response> {
    try {
      return await (this.#options.fetch ?? fetch)(`${this.#base}/admin/v2${call.path}`, init);
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      const why = isLate ? "did not answer in time" : `cannot be reached (${causeOf(error)})`;
      throw new PulsarError(`Cannot ${call.action}: ${this.#base} ${why}`, {
        code: isLate ? "request_timeout" : "connection_refused",
        retryable: true,
        cure: "check the admin URL: it is the broker's HTTP port, 8080 by default",
        cause: error,
      });
    }
  }
}

/** The innermost cause on one line: `fetch failed` says nothing. */
function causeOf(error: unknown): string {
  let inner = error;
  for (
    let depth = 0;
    depth < 5 && inner instanceof Error && inner.cause instanceof Error;
    depth++
  ) {
    inner = inner.cause;
  }
  return messageOf(inner).replace(/^error sending request for url \([^)]*\): /, "")
    .replace(/^client error \(Connect\): /, "");
}

function topicPath(topic: string): string {
  const { domain, tenant, namespace, localName } = parseTopicName(topic);
  return `/${domain}/${tenant}/${namespace}/${encodeURIComponent(localName)}`;
}

function httpError(action: string, status: number, text: string): PulsarError {
  return new PulsarError(`Cannot ${action}: HTTP ${status} ${reasonOf(text)}`.trimEnd(), {
    ...(STATUSES[status] ?? { code: "admin_failed" }),
    retryable: status >= 500 || status === 429,
  });
}

/** Brokers answer `{"reason": "…"}`; a proxy before them answers anything. */
function reasonOf(text: string): string {
  try {
    const { reason } = JSON.parse(text) as { reason?: unknown };
    return typeof reason === "string" ? reason.split("\n", 1)[0]! : "";
  } catch {
    // Not JSON: the first line says enough.
    return text.split("\n", 1)[0]!.slice(0, 200);
  }
}
