import { Secret, UsageError } from "../lib/base/mod.ts";
import { processCpuSec, processRssBytes } from "../lib/metrics/mod.ts";
import { COMPATIBILITY, startBroker } from "../lib/pulsar/broker/mod.ts";
import type {
  BacklogPolicy,
  Compatibility,
  Durability,
  TlsFiles,
} from "../lib/pulsar/broker/mod.ts";
import type { FlagTable, FlagValues, Usage } from "./_flags.ts";
import { EXIT, runJob } from "./_job.ts";
import { sayReady } from "./_ready.ts";
import config from "../deno.json" with { type: "json" };

/** Set by the runner. The same as in lib/run, which would bring 7 MB that a broker has no use for. */
const SUPERVISED_VARIABLE = "WEIR_SUPERVISED";

const PORT = { kind: "count", min: 0, max: 65_535 } as const;

const TABLE = {
  "host": {
    kind: "text",
    default: "127.0.0.1",
    help: "address to listen on; any other than this machine's own is refused without tokens",
  },
  "advertised-host": {
    kind: "text",
    help: "name by which clients reach this machine, if --host is not how",
  },
  "port": {
    ...PORT,
    default: "6650",
    help: "port of Pulsar's protocol; 0 takes a free one",
  },
  "admin-port": {
    ...PORT,
    default: "8080",
    help: "port of the admin interface and /metrics; 0 takes a free one",
  },
  "data": { kind: "text", default: ".data/broker", help: "folder of the messages" },
  "durability": {
    kind: "text",
    default: "os",
    choices: ["os", "fsync"],
    help: "a receipt means: os, it survives the death of this process; fsync, of the machine",
  },
  "token-file": {
    kind: "text",
    help: "file with one token that clients must show, and with which they may do everything",
  },
  "token-secret-key": {
    kind: "text",
    help: "secret of JSON Web Tokens (HS256): a file, or its bytes as base64",
  },
  "token-public-key": {
    kind: "text",
    help: "file with the public key of JSON Web Tokens (RS256, ES256), as PEM or DER",
  },
  "superuser": { kind: "list", help: "role that may do everything; may be given several times" },
  "tls-cert": { kind: "text", help: "file with the certificate, as PEM: speaks TLS as well" },
  "tls-key": { kind: "text", help: "file with its private key, as PEM" },
  "tls-ca": {
    kind: "text",
    help: "file with who signs certificates of clients: their common name is their role",
  },
  "tls-port": { ...PORT, default: "6651", help: "port of Pulsar's protocol over TLS" },
  "admin-tls-port": { ...PORT, default: "8443", help: "port of the admin interface over HTTPS" },
  "open-metrics": { kind: "boolean", help: "answer /metrics to everybody, as Pulsar does" },
  "max-connections": {
    kind: "count",
    min: 1,
    default: "10000",
    help: "clients at a time; more are sent away",
  },
  "message-ttl": {
    kind: "duration",
    help: "messages count as acknowledged after this time (default: never)",
  },
  "auto-create": {
    kind: "text",
    default: "on",
    choices: ["on", "off"],
    help: "whether topics come into being when clients ask for them",
  },
  "schema-compatibility": {
    kind: "text",
    default: "FULL",
    choices: COMPATIBILITY,
    help: "which changes of a schema are allowed, by Pulsar's names",
  },
  "retention-size": {
    kind: "size",
    help: "keep acknowledged data up to this size a partition (default: none)",
  },
  "retention-time": {
    kind: "duration",
    help: "keep acknowledged data for this long (default: none)",
  },
  "backlog-quota": {
    kind: "size",
    help: "data a partition may hold that a subscription has not acknowledged (default: no bound)",
  },
  "backlog-policy": {
    kind: "text",
    default: "producer_request_hold",
    choices: ["producer_request_hold", "producer_exception", "consumer_backlog_eviction"],
    help: "what happens above it: producers wait, producers fail, or the oldest data goes",
  },
  "deduplication": {
    kind: "text",
    default: "on",
    choices: ["on", "off"],
    help: "store what a producer sends twice once",
  },
  "segment-size": {
    kind: "size",
    default: "32MiB",
    min: 4096,
    max: 2_000_000_000,
    help: "size of the files that a partition's log is made of",
  },
  "failover-delay": {
    kind: "duration",
    default: "1s",
    help: "pause before a consumer takes over from one that still lives",
  },
} as const satisfies FlagTable;

const USAGE: Usage = {
  command: "deno task broker",
  summary: "Runs a broker that speaks Apache Pulsar's binary protocol and admin REST.",
  examples: [
    "deno task broker",
    "deno task broker --port 0 --admin-port 0 --durability fsync",
    "deno task broker --token-secret-key my-secret.key --superuser admin",
    "deno task broker --tls-cert cert.pem --tls-key key.pem",
  ],
};

type Flags = FlagValues<typeof TABLE>;

async function readFile(flag: string, file: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(file.replace(/^file:\/\//, ""));
  } catch (cause) {
    throw new UsageError(
      `Cannot read --${flag}: "${file}" is missing or not readable`,
      `give a file with --${flag}`,
      cause,
    );
  }
}

async function readText(flag: string, file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : new TextDecoder().decode(await readFile(flag, file));
}

async function readToken(file: string | undefined): Promise<Secret | undefined> {
  const text = await readText("token-file", file);
  if (text === undefined) return undefined;
  if (text.trim() === "") {
    throw new UsageError(`Cannot read the token: "${file}" is empty`, "put the token into it");
  }
  return new Secret(text.trim());
}

/** As Pulsar's tokenSecretKey: a file's bytes, or base64 with or without `data:;base64,` before it. */
async function readSecretKey(given: string | undefined): Promise<Uint8Array | undefined> {
  if (given === undefined) return undefined;
  const base64 = given.replace(/^data:;base64,/, "");
  const isFile = await Deno.stat(given).then(({ isFile }) => isFile, () => false);
  if (!isFile && /^[A-Za-z0-9+/]{40,}={0,2}$/.test(base64)) {
    try {
      return Uint8Array.fromBase64(base64);
    } catch (cause) {
      throw new UsageError(
        "Cannot read --token-secret-key: it is no file, and its base64 is cut short",
        "give a file, or the whole of the base64",
        cause,
      );
    }
  }
  return await readFile("token-secret-key", given);
}

async function readTls(flags: Flags): Promise<TlsFiles | undefined> {
  const { "tls-cert": cert, "tls-key": key, "tls-ca": ca } = flags;
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError("Cannot speak TLS: --tls-cert and --tls-key belong together", "give both");
  }
  return {
    certPem: (await readText("tls-cert", cert))!,
    keyPem: (await readText("tls-key", key))!,
    clientCaPem: await readText("tls-ca", ca),
  };
}

/** What says who may come in. */
async function security(flags: Flags) {
  const publicKey = flags["token-public-key"];
  const read = {
    token: await readToken(flags["token-file"]),
    tokenSecretKey: await readSecretKey(flags["token-secret-key"]),
    tokenPublicKey: publicKey === undefined
      ? undefined
      : await readFile("token-public-key", publicKey),
    superusers: flags.superuser,
    tls: await readTls(flags),
  };
  const hasRoles = read.tokenSecretKey !== undefined || read.tokenPublicKey !== undefined;
  if (hasRoles && read.superusers.length === 0 && read.token === undefined) {
    throw new UsageError(
      "Cannot start: with tokens of roles and no --superuser nobody could make a tenant or grant a right",
      "name a role, as in --superuser admin",
    );
  }
  const asksNobody = !hasRoles && read.token === undefined && read.tls?.clientCaPem === undefined;
  if (asksNobody && read.superusers.length > 0) {
    throw new UsageError(
      "Cannot start: --superuser names a role, but nobody is asked who he is",
      "give --token-secret-key, --token-public-key or --tls-ca, or leave --superuser out",
    );
  }
  return read;
}

/** Without one of both bounds the other one decides alone; without both nothing is retained. */
function retention(
  flags: Flags,
): { readonly retentionBytes: number; readonly retentionMs: number } {
  const bytes = flags["retention-size"];
  const timeMs = flags["retention-time"];
  if (bytes === undefined && timeMs === undefined) return { retentionBytes: 0, retentionMs: 0 };
  return { retentionBytes: bytes ?? -1, retentionMs: timeMs ?? -1 };
}

/** Resolves when this process is asked to end: SIGTERM, the end of its input when a runner started it, Ctrl-C when a person did. */
function askedToEnd(isSupervised: boolean): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGTERM", () => resolve());
    // Under a runner the listener keeps the signal, which reaches all processes of a terminal, from ending this one.
    Deno.addSignalListener("SIGINT", () => isSupervised ? undefined : resolve());
    if (isSupervised) Deno.stdin.readable.pipeTo(new WritableStream()).finally(resolve);
  });
}

/** Files and sockets of this process; undefined where there is no /proc. */
function openFiles(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return undefined;
  }
}

async function run({ flags }: { flags: Flags }): Promise<number> {
  const startedAtMs = Date.now();
  const ended = askedToEnd(Deno.env.get(SUPERVISED_VARIABLE) === "1");
  const broker = await startBroker({
    folder: flags.data,
    port: flags.port,
    adminPort: flags["admin-port"],
    durability: flags.durability as Durability,
    host: flags.host,
    advertisedHost: flags["advertised-host"],
    ...await security(flags),
    tlsPort: flags["tls-port"],
    adminTlsPort: flags["admin-tls-port"],
    areMetricsOpen: flags["open-metrics"],
    connectionsMax: flags["max-connections"],
    schemaCompatibility: flags["schema-compatibility"] as Compatibility,
    policies: {
      ...retention(flags),
      messageTtlMs: flags["message-ttl"] ?? 0,
      isAutoCreating: flags["auto-create"] === "on",
      backlogBytesMax: flags["backlog-quota"] ?? -1,
      backlogPolicy: flags["backlog-policy"] as BacklogPolicy,
      isDeduplicating: flags.deduplication === "on",
    },
    segmentBytesMax: flags["segment-size"],
    failoverDelayMs: flags["failover-delay"],
    version: config.version,
    report: (line) => console.error(`broker: ${line}`),
    figures: () => ({
      cpuSeconds: processCpuSec(),
      residentBytes: processRssBytes(),
      startedAtMs,
      openFiles: openFiles(),
    }),
  });
  const { port, adminPort, url, adminUrl, metricsUrl, systemName: version } = broker;
  const { tlsUrl, adminTlsUrl } = broker;
  sayReady({
    role: "broker",
    ready: true,
    pid: Deno.pid,
    port,
    adminPort,
    url,
    adminUrl,
    metricsUrl,
    ...(tlsUrl === undefined ? {} : { tlsUrl, adminTlsUrl }),
    version,
    durability: flags.durability,
  }, [
    ...(tlsUrl === undefined ? [] : [`over TLS at ${tlsUrl} and ${adminTlsUrl}`]),
    `broker (${version}) answers at ${url}, its admin interface at ${adminUrl}, figures at ${metricsUrl}; Ctrl-C ends it`,
  ]);
  await ended;
  await broker[Symbol.asyncDispose]();
  return EXIT.pass;
}

if (import.meta.main) await runJob({ usage: USAGE, table: TABLE, run });
