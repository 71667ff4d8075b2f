import assert from "node:assert/strict";
import { FakeClock, seededRandom } from "../../lib/base/mod.ts";
import type { MessageBatch, Position, Source, SourceHandler } from "../../lib/contract.ts";
import { END_MARKER_PROPERTY } from "../../lib/contract.ts";
import { readCheckpoint } from "../../lib/stream/checkpoint.ts";
import { StreamError } from "../../lib/stream/errors.ts";
import { FileCheckpointStore } from "../../lib/stream/file_checkpoint_store.ts";
import type { PipelineHooks } from "../../lib/stream/hooks.ts";
import type { PipelineOptions } from "../../lib/stream/pipeline.ts";
import { Pipeline } from "../../lib/stream/pipeline.ts";
import type { TestMessage } from "../simulation/messages.ts";
import { encodeMessages, TestProjection } from "../simulation/messages.ts";
import { SimDisk } from "../simulation/sim_disk.ts";
import { Process, World } from "../simulation/world.ts";

const CONFIGURATION = {
  runId: "run",
  windowSizeMs: 1_000,
  outOfOrdernessMs: 0,
  allowedLatenessMs: 0,
};

/** A source that hands over what the test says, when it says so. */
class HandSource implements Source {
  readonly systemName = "by hand";
  readonly acknowledged: [number, Position][] = [];
  readonly idle = new Set<number>();
  handler!: SourceHandler;
  failAcknowledge: Error | undefined;
  #entries = 0;

  constructor(readonly partitionCount: number) {}

  run(handler: SourceHandler, signal: AbortSignal): Promise<void> {
    this.handler = handler;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  }

  acknowledge(partition: number, position: Position): Promise<void> {
    if (this.failAcknowledge !== undefined) return Promise.reject(this.failAcknowledge);
    this.acknowledged.push([partition, position]);
    return Promise.resolve();
  }

  isIdle(partition: number): Promise<boolean> {
    return Promise.resolve(this.idle.has(partition));
  }

  async [Symbol.asyncDispose]() {}

  give(partition: number, eventTimesMs: readonly number[], from = 0): void | Promise<void> {
    const messages: TestMessage[] = eventTimesMs.map((eventTimeMs, i) => ({
      source: `s${partition}`,
      sequence: from + i,
      eventTimeMs,
      ingestTimeMs: 5,
      temperature: 1,
      pressure: 1,
      anomaly: false,
    }));
    return this.handler.batch(this.#batch(partition, messages, {}));
  }

  end(partition: number): void | Promise<void> {
    return this.handler.batch(this.#batch(partition, [], { [END_MARKER_PROPERTY]: "1" }));
  }

  #batch(
    partition: number,
    messages: readonly TestMessage[],
    properties: Record<string, string>,
  ): MessageBatch {
    return {
      partition,
      position: { ledgerId: 0, entryId: this.#entries++ },
      messageCount: messages.length,
      ...encodeMessages(messages),
      publishTimeMs: 0,
      properties,
    };
  }
}

/** A sink that stores at once, or holds everything back until it is let go. */
class MapSink {
  readonly systemName = "map";
  readonly stored = new Map<string, number>();
  held: (() => void)[] | undefined;

  async insert(batch: { batchId: string; rows: readonly unknown[] }) {
    if (this.held !== undefined) await new Promise<void>((resolve) => this.held!.push(resolve));
    this.stored.set(batch.batchId, batch.rows.length);
    return { bytes: 7 };
  }

  count(batch: { batchId: string }) {
    return Promise.resolve(this.stored.get(batch.batchId) ?? 0);
  }

  async cancel() {}
  async [Symbol.asyncDispose]() {}
}

interface Setting {
  readonly source: HandSource;
  readonly sink: MapSink;
  readonly store: FileCheckpointStore;
  readonly clock: FakeClock;
  readonly pipeline: Pipeline;
  readonly events: string[];
  /** Lets everything that can happen without more time happen. */
  settle(): Promise<void>;
  /** How `run` ended. */
  readonly ended: Promise<unknown>;
}

function set(
  partitionCount: number,
  over: Omit<Partial<PipelineOptions>, "store"> & { readonly store?: FileCheckpointStore } = {},
): Setting {
  const world = new World(1);
  const disk = instantDisk(world);
  const store = over.store ?? new FileCheckpointStore(disk, "checkpoints");
  const source = new HandSource(partitionCount);
  const sink = new MapSink();
  const clock = new FakeClock(1_000_000);
  const events: string[] = [];
  const pipeline = new Pipeline({
    configuration: CONFIGURATION,
    source,
    sink,
    store,
    clock,
    random: seededRandom(1),
    newProjection: () => new TestProjection(),
    hooks: namingHooks(events),
    ...over,
  });
  const ended = pipeline.run(new AbortController().signal).then(() => undefined, (error) => error);
  return { source, sink, store, clock, pipeline, events, settle: () => clock.advance(0), ended };
}

/** The simulation's disk without waiting. */
function instantDisk(world: World) {
  const process = new Process(world, "test");
  process.ask = (_delayMs, answer) => Promise.resolve(answer());
  return new SimDisk(world).of(process);
}

function namingHooks(events: string[]): PipelineHooks {
  return {
    onAggregated: ({ partition, intended }) =>
      events.push(`aggregated ${partition} ${intended.timesMs[0]}×${intended.counts[0]}`),
    onWindowVisible: ({ batchId, closedBy, windowVisibleUs, recovered }) =>
      events.push(`visible ${batchId} ${closedBy} ${windowVisibleUs} ${recovered}`),
    onInsert: ({ batchId, rows, bytes }) => events.push(`insert ${batchId} ${rows} ${bytes}`),
    onCheckpoint: ({ partition, bytes }) =>
      events.push(`checkpoint ${partition} ${bytes > 0 ? "full" : "empty"}`),
    onAcknowledged: (partition, { entryId }) => events.push(`acknowledged ${partition} ${entryId}`),
    onDrained: (partition) => events.push(`drained ${partition}`),
    onOwnerLost: (partition) => events.push(`lost ${partition}`),
  };
}

Deno.test("Pipeline closes a window, checkpoints, stores and acknowledges, in this order", async () => {
  const { source, settle, events } = set(1);
  assert.equal(await source.handler.activated(0), undefined);
  source.give(0, [100, 200]);
  await settle();
  assert.deepEqual(events, ["aggregated 0 5×2"]);
  source.give(0, [1_000], 2);
  await settle();
  assert.deepEqual(events.slice(1), [
    "aggregated 0 5×1",
    "checkpoint 0 full",
    "insert run:0:0:0 1 7",
    "visible run:0:0:0 watermark 0 false",
    "acknowledged 0 1",
  ]);
});

Deno.test("Pipeline drains on end markers: last checkpoint, all acknowledged, run ends", async () => {
  const { source, store, settle, events, pipeline, ended } = set(2);
  for (const partition of [0, 1]) await source.handler.activated(partition);
  source.give(0, [100]);
  source.end(0);
  await settle();
  assert(events.includes("drained 0"));
  assert(events.includes("visible run:0:0:0 end_marker 0 false"));
  source.end(1);
  await settle();
  await pipeline.drained();
  assert.equal(await ended, undefined);
  const summary = readCheckpoint(store.newest(0)!.bytes);
  assert.deepEqual([summary.ended, summary.pendingBatchIds, summary.openWindowCount], [
    true,
    [],
    0,
  ]);
  assert.deepEqual(source.acknowledged.at(-1), [1, { ledgerId: 0, entryId: 2 }]);
});

Deno.test("Pipeline acknowledges nothing before the batches of its checkpoint are stored", async () => {
  const { source, sink, settle, events } = set(1);
  sink.held = [];
  await source.handler.activated(0);
  source.give(0, [100]);
  source.give(0, [1_500], 1);
  await settle();
  assert(events.includes("checkpoint 0 full"));
  assert.deepEqual(source.acknowledged, []);
  sink.held.shift()!();
  await settle();
  assert.equal(source.acknowledged.length, 1);
});

Deno.test("Pipeline goes on from its checkpoint, and stores what was pending", async () => {
  const first = set(1);
  first.sink.held = [];
  await first.source.handler.activated(0);
  first.source.give(0, [100]);
  first.source.give(0, [1_500], 1);
  await first.settle();
  // The first is gone, as if it had been killed: its insert never came through.
  const second = set(1, { store: first.store });
  assert.deepEqual(await second.source.handler.activated(0), { ledgerId: 0, entryId: 1 });
  await second.settle();
  assert.deepEqual([...second.sink.stored], [["run:0:0:0", 1]]);
  assert(second.events.includes("visible run:0:0:0 watermark 0 true"));
  second.source.give(0, [100]);
  second.source.give(0, [1_500], 1);
  assert.equal(second.pipeline.counters()[0]?.entriesSkipped, 2);
  second.source.end(0);
  await second.settle();
  assert.deepEqual([...second.sink.stored], [["run:0:0:0", 1], ["run:0:1000:0", 1]]);
});

Deno.test("Pipeline refuses a checkpoint of another configuration", async () => {
  const first = set(1);
  await first.source.handler.activated(0);
  first.source.give(0, [100]);
  first.source.give(0, [1_500], 1);
  await first.settle();
  const configuration = { ...CONFIGURATION, windowSizeMs: 2_000 };
  const second = set(1, { store: first.store, configuration });
  await assert.rejects(
    second.source.handler.activated(0),
    (error) => error instanceof StreamError && error.code === "configuration_changed",
  );
  assert(await second.ended instanceof StreamError);
});

Deno.test("Pipeline checkpoints a partition that changes at least once an interval, and no other", async () => {
  const { source, clock, events } = set(2, { checkpointIntervalMs: 500 });
  for (const partition of [0, 1]) await source.handler.activated(partition);
  source.give(0, [100]);
  await clock.advance(499);
  assert(!events.includes("checkpoint 0 full"));
  await clock.advance(1);
  assert.deepEqual(events.filter((event) => event.startsWith("checkpoint")), ["checkpoint 0 full"]);
  await clock.advance(2_000);
  assert.equal(events.filter((event) => event.startsWith("checkpoint")).length, 1);
  assert.deepEqual(source.acknowledged, [[0, { ledgerId: 0, entryId: 0 }]]);
});

Deno.test("Pipeline holds the reader while too many batches are pending", async () => {
  const { source, sink, settle } = set(1, { pendingBatchesMax: 1 });
  sink.held = [];
  await source.handler.activated(0);
  source.give(0, [100]);
  assert.equal(source.give(0, [1_500], 1), undefined);
  let free = false;
  const waiting = Promise.resolve(source.give(0, [2_500], 2)).then(() => free = true);
  await settle();
  assert.equal(free, false);
  sink.held.shift()!();
  await settle();
  await waiting;
  assert.equal(free, true);
});

Deno.test("Pipeline lets the watermark of an idle partition follow the lowest of the active ones", async () => {
  const { source, sink, clock, store } = set(3, { idleAfterMs: 1_000 });
  for (const partition of [0, 1, 2]) await source.handler.activated(partition);
  source.give(0, [100]);
  source.give(1, [9_500]);
  source.give(2, [5_500]);
  source.idle.add(0);
  await clock.advance(900);
  assert.deepEqual([...sink.stored], []);
  await clock.advance(600);
  assert.deepEqual([...sink.stored], [["run:0:0:0", 1]]);
  assert.equal(readCheckpoint(store.newest(0)!.bytes).followedWatermarkMs, 5_500);
});

Deno.test("Pipeline does not take a stalled partition for an idle one, nor follow when all are idle", async () => {
  const { source, sink, clock } = set(2, { idleAfterMs: 1_000 });
  for (const partition of [0, 1]) await source.handler.activated(partition);
  source.give(0, [100]);
  source.give(1, [9_500]);
  await clock.advance(5_000);
  assert.deepEqual([...sink.stored], []);
  source.idle.add(0);
  source.idle.add(1);
  await clock.advance(5_000);
  assert.deepEqual([...sink.stored], []);
});

Deno.test("Pipeline does nothing more for a partition that another owner has, and lets it go when told", async () => {
  const { source, sink, store, settle, events, ended } = set(1);
  await source.handler.activated(0);
  source.give(0, [100]);
  await store.acquire(0);
  source.give(0, [1_500], 1);
  await settle();
  assert(events.includes("lost 0"));
  assert.deepEqual([[...sink.stored], source.acknowledged], [[], []]);
  const held = Promise.resolve(source.give(0, [2_500], 2));
  await source.handler.deactivated(0);
  await held;
  assert.deepEqual(await source.handler.activated(0), undefined);
  source.end(0);
  await settle();
  assert.equal(await ended, undefined);
});

Deno.test("Pipeline ends when its source goes on reading what another owner has", async () => {
  const { source, store, clock, ended } = set(1, { staleGraceMs: 3_000 });
  await source.handler.activated(0);
  await store.acquire(0);
  source.give(0, [100, 1_500]);
  await clock.advance(3_001);
  const error = await ended;
  assert(error instanceof StreamError && error.code === "stale_owner");
  assert.match(error.message, /epoch 1 was replaced by 2, and the source still reads it/);
});

Deno.test("Pipeline ends when a checkpoint cannot be saved, and stores nothing", async () => {
  const { source, sink, store, settle, ended, pipeline } = set(1);
  const failure = new StreamError("disk full", { code: "checkpoint_failed" });
  store.save = () => Promise.reject(failure);
  await source.handler.activated(0);
  source.give(0, [100, 1_500]);
  await settle();
  assert.equal(await ended, failure);
  await assert.rejects(pipeline.drained(), failure);
  assert.throws(() => source.give(0, [3_000], 2), failure);
  assert.deepEqual([[...sink.stored], source.acknowledged], [[], []]);
});

Deno.test("Pipeline ends when the broker takes no acknowledgement for too long", async () => {
  const { source, clock, ended } = set(1, { retry: { retryForMs: 500 } });
  source.failAcknowledge = new Error("connection closed");
  await source.handler.activated(0);
  source.give(0, [100, 1_500]);
  await clock.advance(10_000);
  const error = await ended;
  assert(error instanceof StreamError && error.code === "acknowledge_failed");
  assert.match(error.message, /partition 0 up to 0:0: connection closed/);
});

Deno.test("Pipeline ends on a message that it cannot read", async () => {
  const { source, ended } = set(1);
  await source.handler.activated(0);
  const batch = {
    partition: 0,
    position: { ledgerId: 0, entryId: 0 },
    messageCount: 1,
    bytes: new Uint8Array(3),
    bounds: Uint32Array.of(0, 3),
    publishTimeMs: 0,
    properties: {},
  };
  assert.throws(() => source.handler.batch(batch), StreamError);
  assert.equal((await ended as StreamError).code, "unreadable_message");
});

Deno.test("Pipeline stops at once when it is told to, without an error", async () => {
  const source = new HandSource(1);
  const stop = new AbortController();
  const world = new World(1);
  const pipeline = new Pipeline({
    configuration: CONFIGURATION,
    source,
    sink: new MapSink(),
    store: new FileCheckpointStore(instantDisk(world), "checkpoints"),
    clock: new FakeClock(),
    random: seededRandom(1),
    newProjection: () => new TestProjection(),
  });
  const running = pipeline.run(stop.signal);
  await source.handler.activated(0);
  source.give(0, [100]);
  stop.abort(new Error("second Ctrl-C"));
  await running;
});

Deno.test("Pipeline lets the last of two crossing activations stand", async () => {
  const { source, settle, pipeline } = set(1);
  const both = [source.handler.activated(0), source.handler.activated(0)];
  await Promise.all(both);
  source.give(0, [100]);
  await settle();
  assert.equal(pipeline.counters().length, 1);
  assert.equal(pipeline.counters()[0]?.messagesRead, 1);
});

Deno.test("Pipeline.counters() accounts for every message read", async () => {
  const { source, pipeline } = set(1);
  await source.handler.activated(0);
  source.give(0, [5_000, 100]);
  source.give(0, [5_000]);
  const [counters] = pipeline.counters();
  assert.deepEqual(counters, {
    partition: 0,
    messagesRead: 3,
    messagesAggregated: 1,
    messagesDuplicated: 1,
    messagesLate: 1,
    entriesSkipped: 0,
    watermarkMs: 5_000,
    openWindows: 1,
    pendingBatches: 0,
    position: { ledgerId: 0, entryId: 1 },
  });
});

Deno.test("Pipeline refuses options that cannot be", () => {
  const bad: [Parameters<typeof set>[1], RegExp][] = [
    [{ batchRows: 0 }, /batchRows is 0/],
    [{ pendingBatchesMax: 1.5 }, /pendingBatchesMax is 1.5/],
    [{ checkpointIntervalMs: -1 }, /checkpointIntervalMs is -1/],
    [{ configuration: { ...CONFIGURATION, runId: "a'b" } }, /run id "a'b"/],
  ];
  for (const [over, message] of bad) assert.throws(() => set(1, over), message);
});
