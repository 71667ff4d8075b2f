import { Secret, UsageError } from "../lib/base/mod.ts";
import { processCpuSec, processRssBytes } from "../lib/metrics/mod.ts";
import { type BacklogPolicy, type Durability, startBroker } from "../lib/pulsar/broker/mod.ts";
import type { FlagTable, FlagValues, Usage } from "./_flags.ts";
import { EXIT, runJob } from "./_job.ts";
import { sayReady } from "./_ready.ts";
import config from "../deno.json" with { type: "json" };

/** Set by the runner. The same as in lib/run, which would bring 7 MB that a broker has no use for. */
const SUPERVISED_VARIABLE = "WEIR_SUPERVISED";

const PORT = { kind: "count", min: 0, max: 65_535 } as const;

const TABLE = {
  "port": {
    ...PORT,
    default: "6650",
    help: "port of Pulsar's protocol on 127.0.0.1; 0 takes a free one",
  },
  "admin-port": {
    ...PORT,
    default: "8080",
    help: "port of the admin interface on 127.0.0.1; 0 takes a free one",
  },
  "data": { kind: "text", default: ".data/broker", help: "folder of the messages" },
  "durability": {
    kind: "text",
    default: "os",
    choices: ["os", "fsync"],
    help: "a receipt means: os, it survives the death of this process; fsync, of the machine",
  },
  "token-file": { kind: "text", help: "file with the token that clients must show" },
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
    default: "64MiB",
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
  summary: "Runs a broker on 127.0.0.1 that speaks Apache Pulsar's binary protocol and admin REST.",
  examples: ["deno task broker", "deno task broker --port 0 --admin-port 0 --durability fsync"],
};

type Flags = FlagValues<typeof TABLE>;

async function readToken(file: string | undefined): Promise<Secret | undefined> {
  if (file === undefined) return undefined;
  const text = await Deno.readTextFile(file).catch((cause) => {
    throw new UsageError(
      `Cannot read the token: "${file}" is missing or not readable`,
      "give a file with --token-file",
      cause,
    );
  });
  if (text.trim() === "") {
    throw new UsageError(`Cannot read the token: "${file}" is empty`, "put the token into it");
  }
  return new Secret(text.trim());
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

async function run({ flags }: { flags: Flags }): Promise<number> {
  const startedAtMs = Date.now();
  const ended = askedToEnd(Deno.env.get(SUPERVISED_VARIABLE) === "1");
  const broker = await startBroker({
    folder: flags.data,
    port: flags.port,
    adminPort: flags["admin-port"],
    durability: flags.durability as Durability,
    token: await readToken(flags["token-file"]),
    policies: {
      ...retention(flags),
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
    }),
  });
  const { port, adminPort, url, adminUrl, metricsUrl, systemName: version } = broker;
  sayReady({
    role: "broker",
    ready: true,
    pid: Deno.pid,
    port,
    adminPort,
    url,
    adminUrl,
    metricsUrl,
    version,
    durability: flags.durability,
  }, [
    `broker (${version}) answers at ${url}, its admin interface at ${adminUrl}, figures at ${metricsUrl}; Ctrl-C ends it`,
  ]);
  await ended;
  await broker[Symbol.asyncDispose]();
  return EXIT.pass;
}

if (import.meta.main) await runJob({ usage: USAGE, table: TABLE, run });
