import { loadCrc32c, messageOf, systemClock, systemDisk, systemRandom } from "../../base/mod.ts";
import type { Clock, Disk, Secret } from "../../base/mod.ts";
import { adminHandler } from "./admin.ts";
import { Broker } from "./broker.ts";
import type { BrokerParts } from "./broker.ts";
import { Connection } from "./connection.ts";
import { BrokerError } from "./errors.ts";
import { lockFolder } from "./folder_lock.ts";
import type { Durability } from "./durability.ts";
import type { ProcessFigures } from "./metrics_text.ts";
import type { Compatibility } from "./schema_compatibility.ts";
import { DEFAULT_POLICIES } from "./topic_policies.ts";
import type { TopicPolicies } from "./topic_policies.ts";

const HOST = "127.0.0.1";
const ACCEPT_RETRY_MS = 100;
const MEBIBYTE = 1024 * 1024;

/** How to start a broker; only the folder must be given. */
export interface StartOptions {
  /** The data folder; made where there is none. */
  readonly folder: string;
  /** Of the binary protocol; 0 takes a free one. */
  readonly port?: number;
  /** Of the admin interface; 0 takes a free one. */
  readonly adminPort?: number;
  readonly durability?: Durability;
  /** Clients must show it; without one everybody on this machine may come in. */
  readonly token?: Secret | undefined;
  /** What topics keep and refuse where their namespace does not say. */
  readonly policies?: Partial<TopicPolicies>;
  readonly schemaCompatibility?: Compatibility;
  /** A segment that is larger is sealed, and the next one begun. */
  readonly segmentBytesMax?: number;
  /** Memory for the ends of all logs together. */
  readonly tailBytesMax?: number;
  readonly failoverDelayMs?: number;
  readonly version?: string;
  readonly disk?: Disk;
  readonly clock?: Clock;
  /** Hears what the operator should know, one line each. */
  readonly report?: (line: string) => void;
  /** What `/metrics` says of the process. */
  readonly figures?: () => ProcessFigures;
}

/** A broker that runs. */
export interface BrokerHandle extends AsyncDisposable {
  readonly port: number;
  readonly adminPort: number;
  /** `pulsar://127.0.0.1:port` */
  readonly url: string;
  /** `http://127.0.0.1:adminPort` */
  readonly adminUrl: string;
  /** `http://127.0.0.1:adminPort/metrics` */
  readonly metricsUrl: string;
  /** How results name it, e.g. `weir-embedded-0.1.0`. */
  readonly systemName: string;
}

/**
 * Starts a broker on 127.0.0.1.
 *
 * @throws {BrokerError} `port_taken`, `locked`, `not_writable`, `damaged`, `disk_full`, `disk_error`
 *
 * @example
 * ```ts
 * import { startBroker } from "./start.ts";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using broker = await startBroker({ folder });
 *   const answer = await fetch(`${broker.adminUrl}/admin/v2/brokers/health`);
 *   assert.equal(await answer.text(), "ok");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function startBroker(options: StartOptions): Promise<BrokerHandle> {
  const stack = new AsyncDisposableStack();
  try {
    const adminPort = options.adminPort ?? 0;
    const listener = listen(options.port ?? 0, "--port");
    stack.defer(() => closeQuietly(listener));
    // A port that is taken is told before anything is written.
    listen(adminPort, "--admin-port").close();
    const unlock = lockFolder(options.folder);
    stack.defer(unlock);
    const broker = await Broker.open(await partsOf(options));
    stack.defer(() => {
      // Who is sent away must not come in again.
      closeQuietly(listener);
      return broker.close();
    });
    const port = (listener.addr as Deno.NetAddr).port;
    const url = `pulsar://${HOST}:${port}`;
    const server = serveAdmin(broker, { url, adminPort, figures: options.figures });
    stack.defer(() => server.shutdown());
    void accept(listener, broker, url);
    const adminUrl = `http://${HOST}:${server.addr.port}`;
    return {
      port,
      adminPort: server.addr.port,
      url,
      adminUrl,
      metricsUrl: `${adminUrl}/metrics`,
      systemName: broker.parts.systemName,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What the broker of these options is made of; for tests that run it without sockets. */
export async function partsOf(options: StartOptions): Promise<BrokerParts> {
  return {
    disk: options.disk ?? systemDisk,
    clock: options.clock ?? systemClock,
    crc32c: await loadCrc32c(),
    random: systemRandom,
    folder: options.folder,
    durability: options.durability ?? "os",
    segmentBytesMax: options.segmentBytesMax ?? 64 * MEBIBYTE,
    tailBytesMax: options.tailBytesMax ?? 64 * MEBIBYTE,
    policies: { ...DEFAULT_POLICIES, ...options.policies },
    schemaCompatibility: options.schemaCompatibility ?? "FULL",
    failoverDelayMs: options.failoverDelayMs ?? 1000,
    token: options.token,
    systemName: `weir-embedded-${options.version ?? "0.0.0"}`,
    report: options.report ?? (() => {}),
  };
}

function portTaken(port: number, flag: string, cause: unknown): BrokerError {
  return new BrokerError(`Cannot listen on ${HOST}:${port}: the port is taken`, {
    code: "port_taken",
    cure: `end what listens there, or give ${flag} another one (0 takes a free one)`,
    cause,
  });
}

function listen(port: number, flag: string): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: HOST, port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw portTaken(port, flag, error);
    throw error;
  }
}

function serveAdmin(broker: Broker, options: {
  readonly url: string;
  readonly adminPort: number;
  readonly figures: (() => ProcessFigures) | undefined;
}): Deno.HttpServer<Deno.NetAddr> {
  const { url, adminPort, figures } = options;
  let adminUrl = "";
  const handler = adminHandler({
    broker,
    addresses: {
      url,
      get adminUrl() {
        return adminUrl;
      },
    },
    figures: figures ?? (() => ({ cpuSeconds: 0, residentBytes: 0, startedAtMs: 0 })),
  });
  try {
    const server = Deno.serve({ hostname: HOST, port: adminPort, onListen() {} }, handler);
    adminUrl = `http://${HOST}:${server.addr.port}`;
    return server;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw portTaken(adminPort, "--admin-port", error);
    throw error;
  }
}

async function accept(listener: Deno.TcpListener, broker: Broker, url: string): Promise<void> {
  for (;;) {
    try {
      const socket = await listener.accept();
      socket.setNoDelay(true);
      const { hostname, port } = socket.remoteAddr;
      void new Connection(broker, socket, `${hostname}:${port}`, url).run();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || broker.isClosed) return;
      // Too many open files, or a client that left at once: others go on, new ones wait.
      broker.parts.report(`cannot accept a connection: ${messageOf(error)}`);
      await broker.parts.clock.sleep(ACCEPT_RETRY_MS);
    }
  }
}

function closeQuietly(listener: Deno.TcpListener): void {
  try {
    listener.close();
  } catch {
    // It is closed already.
  }
}
