import type { Disk } from "../../lib/base/mod.ts";
import { seededRandom, WeirError } from "../../lib/base/mod.ts";
import type { CheckpointStore, Sink, Source } from "../../lib/contract.ts";
import type { CheckpointSummary } from "../../lib/stream/mod.ts";
import { FileCheckpointStore, Pipeline, readCheckpoint } from "../../lib/stream/mod.ts";
import type { Expected, Rule } from "./messages.ts";
import { expectedOf, identitySumOf, rowOf, TestProjection } from "./messages.ts";
import { makeLogs } from "./logs.ts";
import { SimBroker } from "./sim_broker.ts";
import { SimDisk } from "./sim_disk.ts";
import type { SinkFaults } from "./sim_sink.ts";
import { SimSink } from "./sim_sink.ts";
import { Process, World } from "./world.ts";

/** What a mutation test puts between the pipeline and its world, to see that the simulation finds the fault. */
export interface Mutation {
  disk?(disk: Disk): Disk;
  store?(store: CheckpointStore, source: Source): CheckpointStore;
  sink?(sink: Sink): Sink;
}

/** What a history came to. */
export interface Outcome {
  readonly seed: number;
  /** Empty when all went as it must. */
  readonly violations: readonly string[];
  /** The pipeline stopped on purpose because the sink held part of a batch. */
  readonly stoppedOnPartial: boolean;
  readonly crashes: number;
  readonly freezes: number;
  readonly powerLosses: number;
  readonly rows: number;
  readonly swallowed: number;
  readonly deduplicated: number;
  readonly cameLate: number;
}

/** Sums of the figures of many outcomes, to see that what should be tested did happen. */
export class OutcomeTotals {
  crashes = 0;
  freezes = 0;
  powerLosses = 0;
  stops = 0;
  rows = 0;
  swallowed = 0;
  deduplicated = 0;
  cameLate = 0;

  add(outcome: Outcome): void {
    this.crashes += outcome.crashes;
    this.freezes += outcome.freezes;
    this.powerLosses += outcome.powerLosses;
    this.stops += outcome.stoppedOnPartial ? 1 : 0;
    this.rows += outcome.rows;
    this.swallowed += outcome.swallowed;
    this.deduplicated += outcome.deduplicated;
    this.cameLate += outcome.cameLate;
  }
}

/** Faults come until here, in ms of the world; after that everything must come to an end. */
const FAULTS_UNTIL_MS = 12_000;
const GIVE_UP_MS = 600_000;
const FOLDER = "checkpoints";
/**
 * Errors with which a process may end and be started again: what it needed was not there. A reader is also told so when one that was frozen
 * wakes, takes the partition over and only then learns that it is not its reader any more.
 */
const RESTARTED_CODES = [
  "sink_unavailable",
  "checkpoint_failed",
  "acknowledge_failed",
  "stale_owner",
];

/** One history of aggregators, disk, sink and broker, decided by its seed. */
export class Simulation {
  readonly #world: World;
  readonly #disk: SimDisk;
  readonly #sink: SimSink;
  readonly #broker: SimBroker;
  readonly #rule: Rule;
  readonly #expected: Expected[];
  readonly #processes: Process[] = [];
  readonly #mutation: Mutation;
  readonly #batchRows: number;
  readonly #checkpointIntervalMs: number;
  readonly #crashChance: number;
  /** Where watermarks may follow others, which window a message goes into depends on timing; that it is counted once does not. */
  readonly #idleAfterMs: number | undefined;
  readonly #drained = new Set<number>();
  #crashes = 0;
  #freezes = 0;
  #powerLosses = 0;
  #starts = 0;
  #stoppedOnPartial = false;

  constructor(readonly seed: number, mutation: Mutation = {}) {
    const world = new World(seed);
    this.#world = world;
    this.#mutation = mutation;
    this.#rule = {
      windowSizeMs: 1_000,
      outOfOrdernessMs: world.whole(0, 2) * 400,
      allowedLatenessMs: world.whole(0, 1) * 500,
    };
    this.#batchRows = world.whole(1, 4);
    this.#checkpointIntervalMs = world.whole(100, 3_000);
    this.#crashChance = world.chance(0.7) ? 0.004 : 0;
    this.#idleAfterMs = world.chance(0.15) ? world.whole(40, 400) : undefined;
    const logs = makeLogs(world);
    this.#expected = logs.map((log, partition) =>
      expectedOf(partition, log.map(({ messages }) => messages), this.#rule)
    );
    this.#disk = new SimDisk(world);
    this.#sink = new SimSink(world, sinkFaults(world));
    this.#broker = new SimBroker(world, logs, {
      redelivers: world.chance(0.5) ? 0.03 : 0,
      acknowledgementLost: world.chance(0.5) ? 0.1 : 0,
    });
    this.#broker.onAcknowledge = (partition, index) => this.#checkAcknowledged(partition, index);
  }

  /** Plays it to its end. */
  async run(): Promise<Outcome> {
    const aggregators = this.#world.whole(1, 2);
    for (let i = 0; i < aggregators; i++) this.#start(`aggregator-${i}`);
    this.#planFaults();
    const done = await this.#world.run(
      () => this.#isDrained() || this.#stoppedOnPartial,
      GIVE_UP_MS,
    );
    if (!done) {
      this.#world.violation(
        `not drained: cursors ${this.#broker.cursors.join(", ")} of ${
          this.#broker.logs.map((log) => log.length).join(", ")
        }`,
      );
    }
    if (!this.#stoppedOnPartial && this.#world.violations.length === 0) this.#checkEnd();
    return {
      seed: this.seed,
      violations: this.#world.violations,
      stoppedOnPartial: this.#stoppedOnPartial,
      crashes: this.#crashes,
      freezes: this.#freezes,
      powerLosses: this.#powerLosses,
      swallowed: this.#sink.swallowed,
      deduplicated: this.#sink.deduplicated,
      cameLate: this.#sink.cameLate,
      rows: [...this.#sink.stored.values()].reduce((sum, rows) => sum + rows.length, 0),
    };
  }

  #isDrained(): boolean {
    return this.#broker.isDrained && this.#drained.size === this.#broker.logs.length;
  }

  #start(name: string): void {
    const process = new Process(this.#world, name);
    process.crashChance = this.#world.nowMs < FAULTS_UNTIL_MS ? this.#crashChance : 0;
    this.#processes.push(process);
    process.onDeath.push(() => {
      this.#crashes++;
      this.#restart(process);
    });
    const source = this.#broker.source(process);
    const disk = this.#mutation.disk?.(this.#disk.of(process)) ?? this.#disk.of(process);
    const store = new FileCheckpointStore(disk, FOLDER);
    const sink = this.#sink.of(process);
    const pipeline = new Pipeline({
      configuration: { runId: "run", ...this.#rule },
      source,
      sink: this.#mutation.sink?.(sink) ?? sink,
      store: this.#mutation.store?.(store, source) ?? store,
      clock: process.clock,
      random: seededRandom(this.seed * 1_000 + this.#starts++),
      newProjection: () => new TestProjection(),
      batchRows: this.#batchRows,
      checkpointIntervalMs: this.#checkpointIntervalMs,
      pendingBatchesMax: 6,
      idleAfterMs: this.#idleAfterMs,
      staleGraceMs: 5_000,
      retry: { retryForMs: 5_000, backoffMsMax: 500 },
      hooks: { onDrained: (partition) => this.#drained.add(partition) },
    });
    pipeline.run(new AbortController().signal).catch((error) => this.#ended(process, error));
  }

  /** A process that ended by itself. */
  #ended(process: Process, error: unknown): void {
    if (!process.alive) return;
    const code = error instanceof WeirError ? error.code : undefined;
    if (code === "partial_batch" && this.#sink.faults.tearsPartially) {
      this.#stoppedOnPartial = true;
      return;
    }
    if (code === undefined || !RESTARTED_CODES.includes(code)) {
      this.#world.violation(
        `${process.name} ended: ${error instanceof Error ? error.stack : error}`,
      );
    }
    process.die();
  }

  #restart(process: Process): void {
    this.#processes.splice(this.#processes.indexOf(process), 1);
    this.#world.after(this.#world.between(60, 1_500), () => this.#start(process.name));
  }

  #planFaults(): void {
    const world = this.#world;
    const times = (most: number, action: () => void) => {
      for (let i = world.whole(0, most); i > 0; i--) {
        world.after(world.between(0, FAULTS_UNTIL_MS), action);
      }
    };
    times(3, () => this.#anyProcess()?.die());
    times(2, () => this.#losePower());
    times(2, () => this.#freeze());
    times(2, () => this.#sink.losePower());
    times(1, () => {
      this.#disk.full = true;
      world.after(world.between(10, 800), () => this.#disk.full = false);
    });
    world.after(FAULTS_UNTIL_MS, () => {
      this.#sink.faults = {
        ...this.#sink.faults,
        refused: 0,
        answerLost: 0,
        slow: 0,
        unavailable: 0,
      };
      this.#broker.faults = { redelivers: 0, acknowledgementLost: 0 };
      for (const process of this.#processes) process.crashChance = 0;
    });
  }

  #anyProcess(): Process | undefined {
    return this.#processes[this.#world.random.below(this.#processes.length)];
  }

  #losePower(): void {
    this.#powerLosses++;
    for (const process of [...this.#processes]) process.die();
    this.#disk.losePower();
  }

  #freeze(): void {
    const process = this.#anyProcess();
    if (process === undefined || process.frozen) return;
    this.#freezes++;
    process.freeze();
    this.#world.after(this.#world.between(10, 4_000), () => process.thaw());
  }

  /** What the broker deletes must be in a checkpoint that a power loss now would leave, and in the sink. */
  #checkAcknowledged(partition: number, index: number): void {
    const observer = new Process(this.#world, "observer");
    const survivor = this.#disk.survivor();
    const store = new FileCheckpointStore(survivor.of(observer), FOLDER);
    const checkpoint = store.newest(partition);
    const position = checkpoint && readCheckpoint(checkpoint.bytes).position;
    const durable = position === undefined ? -1 : position.ledgerId * 7 + position.entryId;
    if (durable < index) {
      this.#world.violation(
        `partition ${partition} was acknowledged up to entry ${index}, its durable checkpoint stands at ${durable}`,
      );
    }
    if (this.#idleAfterMs !== undefined) return;
    const found = this.#foundKeys();
    for (const row of this.#expected[partition]!.rows) {
      if (row.closedAtEntry > index) continue;
      if (!found.has(`${partition}\n${row.windowStartMs}\n${row.source}`)) {
        this.#world.violation(
          `partition ${partition} was acknowledged up to entry ${index} before window ${row.windowStartMs} of ${row.source} was stored`,
        );
      }
    }
  }

  #foundKeys(): Set<string> {
    const rows = [...this.#sink.stored.values()].flat();
    return new Set(
      rows.map((row) => `${row["partition"]}\n${row["window_start"]}\n${row["event_source_id"]}`),
    );
  }

  /** The sink must hold exactly the expected rows, and the last checkpoints the account of the rest. */
  #checkEnd(): void {
    const store = new FileCheckpointStore(
      this.#disk.of(new Process(this.#world, "verifier")),
      FOLDER,
    );
    if (this.#idleAfterMs === undefined) this.#checkRows();
    this.#expected.forEach((expected, partition) => {
      const summary = readCheckpoint(store.newest(partition)!.bytes);
      if (this.#idleAfterMs === undefined) this.#checkLate(partition, expected, summary);
      this.#checkSums(partition, expected, summary);
    });
  }

  #checkRows(): void {
    const found = [...this.#sink.stored.values()].flat().map(
      ({ emitted_at: _, batch_id: __, run_id: ___, ...row }) => canonical(row),
    );
    const expected = this.#expected.flatMap(({ rows }) =>
      rows.map((row) => canonical(rowOf(row, this.#rule)))
    );
    const missing = expected.filter((row) => !found.includes(row));
    const extra = found.filter((row) => !expected.includes(row));
    if (missing.length > 0) this.#world.violation(`${missing.length} rows missing: ${missing[0]}`);
    if (extra.length > 0) this.#world.violation(`${extra.length} rows wrong: ${extra[0]}`);
    if (found.length !== expected.length) {
      this.#world.violation(`${found.length} rows stored, ${expected.length} expected`);
    }
  }

  #checkLate(partition: number, expected: Expected, summary: CheckpointSummary): void {
    const inRows = expected.rows.reduce((sum, row) => sum + row.messages.length, 0);
    this.#compare(partition, [
      [summary.messagesLate, expected.late.length, "late"],
      [summary.messagesAggregated, inRows, "aggregated"],
      [
        sumOf(summary.late.map((late) => late.identitySum)),
        identitySumOf(expected.late),
        "late identities",
      ],
    ]);
  }

  /** Every message is in one row or late, once: counts and identities add up, whichever windows were closed when. */
  #checkSums(partition: number, expected: Expected, summary: CheckpointSummary): void {
    const rows = [...this.#sink.stored.values()].flat()
      .filter((row) => row["partition"] === partition);
    const messages = [...expected.rows.flatMap((row) => row.messages), ...expected.late];
    const rowCount = rows.reduce((sum, row) => sum + Number(row["message_count"]), 0);
    const identities = [
      ...rows.map((row) => BigInt(row["identity_sum"]!)),
      ...summary.late.map((late) => late.identitySum),
    ];
    this.#compare(partition, [
      [rowCount + summary.messagesLate, messages.length, "messages in rows or late"],
      [sumOf(identities), identitySumOf(messages), "identities"],
      [summary.messagesDuplicated, expected.duplicates, "duplicates"],
      [summary.pendingBatchIds.length, 0, "pending batches"],
      [summary.openWindowCount, 0, "open windows"],
    ]);
  }

  #compare(
    partition: number,
    account: readonly (readonly [number | bigint, number | bigint, string])[],
  ): void {
    for (const [is, must, what] of account) {
      if (is === must) continue;
      this.#world.violation(`partition ${partition}: ${is} ${what}, expected ${must}`);
    }
  }
}

function sumOf(identities: readonly bigint[]): bigint {
  return BigInt.asUintN(64, identities.reduce((sum, identity) => sum + identity, 0n));
}

/** A row as text, with its columns in one order. */
function canonical(row: Readonly<Record<string, string | number>>): string {
  return JSON.stringify(Object.entries(row).sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * Two kinds of sink, each with all the faults under which exactly once is possible at all: one forgets its tokens, but can be
 * told to stop an insert; the other keeps tokens, but inserts may turn up after they were cancelled.
 */
function sinkFaults(world: World): SinkFaults {
  const forgetsTokens = world.chance(0.5);
  const often = world.chance(0.5) ? 1 : 0;
  return {
    refused: 0.05 * often,
    answerLost: 0.1 * often,
    slow: 0.1 * often,
    unavailable: 0.05 * often,
    forgetsTokens,
    cancelMisses: !forgetsTokens,
    tearsPartially: world.chance(0.1),
  };
}
