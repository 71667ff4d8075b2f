import { parseStages } from "../lib/load/mod.ts";
import type {
  BenchConfig,
  ClickHouseTarget,
  LoadSettings,
  Loop,
  PulsarTarget,
  WindowSettings,
} from "../lib/scenarios/mod.ts";
import { localPassword } from "./_clickhouse_password.ts";
import type { FlagValues } from "./_flags.ts";
import {
  CLICKHOUSE_FLAGS,
  type LOAD_FLAGS,
  type PULSAR_FLAGS,
  type WINDOW_FLAGS,
} from "./_tables.ts";

/** Where the flags say that Pulsar is. */
export function pulsarTarget(flags: FlagValues<typeof PULSAR_FLAGS>): PulsarTarget {
  const serviceUrl = flags["pulsar"];
  return {
    serviceUrl,
    adminUrl: flags["pulsar-admin"] ?? adminUrlOf(serviceUrl),
    tokenFile: flags["pulsar-token-file"],
    tlsCaFile: flags["pulsar-tls-ca"],
  };
}

/** Pulsar's default admin address beside a service URL; undefined for the embedded broker, which says its own. */
function adminUrlOf(serviceUrl: string): string | undefined {
  const host = /^pulsar(\+ssl)?:\/\/(\[[^\]]+\]|[^:/,]+)/.exec(serviceUrl);
  if (host === null) return undefined;
  return host[1] === undefined ? `http://${host[2]}:8080` : `https://${host[2]}:8443`;
}

/** User and password that stand in a URL, as in CLICKHOUSE_URL=http://user:password@host:8123. */
function credentialsIn(url: string): { readonly user: string; readonly password: string } {
  const { username = "", password = "" } = URL.canParse(url) ? new URL(url) : {};
  return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** Where the flags say that ClickHouse is. The URL loses its credentials: it is written into files, and into the arguments of a process. */
export function clickhouseTarget(flags: FlagValues<typeof CLICKHOUSE_FLAGS>): ClickHouseTarget {
  const url = flags["clickhouse"];
  const given = flags["clickhouse-user"];
  return {
    url: url.replace(/(:\/\/)[^/?#]*@/, "$1"),
    user: given === CLICKHOUSE_FLAGS["clickhouse-user"].default
      ? credentialsIn(url).user || given
      : given,
    database: flags["database"],
    table: flags["table"],
  };
}

/** The password for ClickHouse: CLICKHOUSE_PASSWORD, else the one in its URL, else the one that `deno task clickhouse` made here. */
export function clickhousePassword(flags: FlagValues<typeof CLICKHOUSE_FLAGS>): string {
  const url = flags["clickhouse"];
  return Deno.env.get("CLICKHOUSE_PASSWORD") ?? (credentialsIn(url).password || localPassword(url));
}

/** How the flags cut event time. */
export function windowSettings(flags: FlagValues<typeof WINDOW_FLAGS>): WindowSettings {
  return {
    windowMs: flags["window"],
    outOfOrdernessMs: flags["out-of-orderness"],
    allowedLatenessMs: flags["allowed-lateness"],
  };
}

/** What the flags want sent. */
export function loadSettings(flags: FlagValues<typeof LOAD_FLAGS>): LoadSettings {
  const text = flags["stages"];
  const stages = text === undefined ? [] : parseStages(text);
  return {
    rateMessagesPerSec: stages.length === 0
      ? flags["rate"]
      : Math.max(...stages.flatMap(({ rateFrom, rateTo }) => [rateFrom, rateTo])),
    durationMs: stages.length === 0
      ? flags["duration"]
      : stages.reduce((sum, { durationMs }) => sum + durationMs, 0),
    stages: text ?? null,
    sourceCount: flags["sources"],
    seed: flags["seed"],
    skew: flags["skew"],
    lateShare: flags["late-share"],
    duplicateShare: flags["duplicate-share"],
    timeScale: flags["time-scale"],
  };
}

/** The topic of a run unless another is named. */
export function defaultTopic(runId: string): string {
  return `persistent://public/default/weir-${runId}`;
}

/** A name in full: `orders` is `persistent://public/default/orders`. */
export function fullTopic(topic: string): string {
  if (topic.includes("://")) return topic;
  return `persistent://${topic.split("/").length === 3 ? "" : "public/default/"}${topic}`;
}

/** How batches are cut, from the flags. */
export function batchSettings(
  flags: FlagValues<typeof LOAD_FLAGS>,
): Pick<BenchConfig, "batchMessagesMax" | "batchDelayMs" | "compression" | "loop"> {
  return {
    batchMessagesMax: flags["batch-messages"],
    batchDelayMs: flags["batch-delay"],
    compression: flags["compression"],
    loop: flags["loop"] as Loop,
  };
}
