/**
 * `deno task fuzz:differential`: the same random operations on a real Pulsar and on the embedded broker must show the same.
 *
 *     deno task fuzz:differential --sequences 200 --operations 25 --seed 7
 *     deno task fuzz:differential --plant forget-ack
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { lineOf, seededRandom, systemRandom, UsageError } from "../../../lib/base/mod.ts";
import { parseUp } from "../../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp, whyNoPulsar } from "../../../infra/pulsar/server.ts";
import { startBroker } from "../../../lib/pulsar/broker/mod.ts";
import { minimise } from "../minimise.ts";
import { compare, type Difference } from "./compare.ts";
import { makeSequence, type Operation, type Sequence, TYPES } from "./operations.ts";
import type { SubscriptionType } from "./operations.ts";
import { PLANTS } from "./plants.ts";
import type { JudgedBroker } from "./shape.ts";

const DATA_DIR = join(import.meta.dirname!, "..", "..", "..", ".data", "differential");
const QUIET_ROUNDS = 3;
/** A difference counts when it is there with this much more patience, too. */
const PATIENT_ROUNDS = 15;

const HELP =
  `The same random operations on a real Pulsar and on the embedded broker must show the same.

  deno task fuzz:differential [flags]

  --sequences N    how many sequences (default 50)
  --operations N   operations of one (default 20)
  --types LIST     of exclusive, shared, failover, key_shared (default: all)
  --seed N         the same sequences again (default: by chance; it is printed)
  --keep           leaves the real one up for the next run
  --plant NAME     puts a fault in front of the embedded broker, which must be found: ${
    Object.keys(PLANTS).join(", ")
  }
  --help

A difference is tried again with more patience, shortened and printed. Exit code 1 then. It needs Java for the real one.`;

interface Options {
  readonly sequenceCount: number;
  readonly operationCount: number;
  readonly types: readonly SubscriptionType[];
  readonly seed: number;
  readonly plant: string | undefined;
  readonly isKept: boolean;
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new UsageError(`Cannot read --${flag} "${text}": expected a whole number`);
}

function readOptions(args: string[]): Options | "help" {
  const { values } = parseArgs({
    args,
    options: {
      sequences: { type: "string", default: "50" },
      operations: { type: "string", default: "20" },
      types: { type: "string", default: TYPES.join(",") },
      seed: { type: "string" },
      plant: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const { plant } = values;
  if (plant !== undefined && PLANTS[plant] === undefined) {
    const known = Object.keys(PLANTS).join(", ");
    throw new UsageError(`Cannot plant "${plant}": expected one of ${known}`);
  }
  const types = values.types.split(",") as SubscriptionType[];
  if (types.some((type) => !TYPES.includes(type))) {
    throw new UsageError(`Cannot use --types "${values.types}": expected of ${TYPES.join(", ")}`);
  }
  return {
    sequenceCount: numberOf("sequences", values.sequences),
    operationCount: numberOf("operations", values.operations),
    types,
    seed: values.seed === undefined ? systemRandom.uint32() : numberOf("seed", values.seed),
    plant,
    isKept: values.keep,
  };
}

type Brokers = readonly [JudgedBroker, JudgedBroker];

function patient([one, other]: Brokers): Brokers {
  return [{ ...one, quietRounds: PATIENT_ROUNDS }, { ...other, quietRounds: PATIENT_ROUNDS }];
}

/** The shortest sequence found that shows a difference. */
async function shorten(sequence: Sequence, brokers: Brokers): Promise<Sequence> {
  const fails = async (operations: readonly Operation[]) =>
    await compare({ ...sequence, operations }, brokers) !== undefined;
  return { ...sequence, operations: await minimise(sequence.operations, fails, 120) };
}

async function report(sequence: Sequence, brokers: Brokers): Promise<void> {
  const short = await shorten(sequence, patient(brokers));
  const difference = await compare(short, patient(brokers));
  console.log(`subscriptions: ${short.types.map((type, i) => `sub${i} ${type}`).join(", ")}`);
  for (const operation of short.operations) console.log(`  ${JSON.stringify(operation)}`);
  if (difference === undefined) console.log("the shortened sequence does not differ every time");
  else console.log(textOf(difference));
}

function textOf({ at, operation, observations }: Difference): string {
  const name = operation === "audit"
    ? "the audit at the end"
    : `operation ${at}, ${operation.kind}`;
  const sides = Object.entries(observations).map(([broker, observation]) =>
    `${broker}:\n${JSON.stringify(observation, null, 1)}`
  );
  return [`they differ at ${name}`, ...sides].join("\n");
}

async function playAll(options: Options, brokers: Brokers): Promise<number> {
  const { seed, sequenceCount, operationCount, types } = options;
  let differences = 0;
  for (let i = 0; i < sequenceCount; i++) {
    const sequence = makeSequence(seededRandom(seed + i), { operationCount, types });
    let difference = await compare(sequence, brokers);
    if (difference !== undefined) difference = await compare(sequence, patient(brokers));
    if (difference !== undefined) {
      differences++;
      console.log(`DIFFERENCE in sequence ${i} (seed ${seed + i}); shortening`);
      await report(sequence, brokers);
      if (options.plant !== undefined) break;
    }
    if ((i + 1) % 10 === 0) {
      console.log(`differential: ${i + 1} of ${sequenceCount} sequences, ${differences} differ`);
    }
  }
  return differences;
}

async function main(options: Options, signal: AbortSignal): Promise<number> {
  await Deno.mkdir(DATA_DIR, { recursive: true });
  console.log(`differential: seed ${options.seed}`);
  const dataDir = join(DATA_DIR, "real");
  const folder = join(DATA_DIR, "embedded");
  const up = parseUp([
    ...["--port", "0", "--admin-port", "0", "--data", dataDir, "--heap", "512m"],
    ...["--conf", "activeConsumerFailoverDelayTimeMillis=0"],
  ]);
  if (up === "help") throw new UsageError("Cannot start: no flags");
  await using stack = new AsyncDisposableStack();
  const real = await bringPulsarUp(up, console.error, signal);
  stack.defer(async () => {
    if (options.isKept) return;
    await bringPulsarDown({ dataDir, deleteData: true, waitMs: 30_000 }, () => {});
  });
  const embedded = stack.use(
    await startBroker({
      folder,
      failoverDelayMs: 0,
      // As a real one has it.
      policies: { isDeduplicating: false },
    }),
  );
  const { serviceUrl, adminUrl } = real;
  const tampering = options.plant === undefined ? {} : PLANTS[options.plant]!();
  const differences = await playAll(options, [
    { name: "real", serviceUrl, adminUrl, tampering: {}, quietRounds: QUIET_ROUNDS },
    {
      ...{ name: "embedded", serviceUrl: embedded.url, adminUrl: embedded.adminUrl },
      ...{ tampering, quietRounds: QUIET_ROUNDS },
    },
  ]);
  console.log(
    `differential: ${options.sequenceCount} sequences of ${options.operationCount} operations, seed ${options.seed}: ${
      differences === 0 ? "the same everywhere" : `${differences} differ`
    }`,
  );
  return differences === 0 ? 0 : 1;
}

if (import.meta.main) {
  const abort = new AbortController();
  Deno.addSignalListener("SIGINT", () => abort.abort(new UsageError("Stopped by SIGINT")));
  try {
    const options = readOptions(Deno.args);
    if (options === "help") {
      console.log(HELP);
      Deno.exit(0);
    }
    const why = await whyNoPulsar();
    if (why !== undefined) throw new UsageError(why);
    Deno.exit(await main(options, abort.signal));
  } catch (error) {
    console.error(`fuzz:differential: ${lineOf(error)}`);
    Deno.exit(2);
  }
}
