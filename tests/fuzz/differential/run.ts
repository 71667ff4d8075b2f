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
import { whyNoPulsar } from "../../../infra/pulsar/server.ts";
import { minimise } from "../minimise.ts";
import { startEmbedded, startReal } from "./brokers.ts";
import { compare, type Difference } from "./compare.ts";
import { makeSequence, type Operation, type Sequence, TYPES } from "./operations.ts";
import type { SubscriptionType } from "./operations.ts";
import { PLANTS } from "./plants.ts";
import type { JudgedBroker } from "./shape.ts";

const DATA_DIR = join(import.meta.dirname!, "..", "..", "..", ".data", "differential");
const QUIET_ROUNDS = 3;
/** A difference counts when it is there with this much more patience, too. */
const PATIENT_ROUNDS = 15;
const SHORTENING_ROUNDS = 5;

const HELP = `The same random operations on a real Pulsar and on the embedded broker
must show the same.

  deno task fuzz:differential [flags]

  --sequences N    how many sequences (default 50)
  --operations N   operations of one (default 20)
  --types LIST     of exclusive, shared, failover, key_shared (default: all)
  --seed N         the same sequences again (default: by chance; it is printed)
  --restart-real   a restart ends the real one, too, which takes its time;
                   else its topic is unloaded
  --keep           leaves the real one up for the next run
  --plant NAME     puts a fault in front of the embedded broker, which must be
                   found, one of
${Object.keys(PLANTS).map((name) => `                     ${name}`).join("\n")}
  --help

A difference is tried again with more patience, shortened and printed.
Exit code 1 then. It needs Java for the real one.`;

interface Options {
  readonly sequenceCount: number;
  readonly operationCount: number;
  readonly types: readonly SubscriptionType[];
  readonly seed: number;
  readonly plant: string | undefined;
  readonly isKept: boolean;
  readonly isRealRestarted: boolean;
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
      "restart-real": { type: "boolean", default: false },
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
    isRealRestarted: values["restart-real"],
  };
}

type Brokers = readonly [JudgedBroker, JudgedBroker];

function patient([one, other]: Brokers, quietRounds = PATIENT_ROUNDS): Brokers {
  return [{ ...one, quietRounds }, { ...other, quietRounds }];
}

/** The shortest sequence found that shows a difference. */
async function shorten(sequence: Sequence, brokers: Brokers): Promise<Sequence> {
  const fails = async (operations: readonly Operation[]) =>
    await compare({ ...sequence, operations }, brokers) !== undefined;
  return { ...sequence, operations: await minimise(sequence.operations, fails, 120) };
}

async function report(sequence: Sequence, brokers: Brokers): Promise<void> {
  const short = await shorten(sequence, patient(brokers, SHORTENING_ROUNDS));
  const difference = await compare(short, patient(brokers));
  console.log(`subscriptions: ${short.types.map((type, i) => `sub${i} ${type}`).join(", ")}`);
  for (const operation of short.operations) console.log(`  ${JSON.stringify(operation)}`);
  if (difference === undefined) console.log("the shortened sequence does not differ every time");
  else console.log(textOf(difference));
}

/** What the two have seen, without what is the same. */
function textOf({ at, operation, observations }: Difference): string {
  const name = operation === "audit"
    ? "the audit at the end"
    : `operation ${at}, ${operation.kind}`;
  const [first, second] = Object.values(observations);
  const differs = (key: string) => JSON.stringify(first?.[key]) !== JSON.stringify(second?.[key]);
  const sides = Object.entries(observations).map(([broker, observation]) =>
    Object.entries(observation).filter(([key]) => differs(key))
      .map(([key, value]) => `  ${broker.padEnd(8)} ${key}: ${JSON.stringify(value)}`).join("\n")
  );
  return [`they differ at ${name}:`, ...sides].join("\n");
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
  const tampering = options.plant === undefined ? {} : PLANTS[options.plant]!();
  const folder = join(DATA_DIR, "embedded");
  await using embedded = await startEmbedded({ folder, tampering, quietRounds: QUIET_ROUNDS });
  await using real = await startReal({
    dataDir: join(DATA_DIR, "real"),
    isRestarted: options.isRealRestarted,
    isKept: options.isKept,
    quietRounds: QUIET_ROUNDS,
  }, signal);
  const differences = await playAll(options, [real.judged, embedded.judged]);
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
    let options: Options | "help";
    try {
      options = readOptions(Deno.args);
    } catch (error) {
      throw error instanceof UsageError ? error : new UsageError(lineOf(error), "see --help");
    }
    if (options === "help") {
      console.log(HELP);
      Deno.exit(0);
    }
    const why = await whyNoPulsar();
    if (why !== undefined) throw new UsageError(why);
    Deno.exit(await main(options, abort.signal));
  } catch (error) {
    // A broker that went away spoils the disposal, too: the first error says why.
    const first = error instanceof SuppressedError ? error.suppressed : error;
    console.error(`fuzz:differential: ${lineOf(first)}`);
    if (!(first instanceof UsageError)) console.error(first);
    Deno.exit(2);
  }
}
