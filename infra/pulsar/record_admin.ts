/**
 * Records tests/golden/pulsar_admin.json: what the admin interface of a real broker answers.
 *
 *     deno run --allow-all infra/pulsar/record_admin.ts
 *
 * @module
 */
import { join } from "node:path";
import { lineOf } from "../../lib/base/mod.ts";
import { bringPython } from "../python.ts";
import { parseUp } from "./options.ts";
import { bringPulsarDown, bringPulsarUp, type PulsarServer } from "./server.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const DATA_DIR = join(ROOT, ".data", "infra", "pulsar-golden-admin");
const GOLDEN_FILE = join(ROOT, "tests", "golden", "pulsar_admin.json");

const SCHEMA = {
  type: "AVRO",
  schema: '{"type":"record","name":"Reading","fields":[{"name":"value","type":"int"}]}',
  properties: {},
};
const OTHER_SCHEMA = { ...SCHEMA, schema: SCHEMA.schema.replace('"int"', '"string"') };
const EVERYTHING = "persistent/public/default";

/** `METHOD path`, with the body that is sent, if any; in this order. */
const REQUESTS: readonly (readonly [string, unknown?])[] = [
  ["GET brokers/ready"],
  ["GET brokers/health"],
  ["GET brokers/version"],
  ["GET brokers/standalone"],
  ["GET clusters"],
  ["GET clusters/standalone"],
  ["GET tenants"],
  ["GET tenants/public"],
  ["GET tenants/no-such-tenant"],
  ["PUT tenants/golden", { adminRoles: [], allowedClusters: ["standalone"] }],
  ["PUT tenants/golden", { adminRoles: [], allowedClusters: ["standalone"] }],
  ["GET namespaces/public"],
  ["GET namespaces/public/default"],
  ["GET namespaces/public/no-such-namespace"],
  ["PUT namespaces/golden/one", {}],
  ["PUT namespaces/golden/one", {}],
  ["POST namespaces/golden/one/retention", { retentionTimeInMinutes: 10, retentionSizeInMB: 100 }],
  ["GET namespaces/golden/one/retention"],
  ["POST namespaces/golden/one/deduplication", true],
  ["GET namespaces/golden/one/deduplication"],
  [
    "POST namespaces/golden/one/backlogQuota",
    { limitSize: 1_000_000, limitTime: -1, policy: "producer_request_hold" },
  ],
  ["GET namespaces/golden/one/backlogQuotaMap"],
  ["POST namespaces/golden/one/messageTTL", 60],
  ["GET namespaces/golden/one/messageTTL"],
  ["PUT namespaces/golden/one/schemaCompatibilityStrategy", "BACKWARD"],
  ["GET namespaces/golden/one/schemaCompatibilityStrategy"],
  ["PUT persistent/golden/one/partitioned/partitions", 2],
  ["PUT persistent/golden/one/partitioned/partitions", 2],
  ["GET persistent/golden/one/partitioned/partitions"],
  ["GET persistent/golden/one/partitioned/partitions?checkAllowAutoCreation=false"],
  ["POST persistent/golden/one/partitioned/partitions", 3],
  ["POST persistent/golden/one/partitioned/partitions", 1],
  ["PUT persistent/golden/one/partitioned/partitions", 0],
  ["PUT persistent/golden/one/no-partitions/partitions", "many"],
  ["PUT persistent/golden/no-such-namespace/topic/partitions", 2],
  ["GET persistent/golden/one/no-such-topic/partitions"],
  ["GET persistent/golden/one"],
  ["GET persistent/golden/one/partitioned"],
  ["PUT persistent/golden/one/single"],
  ["PUT persistent/golden/one/single"],
  ["GET persistent/golden/one/single/stats"],
  ["GET persistent/golden/one/single/internalStats"],
  ["GET persistent/golden/one/no-such-topic/stats"],
  ["GET persistent/golden/one/partitioned/partitioned-stats"],
  ["GET persistent/golden/one/partitioned/partitioned-stats?perPartition=false"],
  ["GET persistent/golden/one/single/subscriptions"],
  ["PUT persistent/golden/one/single/subscription/sub"],
  ["PUT persistent/golden/one/single/subscription/sub"],
  ["GET persistent/golden/one/single/subscriptions"],
  ["DELETE persistent/golden/one/single/subscription/sub"],
  ["DELETE persistent/golden/one/single/subscription/sub"],
  ["POST schemas/golden/one/single/schema", SCHEMA],
  ["POST schemas/golden/one/single/schema", SCHEMA],
  ["POST schemas/golden/one/single/schema", OTHER_SCHEMA],
  ["GET schemas/golden/one/single/schema"],
  ["GET schemas/golden/one/single/schema/0"],
  ["GET schemas/golden/one/single/schemas"],
  ["GET schemas/golden/one/partitioned/schema"],
  ["POST schemas/golden/one/single/compatibility", OTHER_SCHEMA],
  [`GET ${EVERYTHING}/single/stats`],
  [`GET ${EVERYTHING}/exclusive/stats`],
  [`GET ${EVERYTHING}/exclusive/internalStats`],
  [`GET ${EVERYTHING}/exclusive/subscriptions`],
  [`GET ${EVERYTHING}/exclusive/subscription/sub/position/1`],
  [`POST ${EVERYTHING}/exclusive/subscription/sub/skip/2`],
  [`POST ${EVERYTHING}/exclusive/subscription/sub/skip_all`],
  [`POST ${EVERYTHING}/exclusive/subscription/sub/resetcursor/0`],
  [`POST ${EVERYTHING}/exclusive/terminate`],
  [`PUT ${EVERYTHING}/exclusive/unload`],
  [`GET ${EVERYTHING}/exclusive/lastMessageId`],
  [`DELETE ${EVERYTHING}/exclusive`],
  ["DELETE persistent/golden/one/partitioned"],
  ["DELETE persistent/golden/one/partitioned/partitions"],
  ["DELETE persistent/golden/one/partitioned/partitions"],
  ["DELETE persistent/golden/one/single?force=true"],
  ["DELETE persistent/golden/one/single"],
  ["DELETE namespaces/golden/one"],
  ["DELETE tenants/golden"],
  ["GET no/such/path"],
  ["GET /lookup/v2/topic/persistent/public/default/single"],
];

/** More of them, sent before: one a line, the body behind the path. */
const MORE_FILE = join(import.meta.dirname!, "admin_requests.txt");

/** One request and its answer. */
export interface RecordedCall {
  readonly method: string;
  /** From the root of the server, e.g. `/admin/v2/clusters`. */
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
  /** Those that describe a message, by their names in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(server: PulsarServer, line: string, body: unknown): Promise<RecordedCall> {
  const [method, name] = line.split(" ") as [string, string];
  const path = name.startsWith("/") ? name : `/admin/v2/${name}`;
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server.adminUrl}${path}`, { method, headers, ...init });
  const contentType = response.headers.get("content-type");
  const recorded = { status: response.status, contentType, text: await response.text() };
  const headersOfMessage = [...response.headers].filter(([key]) => key.startsWith("x-pulsar-"));
  return {
    method,
    path,
    ...(body === undefined ? {} : { body }),
    ...recorded,
    ...(headersOfMessage.length === 0 ? {} : { headers: Object.fromEntries(headersOfMessage) }),
  };
}

async function moreRequests(): Promise<(readonly [string, unknown?])[]> {
  const text = await Deno.readTextFile(MORE_FILE);
  return text.trim().split("\n").map((line) => {
    const [, request, body] = /^(\S+ \S+)(?: (.+))?$/.exec(line)!;
    return body === undefined ? [request!] : [request!, JSON.parse(body)];
  });
}

/** Topics with messages and a subscription, made by the official client. */
async function prepare(server: PulsarServer): Promise<void> {
  const script = join(ROOT, "infra/pulsar/scenarios.py");
  const python = await bringPython(console.log);
  for (const scenario of ["produce_single", "consume_exclusive"]) {
    const args = [script, scenario, server.serviceUrl, server.adminUrl];
    const output = await new Deno.Command(python, { args }).output();
    if (!output.success) throw new Error(`Cannot prepare: ${scenario} has failed`);
  }
}

async function main(): Promise<void> {
  const flags = ["--port", "0", "--admin-port", "0", "--data", DATA_DIR];
  const options = parseUp(flags);
  if (options === "help") return;
  const server = await bringPulsarUp(options, console.log, new AbortController().signal);
  try {
    await prepare(server);
    const calls: RecordedCall[] = [];
    const requests = [...await moreRequests(), ...REQUESTS];
    for (const [line, body] of requests) calls.push(await call(server, line, body));
    const text = calls.map((one) => JSON.stringify(one)).join(",\n");
    await Deno.writeTextFile(GOLDEN_FILE, `[\n${text}\n]\n`);
    console.log(`${calls.length} calls`);
  } finally {
    await bringPulsarDown({ dataDir: DATA_DIR, deleteData: true, waitMs: 30_000 }, console.log);
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(lineOf(error));
    Deno.exit(2);
  }
}
