/**
 * Records tests/golden/pulsar anew: the official clients against a real broker, through a recording proxy.
 *
 *     deno run --allow-all infra/pulsar/record_golden.ts [SCENARIO …]
 *
 * The proxy stands where the broker says that it is (an advertised listener), so that the clients use one
 * connection, as they do without a proxy.
 *
 * @module
 */
import { join } from "node:path";
import { lineOf } from "../../lib/base/mod.ts";
import { freePort } from "../process.ts";
import { bringPython } from "../python.ts";
import { signToken } from "../token.ts";
import { parseUp } from "./options.ts";
import { RAW_SCENARIOS } from "./raw_scenarios.ts";
import { RAW_TOPIC_SCENARIOS } from "./raw_topics.ts";
import { Recorder } from "./record.ts";
import { bringPulsarDown, bringPulsarUp, PULSAR_LIB_DIR, type PulsarServer } from "./server.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const GOLDEN_DIR = join(ROOT, "tests", "golden", "pulsar");
const DATA_DIR = join(ROOT, ".data", "infra", "pulsar-golden");

const ALL_RAW = { ...RAW_SCENARIOS, ...RAW_TOPIC_SCENARIOS };

/** Of a token that ends while its scenario runs. */
const EXPIRES_AFTER_SEC = 20;

type Language = "python" | "java" | "raw";

interface Scenario {
  readonly language: Language;
  readonly name: string;
  /** Role of the token that the client shows; `"forged"` for one signed with another secret, `"expiring"` for one that soon ends. */
  readonly token?: string;
  /** Name of the file, where it is not the scenario's. */
  readonly file?: string;
}

function scenarios(language: Language, names: string): Scenario[] {
  return names.trim().split(/\s+/).map((name) => ({ language, name }));
}

const OPEN_SCENARIOS: readonly Scenario[] = [
  ...scenarios(
    "python",
    `produce_single produce_batch produce_compressed consume_compressed produce_avro produce_partitioned
     consume_exclusive consume_single_ack consume_failover consume_shared consume_key_shared batch_index_ack
     last_message_id seek deduplication producer_access unload terminate pattern delayed non_persistent
     not_found backlog_quota ping`,
  ),
  ...scenarios(
    "java",
    `produce produce_avro chunks ack_receipt failover pattern dead_letter auto_consume seek deduplication
     table_view`,
  ),
  ...Object.keys(ALL_RAW).map((name) => ({ language: "raw" as const, name })),
];

const TOKEN_SCENARIOS: readonly Scenario[] = [
  { language: "python", name: "token_accepted", token: "admin" },
  { language: "python", name: "token_refused", token: "forged", file: "token_forged" },
  { language: "python", name: "token_refused", token: "nobody", file: "token_without_rights" },
  { language: "python", name: "token_refused", file: "token_missing" },
  { language: "java", name: "token_refresh", token: "expiring" },
];

async function commandOf(scenario: Scenario, args: string[]): Promise<[string, string[]]> {
  if (scenario.language === "python") {
    return [await bringPython(console.log), [join(ROOT, "infra/pulsar/scenarios.py"), ...args]];
  }
  const source = join(ROOT, "infra/pulsar/Scenarios.java");
  return ["java", ["-cp", `${PULSAR_LIB_DIR}/*`, source, ...args]];
}

async function tokenOf(scenario: Scenario, secretFile: string): Promise<string[]> {
  if (scenario.token === undefined) return [];
  const secret = await Deno.readFile(secretFile);
  if (scenario.token === "forged") {
    return [await signToken(secret.map((byte) => byte ^ 1), "admin")];
  }
  if (scenario.token !== "expiring") return [await signToken(secret, scenario.token)];
  // Java needs seconds to start, on a busy machine more.
  const expiresAtSec = Math.round(Date.now() / 1000) + EXPIRES_AFTER_SEC;
  return [await signToken(secret, "admin", expiresAtSec), await signToken(secret, "admin")];
}

async function play(scenario: Scenario, server: PulsarServer, proxyPort: number): Promise<void> {
  const raw = scenario.language === "raw" ? ALL_RAW[scenario.name] : undefined;
  if (raw !== undefined) return await raw(proxyPort, server.adminUrl);
  const secretFile = server.tokenSecretFile;
  const token = secretFile === null ? [] : await tokenOf(scenario, secretFile);
  const url = `pulsar://127.0.0.1:${proxyPort}`;
  const [program, args] = await commandOf(scenario, [
    scenario.name,
    url,
    server.adminUrl,
    ...token,
  ]);
  const output = await new Deno.Command(program, { args, stdout: "piped", stderr: "piped" })
    .output();
  if (output.success) return;
  const text = new TextDecoder().decode(output.stderr) + new TextDecoder().decode(output.stdout);
  throw new Error(`Cannot record ${scenario.language} ${scenario.name}: ${text.slice(-3000)}`);
}

async function record(
  scenario: Scenario,
  server: PulsarServer,
  recorder: Recorder,
): Promise<void> {
  const name = `${scenario.language}_${scenario.file ?? scenario.name}`;
  await play(scenario, server, recorder.port);
  const frames = await recorder.take();
  const lines = frames.map((frame) => JSON.stringify(frame));
  await Deno.writeTextFile(join(GOLDEN_DIR, `${name}.json`), `[\n${lines.join(",\n")}\n]\n`);
  console.log(`${name}: ${lines.length} frames`);
}

async function recordAll(list: readonly Scenario[], extraFlags: string[]): Promise<void> {
  if (list.length === 0) return;
  const behindProxyPort = await freePort(0, "port");
  const internalPort = await freePort(0, "port");
  const recorder = new Recorder(behindProxyPort);
  const conf = [
    `advertisedListeners=internal:pulsar://127.0.0.1:${internalPort},recorded:pulsar://127.0.0.1:${recorder.port}`,
    "internalListenerName=internal",
    `bindAddresses=recorded:pulsar://127.0.0.1:${behindProxyPort}`,
    "backlogQuotaCheckIntervalInSeconds=1",
    "authenticationRefreshCheckSeconds=1",
  ];
  const flags = [
    "--port",
    `${internalPort}`,
    "--admin-port",
    "0",
    "--data",
    DATA_DIR,
    ...extraFlags,
  ];
  const options = parseUp([...flags, ...conf.flatMap((pair) => ["--conf", pair])]);
  if (options === "help") return;
  const server = await bringPulsarUp(options, console.log, new AbortController().signal);
  try {
    for (const scenario of list) await record(scenario, server, recorder);
  } finally {
    recorder.stop();
    await bringPulsarDown({ dataDir: DATA_DIR, deleteData: true, waitMs: 30_000 }, console.log);
  }
}

if (import.meta.main) {
  const isWanted = ({ language, name, file }: Scenario) =>
    Deno.args.length === 0 || Deno.args.includes(`${language}_${file ?? name}`);
  try {
    await Deno.mkdir(GOLDEN_DIR, { recursive: true });
    await recordAll(OPEN_SCENARIOS.filter(isWanted), []);
    await recordAll(TOKEN_SCENARIOS.filter(isWanted), [
      "--token-secret",
      join(DATA_DIR, "secret.key"),
    ]);
    Deno.exit(0);
  } catch (error) {
    console.error(lineOf(error));
    Deno.exit(2);
  }
}
