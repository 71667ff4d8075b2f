import { lineOf, parseDurationMs } from "../lib/base/mod.ts";
import { parseTopicName } from "../lib/pulsar/mod.ts";
import { parseStages } from "../lib/load/mod.ts";
import { CLIENTS, LOOPS, UNSAFE } from "../lib/scenarios/mod.ts";
import type { FlagTable } from "./_flags.ts";

/** Flags that say where Pulsar is. */
export const PULSAR_FLAGS = {
  "pulsar": {
    kind: "text",
    default: "embedded",
    env: ["PULSAR_URL"],
    check: checkPulsarUrl,
    help: "embedded, or the URL of a Pulsar: pulsar://host:6650, pulsar+ssl://host:6651",
  },
  "pulsar-admin": {
    kind: "text",
    check: checkHttpUrl,
    help: "admin URL of that Pulsar (default http://HOST:8080)",
  },
  "pulsar-token-file": { kind: "text", help: "file with the token for that Pulsar" },
  "pulsar-tls-ca": { kind: "text", help: "PEM file of the authorities to trust" },
  "client": {
    kind: "text",
    default: "weir",
    choices: CLIENTS,
    help: "weir's own Pulsar client, or native: npm:pulsar-client, if it is installed",
  },
} as const satisfies FlagTable;

/** Flags that say where ClickHouse is; its password comes from CLICKHOUSE_PASSWORD. */
export const CLICKHOUSE_FLAGS = {
  "clickhouse": {
    kind: "text",
    default: "embedded",
    env: ["CLICKHOUSE_URL"],
    check: checkClickHouseUrl,
    help: "embedded, or the URL of a ClickHouse: http://host:8123; password in CLICKHOUSE_PASSWORD",
  },
  "clickhouse-user": {
    kind: "text",
    default: "default",
    env: ["CLICKHOUSE_USER"],
    help: "user of that ClickHouse",
  },
  "database": { kind: "text", default: "default", check: checkName, help: "database of the table" },
  "table": { kind: "text", default: "sensor_1m", check: checkName, help: "table for the windows" },
} as const satisfies FlagTable;

/** Flags of the topic, which producer and aggregator must agree on. */
export const TOPIC_FLAGS = {
  "topic": {
    kind: "text",
    check: checkTopic,
    help: "topic (default persistent://public/default/weir-RUN_ID)",
  },
  "run-id": { kind: "text", check: checkRunId, help: "name of the run (default: time and job)" },
} as const satisfies FlagTable;

/** Flags of the windows. */
export const WINDOW_FLAGS = {
  "window": {
    kind: "duration",
    default: "1m",
    min: 1000,
    check: checkWholeMs,
    help: "length of a window, in event time",
  },
  "out-of-orderness": {
    kind: "duration",
    default: "5s",
    check: checkWholeMs,
    help: "how far behind the newest a message may be, in event time",
  },
  "allowed-lateness": {
    kind: "duration",
    default: "0s",
    check: checkWholeMs,
    help: "how long a window stays open for stragglers, in event time",
  },
} as const satisfies FlagTable;

/** How many partitions a topic gets. */
export const PARTITIONS_FLAG = {
  kind: "count",
  default: "4",
  min: 1,
  max: 1000,
  help: "partitions of a topic that is made",
} as const satisfies FlagTable[string];

/** Flags of what is sent. */
export const LOAD_FLAGS = {
  "rate": {
    kind: "count",
    default: "50000",
    min: 1,
    max: 10_000_000,
    help: "messages a second, sent on a schedule (open loop)",
  },
  "duration": { kind: "duration", default: "3m", min: 1000, help: "how long to send, wall time" },
  "sources": { kind: "count", default: "1000", min: 1, max: 10_000_000, help: "event sources" },
  "batch-messages": {
    kind: "count",
    default: "1000",
    min: 1,
    max: 20_000,
    help: "most messages in a producer batch",
  },
  "batch-delay": {
    kind: "duration",
    default: "10ms",
    min: 1,
    max: 10_000,
    help: "longest wait for a batch to fill, wall time",
  },
  "compression": {
    kind: "text",
    default: "none",
    choices: ["none", "lz4"],
    help: "compression of producer batches",
  },
  "stages": {
    kind: "text",
    check: (text: string) => void parseStages(text),
    help: "rates in time, in place of --rate and --duration: ramp 0 to 50k for 30s, pause for 5s",
  },
  "loop": {
    kind: "text",
    default: "open",
    choices: LOOPS,
    help: "open: on schedule, whatever comes back; closed: each batch waits for the one before",
  },
  "time-scale": {
    kind: "number",
    default: "1",
    min: 0.001,
    max: 100_000,
    help: "how many times faster than the clock event time runs",
  },
  "late-share": { kind: "share", default: "0", help: "share of messages planted too late" },
  "duplicate-share": { kind: "share", default: "0", help: "share of messages planted twice" },
  "skew": {
    kind: "number",
    default: "0",
    min: 0,
    max: 10,
    help: "Zipf exponent of the sources; 0 is uniform",
  },
  "seed": {
    kind: "count",
    default: "1",
    min: 0,
    max: 0xffff_ffff,
    help: "decides every value that is sent",
  },
} as const satisfies FlagTable;

/** Flags of the aggregation. */
export const AGGREGATE_FLAGS = {
  "subscription": { kind: "text", default: "weir", help: "name of the Pulsar subscription" },
  "batch-rows": {
    kind: "count",
    default: "1000",
    min: 1,
    max: 100_000,
    help: "most rows in one insert",
  },
  "checkpoint-interval": {
    kind: "duration",
    default: "60s",
    min: 100,
    help: "longest gap between checkpoints, wall time",
  },
  "idle-after": {
    kind: "duration",
    check: (text) => {
      if (parseDurationMs(text) < 100) throw new RangeError("expected at least 100ms");
    },
    help:
      "a partition without messages for so long, wall time, follows the others' watermark (default never)",
  },
  "unsafe": {
    kind: "list",
    choices: UNSAFE,
    help: "switch a protection off, to see the damage: no-token stores what a restart repeats",
  },
  "plant": {
    kind: "list",
    check: checkPlant,
    help: "plant a fault: drop, double or change, then :SOURCE:SEQUENCE; the verdict must find it",
  },
} as const satisfies FlagTable;

/** Flags of each role's Prometheus endpoint. */
export const METRICS_FLAGS = {
  "metrics-port": {
    kind: "count",
    default: "0",
    min: 0,
    max: 65_535,
    help: "port of /metrics on 127.0.0.1; 0 takes a free one",
  },
} as const satisfies FlagTable;

function checkScheme(text: string, schemes: readonly string[]): void {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError(
      `expected ${schemes.map((scheme) => `${scheme}//host:port`).join(" or ")}`,
    );
  }
  if (url.password !== "" && !url.protocol.startsWith("http")) {
    throw new RangeError("a URL holds no password here; give a token with --pulsar-token-file");
  }
  if (!schemes.includes(url.protocol) || url.hostname === "" && !text.includes(",")) {
    throw new RangeError(
      `unknown URL scheme; expected ${schemes.map((one) => `${one}//host:port`).join(" or ")}`,
    );
  }
}

function checkPulsarUrl(text: string): void {
  if (text !== "embedded") checkScheme(text, ["pulsar:", "pulsar+ssl:"]);
}

function checkHttpUrl(text: string): void {
  checkScheme(text, ["http:", "https:"]);
}

function checkClickHouseUrl(text: string): void {
  if (text !== "embedded") checkScheme(text, ["http:", "https:"]);
}

function checkName(text: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)) {
    throw new RangeError("expected letters, digits and _, beginning with a letter");
  }
}

/** What no broker would take; a run needs a log that keeps its messages. */
export function checkTopic(text: string): void {
  try {
    const { domain } = parseTopicName(text);
    if (domain === "persistent") return;
  } catch (error) {
    throw new RangeError(lineOf(error).replace(/^Cannot use topic .*: /, ""));
  }
  throw new RangeError("expected a persistent topic, whose messages survive a restart");
}

/** Windows are cut at whole milliseconds of event time. */
function checkWholeMs(text: string): void {
  if (!Number.isInteger(parseDurationMs(text))) {
    throw new RangeError("expected whole milliseconds");
  }
}

/** @throws {RangeError} when a text cannot name a run */
export function checkRunId(text: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text)) {
    throw new RangeError("expected letters, digits, `.`, `_` and `-`");
  }
}

function checkPlant(text: string): void {
  if (!/^(drop|double|change):[^:]+:\d+$/.test(text)) {
    throw new RangeError("expected e.g. drop:sensor-00007:42");
  }
}
