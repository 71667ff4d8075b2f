/** What is measured: in alone, out alone, both at once; CPU of each process between the first message and the last receipt. */
import { systemClock } from "../../../lib/base/mod.ts";
import type { BenchBroker } from "./brokers.ts";
import { ClientRun } from "./client_runs.ts";
import { type ProcessFigures, processFigures, slopeOf } from "./process_figures.ts";
import type { ClientTask } from "./protocol.ts";

/** One line of the table. Times are CPU time a message, in ns. */
export interface Row {
  readonly broker: string;
  readonly client: string;
  readonly direction: "in" | "out" | "receive()" | "in+out" | "in+out, paced";
  readonly messageCount: number;
  readonly messagesPerSec: number;
  readonly brokerNs: number;
  /** Undefined where the row has none of this kind. */
  readonly producerNs: number | undefined;
  readonly consumerNs: number | undefined;
  readonly brokerResidentBytes: number;
}

/** A line that could not be measured. */
export interface MissingRow {
  readonly broker: string;
  readonly client: string;
  readonly why: string;
}

const SINGLE_MESSAGES_MAX = 1_000_000;
/** How many warm-ups of a client go through the broker before that is measured. */
const THROUGH_WARM_UPS = 3;

/** What all rows of our client share. */
export interface MeasureOptions {
  readonly broker: BenchBroker;
  readonly client: ClientTask["client"];
  readonly clientName: string;
  readonly ffi: boolean;
  readonly messageCount: number;
  readonly warmUpCount: number;
  readonly batchMessages: number;
  /** What the producer of the paced row keeps to; in the others it goes as fast as it can. */
  readonly messagesPerSec: number;
  readonly messageBytes: number;
}

function freshTopic(): string {
  return `persistent://public/default/bench-${crypto.randomUUID().slice(0, 8)}`;
}

async function startClient(
  options: MeasureOptions,
  job: {
    readonly role: ClientTask["role"];
    readonly topic: string;
    /** Messages/s. */
    readonly pace?: number | undefined;
  },
): Promise<ClientRun> {
  const { broker, ffi, client, messageCount, warmUpCount, batchMessages, messageBytes } = options;
  const { role, topic, pace } = job;
  return await ClientRun.start({
    ...{ serviceUrl: broker.serviceUrl, topic, role, client },
    ...{ messageCount, warmUpCount, batchMessages, messageBytes, messagesPerSec: pace ?? null },
  }, { ffi });
}

/** CPU time of several processes from here to `stop`, in ns for each of `messageCount` messages. */
function startWatch(pids: readonly number[]) {
  const before = pids.map(processFigures);
  const usedNs = (after: ProcessFigures, i: number) => (after.cpuSec - before[i]!.cpuSec) * 1e9;
  return (messageCount: number) => {
    const after = pids.map(processFigures);
    return {
      ns: after.map((figures, i) => usedNs(figures, i) / messageCount),
      residentBytes: after.map((figures) => figures.residentBytes),
    };
  };
}

/** Runs clients that are ready at the same time; `roles` says what each one is. */
async function runTogether(
  options: MeasureOptions,
  direction: Row["direction"],
  clients: Partial<Record<"producer" | "consumer", ClientRun>>,
): Promise<Row> {
  const { broker, clientName, messageCount } = options;
  const runs = [clients.producer, clients.consumer].filter((run) => run !== undefined);
  const stop = startWatch([broker.pid, ...runs.map((run) => run.pid)]);
  const startUs = systemClock.monoUs();
  await Promise.all(runs.map((run) => run.go()));
  await Promise.all(runs.map((run) => run.done()));
  const elapsedSec = (systemClock.monoUs() - startUs) / 1e6;
  const { ns, residentBytes } = stop(messageCount);
  const nsOf = (run: ClientRun | undefined) =>
    run === undefined ? undefined : ns[1 + runs.indexOf(run)];
  return {
    ...{ broker: broker.name, client: clientName, direction, messageCount },
    messagesPerSec: messageCount / elapsedSec,
    brokerNs: ns[0]!,
    producerNs: nsOf(clients.producer),
    consumerNs: nsOf(clients.consumer),
    brokerResidentBytes: residentBytes[0]!,
  };
}

/** How the memory of one process went. */
export interface MemoryTrend {
  readonly process: string;
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly bytesMax: number;
  /** Of the second half, by least squares. */
  readonly slopeBytesPerMinute: number;
}

/** In and out at once, paced, for so many minutes, resident memory of each process every second. */
export async function measureMemory(
  options: MeasureOptions,
  minutes: number,
): Promise<MemoryTrend[]> {
  const pace = options.messagesPerSec;
  const messageCount = Math.ceil(pace * minutes * 60);
  const long = { ...options, messageCount };
  const topic = freshTopic();
  await using consumer = await startClient(long, { role: "consume", topic });
  await using producer = await startClient(long, { role: "produce", topic, pace });
  const watched = [
    { process: "broker", pid: options.broker.pid, points: [] as { x: number; y: number }[] },
    { process: "producer", pid: producer.pid, points: [] as { x: number; y: number }[] },
    { process: "consumer", pid: consumer.pid, points: [] as { x: number; y: number }[] },
  ];
  const startUs = systemClock.monoUs();
  const stop = systemClock.every(1000, () => {
    const x = (systemClock.monoUs() - startUs) / 60e6;
    for (const { pid, points } of watched) points.push({ x, y: processFigures(pid).residentBytes });
  });
  await Promise.all([producer.go(), consumer.go()]);
  await Promise.all([producer.done(), consumer.done()]);
  stop();
  return watched.map(({ process, points }) => ({
    process,
    firstBytes: points[0]?.y ?? 0,
    lastBytes: points.at(-1)?.y ?? 0,
    bytesMax: Math.max(...points.map(({ y }) => y)),
    slopeBytesPerMinute: slopeOf(points.slice(points.length >> 1)),
  }));
}

/** In alone and out alone, of the same topic, then both at once on another one. */
export async function measureClient(options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const topic = freshTopic();
  {
    await using producer = await startClient(options, { role: "produce", topic });
    rows.push(await runTogether(options, "in", { producer }));
  }
  {
    await using consumer = await startClient(options, { role: "consume", topic });
    rows.push(await runTogether(options, "out", { consumer }));
  }
  if (options.client === "weir") {
    // The same entries, one message at a time: it takes longer, so fewer do.
    const single = freshTopic();
    const fewer = { ...options, messageCount: Math.min(options.messageCount, SINGLE_MESSAGES_MAX) };
    {
      await using producer = await startClient(fewer, { role: "produce", topic: single });
      await runTogether(fewer, "in", { producer });
    }
    await using consumer = await startClient(fewer, { role: "receive", topic: single });
    rows.push(await runTogether(fewer, "receive()", { consumer }));
  }
  // The first time is the broker's own warm-up: its files and its memory are new to the operating system then.
  const warmUp = { ...options, messageCount: THROUGH_WARM_UPS * options.warmUpCount };
  await measureThrough(warmUp, "in+out");
  rows.push(await measureThrough(options, "in+out"));
  if (options.client === "weir") rows.push(await measureThrough(options, "in+out, paced"));
  return rows;
}

async function measureThrough(
  options: MeasureOptions,
  direction: "in+out" | "in+out, paced",
): Promise<Row> {
  const topic = freshTopic();
  const { messagesPerSec } = options;
  const pace = direction === "in+out" ? undefined : messagesPerSec;
  await using consumer = await startClient(options, { role: "consume", topic });
  await using producer = await startClient(options, { role: "produce", topic, pace });
  return await runTogether(options, direction, { producer, consumer });
}
