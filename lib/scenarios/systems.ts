import { Secret, UsageError } from "../base/mod.ts";
import { loadNative, type PulsarAdmin, PulsarError } from "../pulsar/mod.ts";
import { type ClickHouseSink, openClickHouse } from "../sinks/mod.ts";
import type { Endpoints, RoleContext } from "./bench_roles.ts";
import { type BenchConfig, type ClickHouseTarget, isEmbedded } from "./config.ts";
import { connectTarget, openAdmin } from "./pulsar_parts.ts";

/** Connects to the ClickHouse of a target. */
export function openSink(
  target: ClickHouseTarget,
  url: string,
  password: string,
): Promise<ClickHouseSink> {
  return openClickHouse({
    url,
    user: target.user,
    password: new Secret(password),
    database: target.database,
    table: target.table,
  });
}

function adminOf({ config }: RoleContext, endpoints: Endpoints): Promise<PulsarAdmin> {
  return openAdmin({ ...config.pulsar, adminUrl: endpoints.pulsarAdminUrl });
}

/**
 * Asks the systems that are not weir's own, before anything is started.
 *
 * @throws with the cure when one of them does not answer, or refuses
 */
export async function probeSystems({ config, clickhousePassword }: RoleContext): Promise<void> {
  const { pulsar, clickhouse } = config;
  if (config.client === "native") probeNative(config);
  if (!isEmbedded(pulsar.serviceUrl)) {
    await using _client = await connectTarget(pulsar);
    const admin = await openAdmin(pulsar);
    await admin.brokerVersion();
  }
  if (!isEmbedded(clickhouse.url)) {
    await using _sink = await openSink(clickhouse, clickhouse.url, clickhousePassword);
  }
}

/** The addon is loaded here, where it can still be said in one line that it is missing. */
function probeNative({ faults }: BenchConfig): void {
  const cut = faults.find((fault) => /^cut (?:produce|aggregate)/.test(fault));
  if (cut !== undefined) {
    throw new UsageError(
      `Cannot do "${cut}": connections of npm:pulsar-client cannot be cut`,
      "cut the broker's, or use weir's own client",
    );
  }
  loadNative();
}

/** What answers, by name and version. */
export interface PreparedSystems {
  readonly broker: string;
  readonly clickhouse: string;
  /** Whether the topic was made for this run, and may go with it. */
  readonly topicIsOurs: boolean;
}

/**
 * Makes the topic. One that is there is taken when it has as many partitions and no message: those of others would be counted as too many.
 *
 * @returns whether it was made
 */
async function makeTopic(
  admin: PulsarAdmin,
  { topic, partitionCount }: BenchConfig,
): Promise<boolean> {
  try {
    await admin.createPartitionedTopic(topic, partitionCount);
    return true;
  } catch (error) {
    if (!(error instanceof PulsarError) || error.code !== "admin_conflict") throw error;
  }
  const found = await admin.partitionCount(topic);
  if (found !== partitionCount) {
    throw new UsageError(
      `Cannot use topic ${topic}: it has ${found} partitions, not ${partitionCount}`,
      `give --partitions ${found}, or another --topic`,
    );
  }
  const { storageSize } = await admin.partitionedTopicStats(topic);
  if (storageSize > 0) {
    throw new UsageError(
      `Cannot use topic ${topic}: it holds messages already`,
      "give another --topic, or none: a run then makes its own",
    );
  }
  return false;
}

/** Batches are named after the run: those of an earlier run by this name would count as stored. */
async function refuseUsedRunId(sink: ClickHouseSink, { runId, clickhouse }: BenchConfig) {
  const rowCount = await sink.countOfRun(runId);
  if (rowCount === 0) return;
  const { database, table } = clickhouse;
  throw new UsageError(
    `Cannot use run id ${runId}: table ${database}.${table} holds ${rowCount} rows of it already`,
    "give another --run-id, or none: a run then makes its own",
  );
}

/**
 * Makes the run's topic and table, and learns what answers.
 *
 * @throws with the cure when one of them refuses
 */
export async function prepareSystems(
  context: RoleContext,
  endpoints: Endpoints,
): Promise<PreparedSystems> {
  const { config, clickhousePassword } = context;
  await using sink = await openSink(config.clickhouse, endpoints.clickhouseUrl, clickhousePassword);
  await sink.prepare();
  await refuseUsedRunId(sink, config);
  const admin = await adminOf(context, endpoints);
  const topicIsOurs = await makeTopic(admin, config);
  // A figure of the other client is never shown as one of ours.
  const through = config.client === "native" ? ` through ${loadNative().name}` : "";
  return {
    topicIsOurs,
    broker: (await admin.systemName()) + through,
    clickhouse: sink.systemName,
  };
}

/** Writes all rows of the run, as ClickHouse gives them, to `rows.jsonl`. */
export async function exportRows(
  { config, folder, clickhousePassword }: RoleContext,
  endpoints: Endpoints,
): Promise<void> {
  await using sink = await openSink(config.clickhouse, endpoints.clickhouseUrl, clickhousePassword);
  using file = await Deno.open(folder.file("rows.jsonl"), {
    write: true,
    create: true,
    truncate: true,
  });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  let chunk = "";
  for await (const row of sink.rowsOf(config.runId)) {
    chunk += JSON.stringify(row) + "\n";
    if (chunk.length < CHUNK_CHARACTERS) continue;
    await writer.write(encoder.encode(chunk));
    chunk = "";
  }
  await writer.write(encoder.encode(chunk));
  await writer.close();
}

const CHUNK_CHARACTERS = 256 * 1024;

/** Deletes the topic of a run. */
export async function deleteTopic(context: RoleContext, endpoints: Endpoints): Promise<void> {
  const { config } = context;
  const admin = await adminOf(context, endpoints);
  await admin.deletePartitionedTopic(config.topic, { force: true });
}
