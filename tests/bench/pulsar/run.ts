/**
 * `deno task bench:pulsar`: brokers and clients side by side, CPU time a message of each process, in and out apart.
 *
 *     deno task bench:pulsar --brokers embedded --messages 2000000 --json table.json
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { lineOf, UsageError } from "../../../lib/base/mod.ts";
import { whyNoPulsar } from "../../../infra/pulsar/server.ts";
import { type BenchBroker, startEmbedded, startReal } from "./brokers.ts";
import { NotMeasured } from "./client_runs.ts";
import { bringJavaPerf, measureJava } from "./java_perf.ts";
import {
  measureClient,
  measureMemory,
  type MeasureOptions,
  type MemoryTrend,
  type MissingRow,
  type Row,
} from "./measure.ts";
import { referenceStepNs, writeReference } from "./process_figures.ts";
import { renderMemory, renderTable, renderTargets } from "./table.ts";

const DATA_DIR = join(import.meta.dirname!, "..", "..", "..", ".data", "bench");

/** It takes some 200 µs for each. */
const NATIVE_MESSAGES_MAX = 200_000;
const NATIVE_WARM_UP_MESSAGES = 20_000;
const WARM_UP_MESSAGES_MAX = 1_000_000;

const BROKERS = ["embedded", "embedded-no-ffi", "real"] as const;
const CLIENTS = ["weir", "java", "native"] as const;

const HELP = `Brokers and clients side by side: CPU time a message of each process, in and out
apart.

  deno task bench:pulsar [flags]

  --brokers LIST    of embedded, embedded-no-ffi, real (default: all three)
  --clients LIST    of weir, java, native (default: all three)
  --messages N      messages of a row with our client (default 10000000)
  --seconds N       how long a row with the Java client is measured (default 15)
  --minutes N       afterwards in and out at once for so long with our client,
                    memory of each process (default 0)
  --rate N          what our producer keeps to in the paced row and with
                    --minutes, messages/s (default 1000000); in the others it
                    goes as fast as it can, a backlog grows, and every byte is
                    read from the disk cache
  --batch N         messages a batch (default 1000)
  --bytes N         bytes a message (default 184)
  --json FILE       writes the rows there, too
  --help`;

interface Options {
  readonly brokers: readonly (typeof BROKERS)[number][];
  readonly clients: readonly (typeof CLIENTS)[number][];
  readonly messageCount: number;
  readonly measureSec: number;
  readonly minutes: number;
  readonly batchMessages: number;
  readonly messagesPerSec: number;
  readonly messageBytes: number;
  readonly jsonFile: string | undefined;
}

function countOf(flag: string, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`Cannot read --${flag} "${text}": expected a number from 1 on`);
}

function minutesOf(text: string): number {
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(`Cannot read --minutes "${text}": expected a number from 0 on`);
}

function namesOf<Name extends string>(flag: string, text: string, known: readonly Name[]): Name[] {
  return text.split(",").map((name) => {
    const found = known.find((one) => one === name);
    if (found !== undefined) return found;
    throw new UsageError(`Cannot read --${flag} "${name}": expected of ${known.join(", ")}`);
  });
}

function readOptions(args: string[]): Options | "help" {
  const { values } = parseArgs({
    args,
    options: {
      brokers: { type: "string", default: BROKERS.join(",") },
      clients: { type: "string", default: CLIENTS.join(",") },
      seconds: { type: "string", default: "15" },
      minutes: { type: "string", default: "0" },
      messages: { type: "string", default: "10000000" },
      batch: { type: "string", default: "1000" },
      rate: { type: "string", default: "1000000" },
      bytes: { type: "string", default: "184" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    brokers: namesOf("brokers", values.brokers, BROKERS),
    clients: namesOf("clients", values.clients, CLIENTS),
    messageCount: countOf("messages", values.messages),
    measureSec: countOf("seconds", values.seconds),
    minutes: minutesOf(values.minutes),
    batchMessages: countOf("batch", values.batch),
    messagesPerSec: countOf("rate", values.rate),
    messageBytes: countOf("bytes", values.bytes),
    jsonFile: values.json,
  };
}

async function startBroker(
  name: (typeof BROKERS)[number],
  signal: AbortSignal,
): Promise<BenchBroker> {
  switch (name) {
    case "embedded":
    case "embedded-no-ffi":
      return await startEmbedded({ ffi: name === "embedded", folder: DATA_DIR });
    case "real": {
      const why = await whyNoPulsar();
      if (why !== undefined) throw new UsageError(why);
      return await startReal(DATA_DIR, signal);
    }
  }
}

interface Measured {
  readonly rows: readonly Row[];
  readonly missing: readonly MissingRow[];
  readonly trends: readonly MemoryTrend[];
}

function ourOptions(broker: BenchBroker, ffi: boolean, options: Options): MeasureOptions {
  const { messageCount, batchMessages, messageBytes, messagesPerSec } = options;
  return {
    ...{ broker, ffi, batchMessages, messageBytes, messageCount, messagesPerSec, client: "weir" },
    clientName: ffi ? "weir" : "weir, no FFI",
    warmUpCount: Math.min(messageCount, WARM_UP_MESSAGES_MAX),
  };
}

async function measurePair(
  broker: BenchBroker,
  pair: { readonly client: (typeof CLIENTS)[number]; readonly ffi: boolean },
  options: Options,
): Promise<readonly Row[]> {
  const { client, ffi } = pair;
  const { batchMessages, messageBytes, measureSec } = options;
  switch (client) {
    case "weir":
      return await measureClient(ourOptions(broker, ffi, options));
    case "native":
      return await measureClient({
        ...ourOptions(broker, ffi, options),
        ...{ client, clientName: "npm:pulsar-client" },
        messageCount: Math.min(options.messageCount, NATIVE_MESSAGES_MAX),
        warmUpCount: NATIVE_WARM_UP_MESSAGES,
      });
    case "java": {
      const java = await bringJavaPerf(console.error);
      const shared = { broker, batchMessages, messageBytes };
      return await measureJava(java, { ...shared, warmUpSec: measureSec, measureSec });
    }
  }
}

async function measureBroker(
  name: (typeof BROKERS)[number],
  options: Options,
  signal: AbortSignal,
): Promise<Measured> {
  await using broker = await startBroker(name, signal);
  const ffi = name !== "embedded-no-ffi";
  const rows: Row[] = [];
  const missing: MissingRow[] = [];
  // Without FFI only our own client differs.
  for (const client of options.clients.filter((one) => ffi || one === "weir")) {
    try {
      rows.push(...await measurePair(broker, { client, ffi }, options));
    } catch (error) {
      if (!(error instanceof NotMeasured)) throw error;
      missing.push({ broker: broker.name, client, why: error.message });
    }
  }
  const hasOurs = rows.some(({ client }) => client.startsWith("weir"));
  const trends = options.minutes === 0 || !hasOurs
    ? []
    : await measureMemory(ourOptions(broker, ffi, options), options.minutes);
  return { rows, missing, trends };
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  await Deno.mkdir(DATA_DIR, { recursive: true });
  const rows: Row[] = [];
  const missing: MissingRow[] = [];
  const memory: { broker: string; trends: readonly MemoryTrend[] }[] = [];
  const referenceBeforeNs = referenceStepNs();
  const write = await writeReference(DATA_DIR, options.messageBytes);
  for (const name of options.brokers) {
    const measured = await measureBroker(name, options, signal);
    rows.push(...measured.rows);
    missing.push(...measured.missing);
    console.error(renderTable(measured.rows, measured.missing));
    if (measured.trends.length > 0) memory.push({ broker: name, trends: measured.trends });
  }
  const referenceAfterNs = referenceStepNs();
  console.log(renderTable(rows, missing));
  for (const { broker, trends } of memory) console.log(renderMemory(broker, trends));
  console.log(renderTargets((referenceBeforeNs + referenceAfterNs) / 2));
  console.log(
    `reference: ${referenceBeforeNs.toFixed(2)} ns before, ${
      referenceAfterNs.toFixed(2)
    } ns after (one step of mix32, dependent); load ${Deno.loadavg()[0]!.toFixed(1)}`,
  );
  console.log(
    `reference: the operating system takes ${
      write.newFileNs.toFixed(0)
    } ns to write the ${options.messageBytes} bytes of a message ` +
      `to a new file, ${write.sameFileNs.toFixed(0)} ns to write them over others`,
  );
  if (options.jsonFile === undefined) return;
  const text = JSON.stringify(
    { referenceBeforeNs, referenceAfterNs, write, rows, missing, memory },
    null,
    2,
  );
  await Deno.writeTextFile(options.jsonFile, `${text}\n`);
}

if (import.meta.main) {
  const abort = new AbortController();
  Deno.addSignalListener("SIGINT", () => abort.abort(new UsageError("Stopped by SIGINT")));
  try {
    const options = readOptions(Deno.args);
    if (options === "help") console.log(HELP);
    else await main(options, abort.signal);
    Deno.exit(0);
  } catch (error) {
    console.error(`bench:pulsar: ${lineOf(error)}`);
    Deno.exit(2);
  }
}
