/**
 * CPU a message of the hot path, each part beside the one it replaces:
 *
 *     deno run --allow-read --allow-env tests/bench/hot_path_bench.ts
 *
 * Figures are user + system CPU time of the process, so that a busy machine moves them little; garbage collection is in them. Every round runs all
 * parts one after the other and begins with a reference loop (mix32, dependent), whose spread says how quiet the machine is.
 * Warm-up 3 rounds, then 12; median, and smallest to largest.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { createEncoder, createReader } from "../../lib/avro/mod.ts";
import { mix32 } from "../../lib/base/mod.ts";
import {
  createSensorProjection,
  SENSOR_RECORD_BYTES_MAX,
  SENSOR_SCHEMA_JSON,
  SensorStream,
  sensorType,
} from "../../lib/sensor/mod.ts";
import avro from "avsc";
import { closureEncoder, closureReader } from "./_closures.ts";

const MESSAGES = 10_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 12;
const PROJECTED = [
  "event_source_id",
  "event_timestamp",
  "ingest_timestamp",
  "sequence",
  "temperature_c",
  "humidity_pct",
  "pressure_hpa",
  "vibration_x_mm_s",
  "vibration_y_mm_s",
  "vibration_z_mm_s",
  "power_w",
  "status",
  "is_anomaly",
];

interface Part {
  readonly name: string;
  /** Handles all messages `repeats` times; what it returns depends on each, so that nothing is optimised away. */
  readonly run: () => number;
  readonly repeats: number;
}

const plan = { seed: 1, partitionCount: 4, startWallMs: 1_700_000_000_000 };
const source = new SensorStream(plan);
const records: unknown[] = [];
const bytes = new Uint8Array(MESSAGES * SENSOR_RECORD_BYTES_MAX);
const bounds = new Uint32Array(2 * MESSAGES);
let filledBytes = 0;
for (let n = 0; n < MESSAGES; n++) {
  source.next(n * 20);
  records.push(source.record());
  bounds[2 * n] = filledBytes;
  filledBytes = bounds[2 * n + 1] = source.encode(bytes, filledBytes);
}

const target = new Uint8Array(bytes.length);
const targetBuffer = Buffer.from(target.buffer);
const inputBuffer = Buffer.from(bytes.buffer);

/** All records behind one another through an encoder. */
function encodeAll(encode: (record: unknown, at: number) => number): number {
  let at = 0;
  for (let n = 0; n < MESSAGES; n++) at = encode(records[n], at);
  return at;
}

function decodeAll(decode: (start: number, end: number) => number): number {
  let sum = 0;
  for (let n = 0; n < MESSAGES; n++) sum += decode(bounds[2 * n]!, bounds[2 * n + 1]!);
  return sum;
}

/** Walks on through one stream; setting a stream up is not of the hot path. */
function streamAll(visit: (stream: SensorStream, at: number) => number): () => number {
  const stream = new SensorStream(plan);
  return () => {
    let at = 0;
    for (let n = 0; n < MESSAGES; n++) {
      stream.next(stream.index * 20);
      at = visit(stream, n % 1000 === 0 ? 0 : at);
    }
    return at;
  };
}

function makeParts(): Part[] {
  return [
    { name: "reference: mix32, dependent", repeats: 10, run: referenceLoop },
    ...encodingParts(),
    ...decodingParts(),
  ];
}

function encodingParts(): Part[] {
  const compiledEncoder = createEncoder(sensorType);
  const closures = closureEncoder(sensorType);
  const skipping = new SensorStream({ ...plan, lateShare: 0.01, duplicateShare: 0.01 });
  const skipped = () => {
    skipping.skipTo(skipping.index + 1 + MESSAGES * 10, (n) => n * 20);
    return skipping.index;
  };
  return [
    {
      name: "encode: avsc toBuffer",
      repeats: 1,
      run: () => encodeAll((record, at) => at + sensorType.toBuffer(record).length),
    },
    {
      name: "encode: avsc into the batch",
      repeats: 1,
      run: () => encodeAll((record, at) => sensorType.encode(record, targetBuffer, at)),
    },
    {
      name: "encode: closures from object",
      repeats: 1,
      run: () => encodeAll((record, at) => closures(record, target, at)),
    },
    {
      name: "encode: compiled from object",
      repeats: 1,
      run: () => encodeAll((record, at) => compiledEncoder.encode(record, target, at)),
    },
    {
      name: "generate: next() and values",
      repeats: 1,
      run: streamAll((stream, at) => at + stream.temperatureC),
    },
    {
      name: "generate and encode: direct",
      repeats: 1,
      run: streamAll((stream, at) => stream.encode(target, at)),
    },
    { name: "generate: skipTo(), late and doubled ones", repeats: 10, run: skipped },
  ];
}

function decodingParts(): Part[] {
  const reader = createReader(sensorType, PROJECTED);
  const closureRead = closureReader(sensorType, PROJECTED);
  const projection = createSensorProjection();
  const named = JSON.parse(SENSOR_SCHEMA_JSON) as { fields: { name: string }[] };
  named.fields = named.fields.filter(({ name }) => PROJECTED.includes(name));
  const narrow = avro.Type.forSchema(named as unknown as avro.Schema);
  const resolver = narrow.createResolver(sensorType);
  return [
    {
      name: "decode: avsc, all fields",
      repeats: 1,
      run: () =>
        decodeAll((start) =>
          (sensorType.decode(inputBuffer, start).value as { sequence: number }).sequence
        ),
    },
    {
      name: "decode: avsc, projected",
      repeats: 1,
      run: () =>
        decodeAll((start) =>
          (narrow.decode(inputBuffer, start, resolver).value as { sequence: number }).sequence
        ),
    },
    {
      name: "decode: closures, projected",
      repeats: 1,
      run: () =>
        decodeAll((start, end) => {
          closureRead.read(bytes, start, end);
          return closureRead.numbers[3]!;
        }),
    },
    {
      name: "decode: compiled, projected",
      repeats: 1,
      run: () =>
        decodeAll((start, end) => {
          reader.read(bytes, start, end);
          return reader.numbers[3]!;
        }),
    },
    {
      name: "project: compiled, and source by bytes",
      repeats: 1,
      run: () =>
        decodeAll((start, end) => {
          projection.read(bytes, start, end);
          return projection.measures[3]! + projection.sourceSlot;
        }),
    },
  ];
}

function referenceLoop(): number {
  let value = 1;
  for (let i = 0; i < MESSAGES * 10; i++) value = mix32(value);
  return value;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The part again and again for at least 60 ms of CPU: the clock of the process has steps. */
function cpuNsPerMessage({ run, repeats }: Part): number {
  const start = cpuUs();
  let passes = 0;
  let sum = 0;
  let spentUs = 0;
  while (spentUs < 60_000) {
    sum += run();
    passes++;
    spentUs = cpuUs() - start;
  }
  if (Number.isNaN(sum)) throw new Error("a part gave no number");
  return (spentUs * 1000) / (passes * repeats * MESSAGES);
}

const parts = makeParts();
const samples = parts.map((): number[] => []);
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
  parts.forEach((part, i) => {
    const ns = cpuNsPerMessage(part);
    if (round >= WARM_UP_ROUNDS) samples[i]!.push(ns);
  });
}

console.log(
  `deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${navigator.hardwareConcurrency} cores, ` +
    `${Math.round(filledBytes / MESSAGES)} bytes a record`,
);
console.log("CPU ns a message".padEnd(42), " median", "   min", "   max");
parts.forEach(({ name }, i) => {
  const sorted = samples[i]!.toSorted((a, b) => a - b);
  const shown = [sorted[sorted.length >> 1]!, sorted[0]!, sorted[sorted.length - 1]!];
  console.log(name.padEnd(42), ...shown.map((ns) => ns.toFixed(1).padStart(6)));
});
