/**
 * CPU a message of the aggregation, dedupe, watermark and windows, as the aggregator runs it on SensorRecords of 1,000 sources:
 *
 *     deno run --allow-read --allow-env tests/bench/stream_bench.ts
 *
 * Figures are user + system CPU time of the process. Warm-up 3 rounds, then 12; median, and smallest to largest. The projection is measured
 * alone in the same rounds; what is left of the whole is the aggregation. Closing a window (rows, hash) and a checkpoint are told per row.
 */
import process from "node:process";
import {
  createSensorProjection,
  SENSOR_RECORD_BYTES_MAX,
  SensorStream,
} from "../../lib/sensor/mod.ts";
import { encodeCheckpoint } from "../../lib/stream/checkpoint.ts";
import { PartitionState } from "../../lib/stream/partition_state.ts";

const ENTRIES = 200;
const BATCH = 1_000;
const ROUNDS = 12;
const WARM_UP_ROUNDS = 3;
const CONFIGURATION = {
  runId: "bench",
  partition: 0,
  windowSizeMs: 60_000,
  outOfOrdernessMs: 5_000,
  allowedLatenessMs: 0,
};

const stream = new SensorStream({ seed: 1, partitionCount: 1, startWallMs: 1_700_000_000_000 });
const entries = Array.from({ length: ENTRIES }, (_, entry) => {
  const bytes = new Uint8Array(BATCH * SENSOR_RECORD_BYTES_MAX);
  const bounds = new Uint32Array(2 * BATCH);
  let end = 0;
  for (let i = 0; i < BATCH; i++) {
    stream.next((entry * BATCH + i) / 50);
    bounds[2 * i] = end;
    bounds[2 * i + 1] = end = stream.encode(bytes, end);
  }
  return {
    partition: 0,
    position: { ledgerId: 0, entryId: entry },
    messageCount: BATCH,
    bytes: bytes.slice(0, end),
    bounds,
    publishTimeMs: 0,
    properties: {},
  };
});

function cpuNs(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

function project(): void {
  const projection = createSensorProjection();
  for (const { bytes, bounds } of entries) {
    for (let i = 0; i < BATCH; i++) projection.read(bytes, bounds[2 * i]!, bounds[2 * i + 1]!);
  }
}

function newState() {
  const projection = createSensorProjection();
  const { measureNames, flagNames } = projection;
  const state = new PartitionState({ ...CONFIGURATION, measureNames, flagNames });
  return { projection, state };
}

function summary(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, middle, high] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  return `${middle.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`;
}

const figures = { projection: [], whole: [], checkpoint: [], close: [] } as Record<
  "projection" | "whole" | "checkpoint" | "close",
  number[]
>;
let checkpointBytes = 0;
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  const { projection, state } = newState();
  const messages = ENTRIES * BATCH;
  const alone = cpuNs(project) / messages;
  const whole = cpuNs(() => entries.forEach((entry) => state.handle(entry, projection, undefined)));
  const checkpoint = cpuNs(() => {
    checkpointBytes = encodeCheckpoint(state, projection, []).length;
  });
  state.watermark.end();
  const close = cpuNs(() => state.closeWindows(projection, { batchRows: 1_000, emittedAtMs: 0 }));
  if (round < 0) continue;
  figures.projection.push(alone);
  figures.whole.push(whole / messages);
  figures.checkpoint.push(checkpoint / 1e6);
  figures.close.push(close / 1e6);
}
const aggregation = figures.whole.map((whole, round) => whole - figures.projection[round]!);
console.log(`projection and aggregation  ${summary(figures.whole)} ns a message`);
console.log(`projection alone            ${summary(figures.projection)} ns a message`);
console.log(`aggregation                 ${summary(aggregation)} ns a message`);
console.log(`closing a window of 1,000 sources  ${summary(figures.close)} ms`);
console.log(
  `snapshot of a checkpoint           ${summary(figures.checkpoint)} ms, ${checkpointBytes} bytes`,
);
