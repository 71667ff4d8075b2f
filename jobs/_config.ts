import type {
  BenchConfig,
  ClickHouseTarget,
  LoadSettings,
  PulsarTarget,
  WindowSettings,
} from "../lib/scenarios/mod.ts";
import type { FlagValues } from "./_flags.ts";
import type { CLICKHOUSE_FLAGS, LOAD_FLAGS, PULSAR_FLAGS, WINDOW_FLAGS } from "./_tables.ts";

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

/** Where the flags say that ClickHouse is. */
export function clickhouseTarget(flags: FlagValues<typeof CLICKHOUSE_FLAGS>): ClickHouseTarget {
  return {
    url: flags["clickhouse"],
    user: flags["clickhouse-user"],
    database: flags["database"],
    table: flags["table"],
  };
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
  return {
    rateMessagesPerSec: flags["rate"],
    durationMs: flags["duration"],
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
): Pick<BenchConfig, "batchMessagesMax" | "batchDelayMs" | "compression" | "client"> {
  return {
    batchMessagesMax: flags["batch-messages"],
    batchDelayMs: flags["batch-delay"],
    compression: flags["compression"],
    client: "weir",
  };
}
