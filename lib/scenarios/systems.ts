import { Secret } from "../base/mod.ts";
import type { PulsarAdmin } from "../pulsar/mod.ts";
import { type ClickHouseSink, openClickHouse } from "../sinks/mod.ts";
import type { Endpoints, RoleContext } from "./bench_roles.ts";
import { type ClickHouseTarget, isEmbedded } from "./config.ts";
import { openAdmin } from "./pulsar_parts.ts";

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

function adminOf({ config }: RoleContext, endpoints: Endpoints): PulsarAdmin {
  return openAdmin({ ...config.pulsar, adminUrl: endpoints.pulsarAdminUrl });
}

/**
 * Makes the run's topic and table, and learns what answers.
 *
 * @returns the systems by name and version
 * @throws with the cure when one of them refuses
 */
export async function prepareSystems(
  context: RoleContext,
  endpoints: Endpoints,
): Promise<{ readonly broker: string; readonly clickhouse: string }> {
  const { config, clickhousePassword } = context;
  await using sink = await openSink(config.clickhouse, endpoints.clickhouseUrl, clickhousePassword);
  await sink.prepare();
  const admin = adminOf(context, endpoints);
  await admin.createPartitionedTopic(config.topic, config.partitionCount);
  return { broker: await admin.systemName(), clickhouse: sink.systemName };
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

/** Deletes the topic of a run from a Pulsar that lives on, unless it is to be kept. */
export async function deleteTopic(context: RoleContext, endpoints: Endpoints): Promise<void> {
  const { config } = context;
  if (config.keep || isEmbedded(config.pulsar.serviceUrl)) return;
  await adminOf(context, endpoints).deletePartitionedTopic(config.topic, { force: true });
}
