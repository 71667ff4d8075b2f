import { engineLockPath } from "../sinks/mod.ts";
import type { ReadyLine, RoleSpec, RunFolder } from "../run/mod.ts";
import { type BenchConfig, isEmbedded } from "./config.ts";

/** Where the systems of a run answer, once they do. */
export interface Endpoints {
  readonly pulsarUrl: string;
  readonly pulsarAdminUrl: string | undefined;
  readonly clickhouseUrl: string;
}

/** What every role spec is made from. */
export interface RoleContext {
  readonly config: BenchConfig;
  readonly folder: RunFolder;
  /** The project's root, which holds `jobs/`. */
  readonly root: string;
  /** Of ClickHouse: the run's own for the embedded one. Handed over in the environment, never as an argument. */
  readonly clickhousePassword: string;
}

const EMBEDDED_USER = "default";

/** Where the password of a run's embedded ClickHouse is kept, for its owner's eyes only: queries need it, also when the run is over. */
const PASSWORD_FILE = "clickhouse.password";

/** Makes the password of a run's embedded ClickHouse and keeps it in the run's folder. */
export async function makeClickHousePassword(folder: RunFolder): Promise<string> {
  const password = crypto.randomUUID();
  await Deno.writeTextFile(folder.file(PASSWORD_FILE), password, { mode: 0o600 });
  return password;
}

/** The password of a run's embedded ClickHouse. */
export function readClickHousePassword(folder: RunFolder): Promise<string> {
  return Deno.readTextFile(folder.file(PASSWORD_FILE));
}

function keepPort(previous: ReadyLine | undefined): string {
  return String(previous?.port ?? 0);
}

/** A permission for paths; Deno wants a comma in one doubled. */
function allow(what: "read" | "write", ...paths: readonly string[]): string {
  return `--allow-${what}=${paths.map((path) => path.replaceAll(",", ",,")).join(",")}`;
}

/** The embedded broker. */
export function brokerSpec({ folder, root }: RoleContext): RoleSpec {
  const data = folder.file("broker");
  const portOf = (url: string | undefined) => url === undefined ? "0" : new URL(url).port;
  return {
    name: "broker",
    role: "broker",
    script: `${root}/jobs/broker.ts`,
    permissions: [
      "--allow-net=127.0.0.1",
      allow("read", data),
      allow("write", data),
      "--allow-env",
    ],
    args: (previous) => [
      `--port=${keepPort(previous)}`,
      `--admin-port=${portOf(previous?.adminUrl)}`,
      `--data=${data}`,
    ],
    environment: {},
  };
}

/** The embedded ClickHouse. Its library is native code, which Deno's permissions cannot hold: hence a process with nothing else in it. */
export function clickhouseSpec(
  { folder, root, clickhousePassword }: Omit<RoleContext, "config">,
): RoleSpec {
  return {
    name: "clickhouse",
    role: "clickhouse",
    script: `${root}/jobs/clickhouse.ts`,
    permissions: [
      `--lock=${engineLockPath(root)}`,
      "--allow-net=127.0.0.1",
      "--allow-read",
      allow("write", folder.file("clickhouse")),
      "--allow-env",
      "--allow-ffi",
      "--allow-sys",
    ],
    args: (previous) => [
      `--port=${keepPort(previous)}`,
      `--data=${folder.file("clickhouse")}`,
      `--user=${EMBEDDED_USER}`,
    ],
    environment: { CLICKHOUSE_PASSWORD: clickhousePassword },
  };
}

function pulsarArgs({ config }: RoleContext, endpoints: Endpoints): string[] {
  const { tokenFile, tlsCaFile } = config.pulsar;
  return [
    `--pulsar=${endpoints.pulsarUrl}`,
    ...(endpoints.pulsarAdminUrl === undefined ? [] : [
      `--pulsar-admin=${endpoints.pulsarAdminUrl}`,
    ]),
    ...(tokenFile === undefined ? [] : [`--pulsar-token-file=${tokenFile}`]),
    ...(tlsCaFile === undefined ? [] : [`--pulsar-tls-ca=${tlsCaFile}`]),
    `--client=${config.client}`,
    `--topic=${config.topic}`,
    `--run-id=${config.runId}`,
  ];
}

function windowArgs({ config: { window } }: RoleContext): string[] {
  return [
    `--window=${window.windowMs}ms`,
    `--out-of-orderness=${window.outOfOrdernessMs}ms`,
    `--allowed-lateness=${window.allowedLatenessMs}ms`,
  ];
}

/** A real Pulsar may send its clients to any of its brokers. */
function netPermission({ config }: RoleContext): string {
  const allEmbedded = isEmbedded(config.pulsar.serviceUrl) && isEmbedded(config.clickhouse.url);
  return allEmbedded ? "--allow-net=127.0.0.1" : "--allow-net";
}

function readableFiles({ config }: RoleContext): string[] {
  return [config.pulsar.tokenFile, config.pulsar.tlsCaFile].filter((path) => path !== undefined);
}

/** What a role may read, and what its client needs: the native one is native code, which Deno's permissions cannot hold. */
function clientPermissions(context: RoleContext, folder: string): string[] {
  return context.config.client === "weir"
    ? [allow("read", folder, ...readableFiles(context))]
    : ["--allow-read", "--allow-ffi", "--allow-sys"];
}

/** The producer, with its ledger in the run's folder. */
export function produceSpec(context: RoleContext, endpoints: Endpoints): RoleSpec {
  const { config, folder, root } = context;
  const { load } = config;
  const ledger = folder.file("ledger");
  return {
    name: "produce",
    role: "produce",
    script: `${root}/jobs/produce.ts`,
    permissions: [
      netPermission(context),
      ...clientPermissions(context, ledger),
      allow("write", ledger),
      "--allow-env",
    ],
    args: () => [
      ...pulsarArgs(context, endpoints),
      ...windowArgs(context),
      `--ledger=${ledger}`,
      `--rate=${load.rateMessagesPerSec}`,
      `--duration=${load.durationMs}ms`,
      ...(load.stages === null ? [] : [`--stages=${load.stages}`]),
      `--loop=${config.loop}`,
      `--sources=${load.sourceCount}`,
      `--partitions=${config.partitionCount}`,
      `--batch-messages=${config.batchMessagesMax}`,
      `--batch-delay=${config.batchDelayMs}ms`,
      `--compression=${config.compression}`,
      `--time-scale=${load.timeScale}`,
      `--late-share=${load.lateShare}`,
      `--duplicate-share=${load.duplicateShare}`,
      `--skew=${load.skew}`,
      `--seed=${load.seed}`,
    ],
    environment: {},
  };
}

/** One of the aggregators; all of them share the checkpoints in the run's folder. */
export function aggregateSpec(
  context: RoleContext,
  endpoints: Endpoints,
  number: number,
): RoleSpec {
  const { config, folder, root, clickhousePassword } = context;
  const checkpoints = folder.file("checkpoints");
  const { user, database, table, url } = config.clickhouse;
  return {
    name: `aggregate-${number}`,
    role: "aggregate",
    script: `${root}/jobs/aggregate.ts`,
    permissions: [
      netPermission(context),
      ...clientPermissions(context, checkpoints),
      allow("write", checkpoints),
      "--allow-env",
    ],
    args: () => [
      ...pulsarArgs(context, endpoints),
      ...windowArgs(context),
      `--subscription=${config.subscription}`,
      `--consumer-name=aggregate-${number}`,
      `--checkpoints=${checkpoints}`,
      `--clickhouse=${endpoints.clickhouseUrl}`,
      `--clickhouse-user=${isEmbedded(url) ? EMBEDDED_USER : user}`,
      `--database=${database}`,
      `--table=${table}`,
      `--batch-rows=${config.batchRowsMax}`,
      `--checkpoint-interval=${config.checkpointIntervalMs}ms`,
      `--time-scale=${config.load.timeScale}`,
      ...(config.idleAfterMs === undefined ? [] : [`--idle-after=${config.idleAfterMs}ms`]),
      ...config.plants.map((plant) => `--plant=${plant}`),
      ...config.unsafe.map((what) => `--unsafe=${what}`),
    ],
    environment: { CLICKHOUSE_PASSWORD: clickhousePassword },
  };
}
