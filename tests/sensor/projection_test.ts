import assert from "node:assert/strict";
import fc from "fast-check";
import { AvroError } from "../../lib/avro/mod.ts";
import { sourceHash, utf8 } from "../../lib/base/mod.ts";
import { SENSOR_RECORD_BYTES_MAX } from "../../lib/sensor/_direct_encoder.ts";
import { createSensorProjection } from "../../lib/sensor/projection.ts";
import { type SensorRecord, sensorType } from "../../lib/sensor/schema.ts";
import { SensorStream } from "../../lib/sensor/sensor_stream.ts";

const SEED = 20_240_607;

function newStream(): SensorStream {
  return new SensorStream({
    seed: 9,
    partitionCount: 1,
    sourceCount: 3_000,
    startWallMs: 1_700_000_000_000,
    duplicateShare: 0.01,
    lateShare: 0.01,
    timeScale: 600,
  });
}

const firstRecord = (() => {
  const stream = newStream();
  stream.next(0);
  return stream.record();
})();

function sampleRecord(changes: Partial<SensorRecord> = {}): SensorRecord {
  return { ...firstRecord, ...changes };
}

Deno.test("read() gives what the stream says of each message, bit for bit", () => {
  const stream = newStream();
  const projection = createSensorProjection();
  const bytes = new Uint8Array(SENSOR_RECORD_BYTES_MAX);
  let anomalies = 0;
  for (let n = 0; n < 50_000; n++) {
    stream.next(n * 20);
    projection.read(bytes, 7, stream.encode(bytes, 7));
    assert.deepEqual([...projection.measures], [
      stream.temperatureC,
      stream.humidityPct,
      stream.pressureHpa,
      stream.vibrationMmS,
      stream.powerW,
    ]);
    assert.deepEqual([...projection.flags], [stream.isAnomaly, stream.isError]);
    assert.equal(projection.sequence, stream.sequence);
    assert.equal(projection.eventTimeMs, stream.eventTimeMs);
    assert.equal(projection.ingestTimeMs, stream.ingestTimeMs);
    assert.equal(
      projection.sourceName(projection.sourceSlot),
      stream.sourceName(stream.sourceIndex),
    );
    anomalies += stream.isAnomaly;
  }
  assert.ok(anomalies > 0);
  assert.equal(projection.sourceCount, 3_000);
});

Deno.test("read() names as many values as it gives", () => {
  const { measureNames, measures, flagNames, flags } = createSensorProjection();
  assert.deepEqual(measureNames, [
    "temperature_c",
    "humidity_pct",
    "pressure_hpa",
    "vibration_mm_s",
    "power_w",
  ]);
  assert.deepEqual(flagNames, ["anomaly_count", "error_count"]);
  assert.deepEqual([measures.length, flags.length], [5, 2]);
});

Deno.test("read() sets error_count for the status ERROR alone", () => {
  const projection = createSensorProjection();
  for (const [status, flag] of [["OK", 0], ["WARN", 0], ["ERROR", 1], ["OFFLINE", 0]] as const) {
    const bytes = sensorType.toBuffer(sampleRecord({ status }));
    projection.read(bytes, 0, bytes.length);
    assert.equal(projection.flags[1], flag);
  }
});

Deno.test("read() takes names of any length and script, and numbers them as they come", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "grapheme-ascii", maxLength: 400 }),
    fc.constantFrom("", "a", "\u0000", "sensor-00042", "sensor-00024", "Ünï-①", "\ufeffx", "x"),
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 300 }), (names) => {
      const projection = createSensorProjection();
      const slots = new Map<string, number>();
      for (const event_source_id of names) {
        const bytes = sensorType.toBuffer(sampleRecord({ event_source_id }));
        projection.read(bytes, 0, bytes.length);
        if (!slots.has(event_source_id)) slots.set(event_source_id, slots.size);
        assert.equal(projection.sourceSlot, slots.get(event_source_id));
      }
      assert.equal(projection.sourceCount, slots.size);
      for (const [text, slot] of slots) {
        assert.equal(projection.sourceName(slot), text);
        assert.equal(projection.sourceHash(slot), sourceHash(utf8(text)));
        assert.equal(projection.slotOf(text), slot);
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});

Deno.test("slotOf() numbers sources that read() then finds, also past growth of the table", () => {
  const projection = createSensorProjection();
  for (let i = 0; i < 20_000; i++) assert.equal(projection.slotOf(`device/${i}`), i);
  for (const i of [0, 1, 999, 19_999]) {
    const bytes = sensorType.toBuffer(sampleRecord({ event_source_id: `device/${i}` }));
    projection.read(bytes, 0, bytes.length);
    assert.equal(projection.sourceSlot, i);
  }
  assert.throws(() => projection.sourceName(20_000), RangeError);
  assert.throws(() => projection.sourceHash(-1), RangeError);
});

Deno.test("read() keeps a name when the batch's bytes are used again", () => {
  const projection = createSensorProjection();
  const bytes = Uint8Array.from(sensorType.toBuffer(sampleRecord()));
  projection.read(bytes, 0, bytes.length);
  bytes.fill(0);
  assert.equal(projection.sourceName(0), sampleRecord().event_source_id);
});

Deno.test("read() refuses each truncation, a byte too much, and a name that is not UTF-8", () => {
  const projection = createSensorProjection();
  const record = Uint8Array.from(sensorType.toBuffer(sampleRecord()));
  const bytes = new Uint8Array(record.length + 20);
  bytes.set(record, 10);
  const offsetOf = (length: number): number => {
    try {
      projection.read(bytes, 10, 10 + length);
    } catch (error) {
      assert.ok(error instanceof AvroError);
      return error.offset;
    }
    return -1;
  };
  for (let length = 0; length < record.length; length++) {
    const offset = offsetOf(length);
    assert.ok(offset >= 10 && offset <= 10 + length, `cut to ${length}: ${offset}`);
  }
  assert.equal(offsetOf(record.length), -1);
  assert.equal(offsetOf(record.length + 1), 10 + record.length);
  bytes[10 + 38] = 0xff;
  assert.equal(offsetOf(record.length), 10 + 38);
});
