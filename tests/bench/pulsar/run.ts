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
import { measureClient, type MissingRow, type Row } from "./measure.ts";
import { referenceStepNs } from "./process_figures.ts";
import { renderTable } from "./table.ts";

const DATA_DIR = join(import.meta.dirname!, "..", "..", "..", ".data", "bench");

const WARM_UP_MESSAGES_MAX = 1_000_000;

const HELP =
  `Brokers and clients side by side: CPU time a message of each process, in and out apart.

  deno task bench:pulsar [flags]

  --brokers LIST    of embedded, embedded-no-ffi, real (default: all three)
  --clients LIST    of weir, java, native (default: all three)
  --messages N      measured messages of a row with our client (default 10000000)
  --seconds N       how long a row with the Java client is measured (default 15)
  --batch N         messages a batch (default 1000)
  --bytes N         bytes a message (default 184)
  --json FILE       writes the rows there, too
  --help`;

interface Options {
  readonly brokers: readonly string[];
  readonly clients: readonly string[];
  readonly messageCount: number;
  readonly measureSec: number;
  readonly batchMessages: number;
  readonly messageBytes: number;
  readonly jsonFile: string | undefined;
}

function countOf(flag: string, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`Cannot read --${flag} "${text}": expected a number from 1 on`);
}

function readOptions(args: string[]): Options | "help" {
  const { values } = parseArgs({
    args,
    options: {
      brokers: { type: "string", default: "embedded,embedded-no-ffi,real" },
      clients: { type: "string", default: "weir,java,native" },
      seconds: { type: "string", default: "15" },
      messages: { type: "string", default: "10000000" },
      batch: { type: "string", default: "1000" },
      bytes: { type: "string", default: "184" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    brokers: values.brokers.split(","),
    clients: values.clients.split(","),
    messageCount: countOf("messages", values.messages),
    measureSec: countOf("seconds", values.seconds),
    batchMessages: countOf("batch", values.batch),
    messageBytes: countOf("bytes", values.bytes),
    jsonFile: values.json,
  };
}

async function startBroker(name: string, signal: AbortSignal): Promise<BenchBroker> {
  switch (name) {
    case "embedded":
    case "embedded-no-ffi":
      return await startEmbedded({ ffi: name === "embedded", folder: DATA_DIR });
    case "real": {
      const why = await whyNoPulsar();
      if (why !== undefined) throw new UsageError(why);
      return await startReal(DATA_DIR, signal);
    }
    default:
      throw new UsageError(
        `Cannot start broker "${name}": expected embedded, embedded-no-ffi or real`,
      );
  }
}

interface Measured {
  readonly rows: readonly Row[];
  readonly missing: readonly MissingRow[];
}

async function measurePair(
  broker: BenchBroker,
  pair: { readonly client: string; readonly ffi: boolean },
  options: Options,
): Promise<readonly Row[]> {
  const { client, ffi } = pair;
  const { messageCount, batchMessages, messageBytes, measureSec } = options;
  switch (client) {
    case "weir":
      return await measureClient({
        ...{ broker, ffi, batchMessages, messageBytes, messageCount, client },
        clientName: ffi ? "weir" : "weir, no FFI",
        warmUpCount: Math.min(messageCount, WARM_UP_MESSAGES_MAX),
      });
    case "java": {
      const java = await bringJavaPerf(console.error);
      const shared = { broker, batchMessages, messageBytes };
      return await measureJava(java, { ...shared, warmUpSec: measureSec, measureSec });
    }
    default:
      throw new UsageError(`Cannot measure client "${client}": expected weir, java or native`);
  }
}

async function measureBroker(
  name: string,
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
  return { rows, missing };
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  await Deno.mkdir(DATA_DIR, { recursive: true });
  const rows: Row[] = [];
  const missing: MissingRow[] = [];
  const referenceBeforeNs = referenceStepNs();
  for (const name of options.brokers) {
    const measured = await measureBroker(name, options, signal);
    rows.push(...measured.rows);
    missing.push(...measured.missing);
    console.error(renderTable(rows, missing));
  }
  const referenceAfterNs = referenceStepNs();
  console.log(renderTable(rows, missing));
  console.log(
    `reference: ${referenceBeforeNs.toFixed(2)} ns before, ${
      referenceAfterNs.toFixed(2)
    } ns after (one step of mix32, dependent); load ${Deno.loadavg()[0]!.toFixed(1)}`,
  );
  if (options.jsonFile === undefined) return;
  const text = JSON.stringify({ referenceBeforeNs, referenceAfterNs, rows, missing }, null, 2);
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
