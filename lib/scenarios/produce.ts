import { type Clock, formatCount, systemDisk, UsageError } from "../base/mod.ts";
import type { Producer } from "../contract.ts";
import { FileLedger, type LedgerContents, Pacer, type Schedule } from "../load/mod.ts";
import {
  LatencyBuckets,
  METRIC,
  MetricRegistry,
  registerProcess,
  serveMetrics,
} from "../metrics/mod.ts";
import { intervalLatencies, type RoleCommand } from "../run/mod.ts";
import { BatchSender } from "./batch_sender.ts";
import { type BenchConfig, scheduleOf } from "./config.ts";
import type { CuttableConnections } from "./cuttable.ts";
import type { GeneratorReport } from "./manifest.ts";
import { readyLine, type RoleIo, sayIntervals, tellProgress, untilDismissed } from "./role_io.ts";
import { positionAfter, SensorLoad, type SensorLoadPlan, sensorPlan } from "./sensor_load.ts";

/** What the producer role needs. */
export interface ProduceOptions {
  readonly config: Pick<
    BenchConfig,
    "runId" | "load" | "window" | "batchMessagesMax" | "batchDelayMs" | "loop"
  >;
  /** Connected; its topic has as many partitions as it says. */
  readonly producer: Producer;
  readonly ledgerFolder: string;
  readonly metricsPort: number;
  /** To the broker. */
  readonly connections: CuttableConnections;
  readonly clock: Clock;
  readonly io: RoleIo;
}

/** Between being ready and the first message: time for whoever watches to take a first sample. */
export const LEAD_TIME_MS = 300;
const BATCH_BYTES_MAX = 1024 * 1024;
/** After the last message, receipts are waited for so long; a broker that is away longer leaves messages indeterminate. */
const RECEIPTS_WITHIN_MS = 40_000;

interface Plan {
  readonly ledger: FileLedger;
  readonly schedule: Schedule;
  readonly plan: SensorLoadPlan;
  readonly before: LedgerContents | undefined;
}

/** A ledger is gone on with by whoever would have made it: other flags would be ignored without a word. */
function assertSameLoad(
  { config, producer, ledgerFolder }: ProduceOptions,
  ledger: LedgerContents,
) {
  const { header } = ledger;
  const plan = sensorPlan(config, producer.partitionCount, header.startWallMs);
  const schedule = scheduleOf(config.load).toJSON();
  const isSame = header.runId === config.runId &&
    JSON.stringify({ ...plan }) === JSON.stringify(header.plan) &&
    JSON.stringify(schedule) === JSON.stringify(header.schedule);
  if (isSame) return;
  throw new UsageError(
    `Cannot go on with the ledger in ${ledgerFolder}: it is of run ${header.runId}, with another load or other windows`,
    "give the same flags to go on, or another --ledger and --run-id to begin anew",
  );
}

function openLedger(options: ProduceOptions): Plan {
  const { config, producer, clock } = options;
  const where = { disk: systemDisk, clock, folder: options.ledgerFolder };
  if (systemDisk.list(options.ledgerFolder).length > 0) {
    const { ledger, contents } = FileLedger.resume(where);
    const plan = contents.header.plan as unknown as SensorLoadPlan;
    if (!options.io.supervised) assertSameLoad(options, contents);
    return { ledger, schedule: contents.schedule, plan, before: contents };
  }
  const schedule = scheduleOf(config.load);
  const startWallMs = Math.ceil(clock.wallMs()) + LEAD_TIME_MS;
  const plan = sensorPlan(config, producer.partitionCount, startWallMs);
  const ledger = FileLedger.create({
    runId: config.runId,
    seed: config.load.seed,
    startWallMs,
    schedule: schedule.toJSON(),
    plan: { ...plan },
  }, where);
  return { ledger, schedule, plan, before: undefined };
}

/** What a broker that removes duplicates already holds is acknowledged, whether or not the receipt came. */
function resumeAt({ before, ledger }: Plan, producer: Producer): number[] {
  return Array.from({ length: producer.partitionCount }, (_, partition) => {
    const account = before?.partitions.find((one) => one.partition === partition);
    const known = account?.resumeAt ?? 0;
    const held = Math.min(producer.lastSequenceId(partition) + 1, account?.sentUntil ?? 0);
    if (held > known) ledger.acknowledged({ partition, first: known, count: held - known });
    return Math.max(known, held);
  });
}

/** Sends the load of a run on its schedule, then the end markers; a process that goes on for another does the rest. */
class ProduceRole {
  readonly #options: ProduceOptions;
  readonly #plan: Plan;
  readonly #latencies = intervalLatencies(["publish", "service"]);
  readonly #buckets = new LatencyBuckets();
  readonly #sender: BatchSender;
  readonly #load: SensorLoad;
  readonly #pacer: Pacer;
  readonly #failed = Promise.withResolvers<never>();
  #ackedCount = 0;
  #lastReceiptWallMs: number | null = null;

  constructor(options: ProduceOptions) {
    const { config, producer, clock } = options;
    this.#options = options;
    this.#plan = openLedger(options);
    this.#failed.promise.catch(() => {/* whoever waits for it sees it */});
    const publish = this.#latencies.of.publish;
    this.#sender = new BatchSender({
      producer,
      ledger: this.#plan.ledger,
      clock,
      batchMessagesMax: config.batchMessagesMax,
      batchBytesMax: BATCH_BYTES_MAX,
      batchDelayUs: config.batchDelayMs * 1000,
      loop: config.loop,
      publish: {
        record: (latencyUs, count) => {
          publish.record(latencyUs, count);
          this.#buckets.record(latencyUs, count);
        },
      },
      service: this.#latencies.of.service,
      acknowledged: (count) => {
        this.#ackedCount += count;
        this.#lastReceiptWallMs = clock.wallMs();
      },
      failed: (error) => this.#failed.reject(error),
    });
    const startUs = clock.monoUs() + (this.#plan.plan.startWallMs - clock.wallMs()) * 1000;
    this.#load = new SensorLoad({
      plan: this.#plan.plan,
      schedule: this.#plan.schedule,
      sender: this.#sender,
      resumeAt: resumeAt(this.#plan, producer),
      startUs,
    });
    // A process that goes on for another walks the messages before; they are not late, they were sent.
    const nextIndex = 0;
    this.#pacer = new Pacer({ schedule: this.#plan.schedule, clock, startUs, nextIndex });
  }

  async run(): Promise<void> {
    const { io, clock, metricsPort } = this.#options;
    await using ledger = this.#plan.ledger;
    await using server = serveMetrics({ port: metricsPort, registry: this.#registry() });
    io.say(readyLine("produce", server.url));
    const stopSaying = sayIntervals(io, clock, () => this.#latencies.take());
    const stopTelling = tellProgress(io, clock, () => this.#text());
    io.onCommand((command) => this.#steer(command));
    try {
      await Promise.race([this.#send(), this.#failed.promise]);
      await Promise.race([this.#finish(), this.#failed.promise]);
      ledger.end(this.#position());
    } finally {
      stopSaying();
      stopTelling();
      io.say({ event: "note", kind: "generator", data: this.#report() });
    }
    io.say({ event: "finished" });
    await untilDismissed(io);
  }

  async #send(): Promise<void> {
    const { io } = this.#options;
    await this.#pacer.run({
      signal: io.ending,
      tick: (dueCount: number) => {
        this.#load.writeUntil(dueCount);
        this.#sender.flush();
        return this.#load.position;
      },
    });
    if (io.ending.aborted) {
      this.#plan.ledger.change(this.#plan.schedule.stopAt(this.#position()));
    }
  }

  /** Messages of the schedule dealt with: a process that ends before it has walked past what an earlier one sent may not forget that. */
  #position(): number {
    const { plan, schedule, before } = this.#plan;
    const sentUntil = Array.from({ length: plan.partitionCount }, (_, partition) => {
      return before?.partitions.find((one) => one.partition === partition)?.sentUntil ?? 0;
    });
    return Math.max(this.#load.position, positionAfter(plan, schedule, sentUntil));
  }

  /**
   * Changes the schedule from now on. Whatever was written so far was due before now, so the change concerns none of it, and it is in the ledger
   * before a message that it concerns is written.
   */
  #steer(command: RoleCommand): void {
    if (command.command === "cut") return void this.#options.connections.cut();
    if (command.command === "kill-at") throw new RangeError("a producer has no such place");
    const { schedule, ledger } = this.#plan;
    const atUs = Math.max(0, this.#pacer.elapsedUs);
    const isPausing = schedule.rateAt(atUs) === 0;
    if (command.command === "resume" && !isPausing) return;
    const change = command.command === "rate"
      ? schedule.setRate(atUs, command.messagesPerSec)
      : command.command === "pause"
      ? schedule.pause(atUs)
      : schedule.resume(atUs);
    try {
      ledger.change(change);
    } catch (error) {
      // The schedule has moved and the ledger does not know: nothing more may go out.
      this.#failed.reject(error);
      throw error;
    }
  }

  /** Waits for the last receipts, then ends each partition's stream. */
  async #finish(): Promise<void> {
    const { producer, clock } = this.#options;
    const { ledger } = this.#plan;
    this.#sender.flush(true);
    const patience = new AbortController();
    const inTime = await Promise.race([
      this.#sender.settled().then(() => true),
      clock.sleep(RECEIPTS_WITHIN_MS, patience.signal).then(() => false, () => true),
    ]);
    patience.abort();
    ledger.flush();
    if (!inTime) return;
    await Promise.all(this.#load.nextIndices.map(async (sequenceId, partition) => {
      await producer.sendEndMarker(partition, sequenceId);
      ledger.endMarker(partition);
    }));
  }

  /** On one line, for a person. */
  #text(): string {
    const before = this.#load.position - this.#load.sentCount;
    const went = `${formatCount(this.#ackedCount)} messages acknowledged`;
    const goesOn = this.#plan.before === undefined ? "" : `, ${formatCount(before)} sent before`;
    return `${went}${goesOn}, of ${formatCount(this.#plan.schedule.messageCount)}`;
  }

  #report(): GeneratorReport {
    const { ownLatenessShare, ownLatenessUsMax, clockJumpMs } = this.#pacer.report();
    return {
      startWallMs: this.#plan.plan.startWallMs,
      lastReceiptWallMs: this.#lastReceiptWallMs,
      ownLatenessShare,
      ownLatenessUsMax,
      clockJumpMs,
    };
  }

  #registry(): MetricRegistry {
    const { clock } = this.#options;
    const registry = new MetricRegistry();
    registerProcess(registry, clock);
    registry.counter(
      { name: METRIC.messagesSent, help: "Messages put into batches." },
      () => this.#load.sentCount,
    );
    registry.counter(
      { name: METRIC.messagesAcknowledged, help: "Messages whose receipt has come." },
      () => this.#ackedCount,
    );
    registry.gauge(
      { name: METRIC.targetRate, help: "Rate that the schedule asks for, messages per second." },
      () => this.#pacer.targetRate(),
    );
    registry.histogram(
      { name: METRIC.publishLatency, help: "Intended send time to receipt, seconds." },
      this.#buckets,
    );
    return registry;
  }
}

/**
 * Runs the producer role until its load is sent and acknowledged, or until it is asked to end: then it stops sending, waits for its receipts and
 * sends the end markers all the same.
 *
 * @throws when the ledger cannot be written, or the producer cannot go on
 */
export function runProduce(options: ProduceOptions): Promise<void> {
  return new ProduceRole(options).run();
}
