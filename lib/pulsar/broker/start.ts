import { loadCrc32c, systemClock, systemDisk, systemRandom } from "../../base/mod.ts";
import type { Clock, Disk, Secret } from "../../base/mod.ts";
import { serveAdmin } from "./admin/mod.ts";
import { Authenticator, TOKEN_ROLE } from "./authentication.ts";
import { Broker } from "./broker.ts";
import type { BrokerParts } from "./broker.ts";
import { BrokerError } from "./errors.ts";
import { lockFolder } from "./log/mod.ts";
import type { Durability } from "./log/mod.ts";
import { acceptAll, listenPlain, listenTls } from "./connection/mod.ts";
import type { Listener, TlsFiles } from "./connection/mod.ts";
import type { ProcessFigures } from "./admin/mod.ts";
import type { Compatibility } from "./schema/mod.ts";
import { DEFAULT_POLICIES } from "./policies/mod.ts";
import type { TopicPolicies } from "./policies/mod.ts";

const LOOPBACK = "127.0.0.1";
/** Addresses that only this machine reaches. */
const LOOPBACKS: ReadonlySet<string> = new Set([LOOPBACK, "localhost", "::1"]);
const MEBIBYTE = 1024 * 1024;
/** Small ones are free again soon, and the files in use stay few: 310 ns a message with new files, 180 with the same ones again. */
const SEGMENT_BYTES_MAX = 32 * MEBIBYTE;
/** More would hold more for consumers that lag, but new memory costs more than the disk cache: flooded 258 ns a message, with 64 MiB 350. */
const TAIL_BYTES_MAX = 16 * MEBIBYTE;
const CONNECTIONS_MAX = 10_000;

/** How to start a broker; only the folder must be given. */
export interface StartOptions {
  /** The data folder; made where there is none. */
  readonly folder: string;
  /** Address to listen on, default 127.0.0.1. Another one is refused where clients need not show who they are. */
  readonly host?: string | undefined;
  /** How clients reach this machine, where `host` is not how; default `host`. */
  readonly advertisedHost?: string | undefined;
  /** Of the binary protocol; 0, the default, takes a free one. */
  readonly port?: number;
  /** Of the admin interface; 0, the default, takes a free one. */
  readonly adminPort?: number;
  /** Certificate and key; with them both protocols are spoken over TLS too. */
  readonly tls?: TlsFiles | undefined;
  /** Of the binary protocol over TLS; 0, the default, takes a free one. */
  readonly tlsPort?: number;
  /** Of the admin interface over HTTPS; 0, the default, takes a free one. */
  readonly adminTlsPort?: number;
  /** What a receipt means: `os`, the default, that a message outlives this process; `fsync`, the machine. */
  readonly durability?: Durability;
  /** Clients must show it, or one of the tokens below; without any everybody on this machine may come in. */
  readonly token?: Secret | undefined;
  /** Signs JSON Web Tokens (HS256 and its kin); at least 32 bytes. */
  readonly tokenSecretKey?: Uint8Array | undefined;
  /** Checks JSON Web Tokens (RS256, ES256): SPKI as PEM, or in its bytes. */
  readonly tokenPublicKey?: Uint8Array | undefined;
  /** Roles that may do everything; whoever shows `token` may as well. */
  readonly superusers?: readonly string[] | undefined;
  /** Answers /metrics to everybody, as Pulsar does. */
  readonly areMetricsOpen?: boolean | undefined;
  /** Clients at a time; default 10,000. */
  readonly connectionsMax?: number | undefined;
  /** What topics keep and refuse where their namespace does not say. */
  readonly policies?: Partial<TopicPolicies>;
  /** Which changes of a schema are allowed where the namespace does not say; default FULL. */
  readonly schemaCompatibility?: Compatibility;
  /** A segment that is larger is sealed, and the next one begun; default 32 MiB. */
  readonly segmentBytesMax?: number;
  /** Memory for the ends of all logs together; default 16 MiB. */
  readonly tailBytesMax?: number;
  /** Pause before a consumer takes over from one that still lives; default 1,000. */
  readonly failoverDelayMs?: number;
  /** Of the broker, as `systemName` and the admin interface tell it. */
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
  /** `pulsar+ssl://127.0.0.1:port`, where TLS was asked for. */
  readonly tlsUrl: string | undefined;
  /** `https://127.0.0.1:port`, where TLS was asked for. */
  readonly adminTlsUrl: string | undefined;
  /** `http://127.0.0.1:adminPort/metrics` */
  readonly metricsUrl: string;
  /** How results name it, e.g. `weir-embedded-0.1.0`. */
  readonly systemName: string;
}

/**
 * Starts a broker, on 127.0.0.1 unless told otherwise.
 *
 * @throws {BrokerError} `port_taken`, `locked`, `not_writable`, `damaged`, `disk_full`, `disk_error`; `authentication` where others than
 * this machine could reach a broker that asks nobody who he is; `invalid` for keys and certificates that cannot be used
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
    const parts = await partsOf(options);
    const host = options.host ?? LOOPBACK;
    assertReachable(host, parts);
    const listener = listenPlain({ host, port: options.port ?? 0, flag: "--port" });
    stack.defer(() => listener.close());
    const secure = await listenSecure(host, options);
    stack.defer(() => secure?.close());
    // A port that is taken is told before anything is written.
    await listenPlain({ host, port: options.adminPort ?? 0, flag: "--admin-port" }).close();
    stack.defer(lockFolder(options.folder));
    const broker = await Broker.open(parts);
    stack.defer(async () => {
      // Who is sent away must not come in again.
      await Promise.all([listener.close(), secure?.close()]);
      await broker.close();
    });
    const served = serve(broker, { options, host, listener, secure }, stack);
    return { ...served, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** @throws {BrokerError} `authentication` */
function assertReachable(host: string, { isOpen }: BrokerParts): void {
  if (LOOPBACKS.has(host) || !isOpen) return;
  throw new BrokerError(`Cannot listen on ${host}: everybody who reaches it could do everything`, {
    code: "authentication",
    cure: "ask clients for tokens with --token-secret-key, --token-public-key or --token-file",
  });
}

async function listenSecure(host: string, options: StartOptions): Promise<Listener | undefined> {
  const { tls, tlsPort: port = 0 } = options;
  return tls === undefined ? undefined : await listenTls({ host, port, flag: "--tls-port" }, tls);
}

/** Begins to let clients in. */
function serve(
  broker: Broker,
  { options, host, listener, secure }: {
    readonly options: StartOptions;
    readonly host: string;
    readonly listener: Listener;
    readonly secure: Listener | undefined;
  },
  stack: AsyncDisposableStack,
): Omit<BrokerHandle, typeof Symbol.asyncDispose> {
  const name = inUrl(options.advertisedHost ?? host);
  const addresses = {
    url: `pulsar://${name}:${listener.port}`,
    tlsUrl: secure && `pulsar+ssl://${name}:${secure.port}`,
    adminUrl: "",
    adminTlsUrl: undefined as string | undefined,
  };
  const nobody = { cpuSeconds: 0, residentBytes: 0, startedAtMs: 0 };
  const { figures = () => nobody, areMetricsOpen, adminPort = 0, tls, adminTlsPort = 0 } = options;
  const admin = { broker, addresses, figures, areMetricsOpen };
  const server = serveAdmin({ host, port: adminPort, flag: "--admin-port" }, admin);
  stack.defer(() => server.close());
  addresses.adminUrl = `http://${name}:${server.port}`;
  if (tls !== undefined) {
    const at = { host, port: adminTlsPort, flag: "--admin-tls-port" };
    const secureServer = serveAdmin(at, admin, tls);
    stack.defer(() => secureServer.close());
    addresses.adminTlsUrl = `https://${name}:${secureServer.port}`;
  }
  broker.tlsUrl = addresses.tlsUrl;
  void acceptAll(listener, broker, addresses.url);
  if (secure !== undefined) void acceptAll(secure, broker, addresses.url);
  return {
    ...addresses,
    port: listener.port,
    adminPort: server.port,
    metricsUrl: `${addresses.adminUrl}/metrics`,
    systemName: broker.parts.systemName,
  };
}

/** A host as URLs have it: IPv6 in brackets. */
function inUrl(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** What the broker of these options is made of; for tests that run it without sockets. */
export async function partsOf(options: StartOptions): Promise<BrokerParts> {
  const clock = options.clock ?? systemClock;
  const authenticator = await Authenticator.of(options, () => clock.wallMs());
  return {
    disk: options.disk ?? systemDisk,
    clock,
    crc32c: await loadCrc32c(),
    random: systemRandom,
    folder: options.folder,
    durability: options.durability ?? "os",
    segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
    tailBytesMax: options.tailBytesMax ?? TAIL_BYTES_MAX,
    policies: { ...DEFAULT_POLICIES, ...options.policies },
    schemaCompatibility: options.schemaCompatibility ?? "FULL",
    failoverDelayMs: options.failoverDelayMs ?? 1000,
    authenticator,
    isOpen: authenticator === undefined && options.tls?.clientCaPem === undefined,
    superusers: new Set([
      ...options.token === undefined ? [] : [TOKEN_ROLE],
      ...options.superusers ?? [],
    ]),
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    systemName: `weir-embedded-${options.version ?? "0.0.0"}`,
    report: options.report ?? (() => {}),
  };
}
