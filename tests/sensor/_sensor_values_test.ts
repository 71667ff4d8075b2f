import assert from "node:assert/strict";
import { createFleet } from "../../lib/sensor/_fleet.ts";
import { SensorValues, vibrationMagnitude } from "../../lib/sensor/_sensor_values.ts";
import { mix32 } from "../../lib/base/mod.ts";
import { DEVICE_TYPES } from "../../lib/sensor/schema.ts";
import type { SensorRecord } from "../../lib/sensor/schema.ts";
import { SensorStream } from "../../lib/sensor/sensor_stream.ts";

const HOUR_MS = 3_600_000;

/** Records of one day of event time. */
function recordsOf(count: number): SensorRecord[] {
  const stream = new SensorStream({ seed: 5, partitionCount: 1, startWallMs: 1_700_000_000_000 });
  return Array.from({ length: count }, (_, n) => {
    stream.next(n * 24 * HOUR_MS * 1000 / count);
    return stream.record();
  });
}

const RECORDS = recordsOf(100_000);

function shareOf(accepts: (record: SensorRecord) => boolean, among = RECORDS): number {
  return among.filter(accepts).length / among.length;
}

function assertBetween(value: number, least: number, most: number, what: string): void {
  assert.ok(value >= least && value <= most, `${what} is ${value}, not ${least} to ${most}`);
}

Deno.test("fill() keeps each measure within what such a device can measure", () => {
  for (const record of RECORDS) {
    assertBetween(record.temperature_c, 5, 70, "temperature_c");
    assertBetween(record.humidity_pct, 40, 82, "humidity_pct");
    assertBetween(record.pressure_hpa, 950, 1025, "pressure_hpa");
    assertBetween(record.vibration_x_mm_s, 0, 30, "vibration_x_mm_s");
    assertBetween(record.voltage_v, 23, 410, "voltage_v");
    assertBetween(record.current_a, 0.02, 50, "current_a");
    assertBetween(record.battery_pct, 20, 100, "battery_pct");
    assertBetween(record.signal_dbm, -90, -40, "signal_dbm");
    assertBetween(record.latitude, 45, 55, "latitude");
    assertBetween(record.longitude, 5, 15, "longitude");
    assertBetween(record.quality, 0, 1, "quality");
    assert.equal(record.quality, Math.fround(record.quality));
  }
});

Deno.test("fill() makes power the product of voltage, current and the device's power factor", () => {
  const factors: Record<string, number> = {
    THERMOSTAT: 1,
    PUMP: 0.86,
    MOTOR: 0.82,
    METER: 0.97,
    GATEWAY: 1,
  };
  for (const record of RECORDS.slice(0, 2_000)) {
    const power = record.voltage_v * record.current_a * factors[record.device_type]!;
    assertBetween(record.power_w - power, -0.006, 0.006, "the difference");
  }
});

Deno.test("fill() gives values with no more digits than a device resolves", () => {
  for (const record of RECORDS.slice(0, 2_000)) {
    assert.equal(Number(record.temperature_c.toFixed(2)), record.temperature_c);
    assert.equal(Number(record.vibration_y_mm_s.toFixed(3)), record.vibration_y_mm_s);
    assert.equal(Number(record.current_a.toFixed(3)), record.current_a);
  }
});

Deno.test("fill() shakes pumps and motors, and not the rest", () => {
  for (const type of DEVICE_TYPES) {
    const ofType = RECORDS.filter((record) => record.device_type === type && !record.is_anomaly);
    const mean = ofType.reduce((sum, record) => sum + record.vibration_x_mm_s, 0) / ofType.length;
    if (type === "PUMP" || type === "MOTOR") assertBetween(mean, 2, 4, type);
    else assertBetween(mean, 0, 0.1, type);
  }
});

Deno.test("fill() makes afternoons warmer and drier than nights", () => {
  const fleet = createFleet({ seed: 1, sourceCount: 1, partitionCount: 1 });
  const values = new SensorValues(fleet);
  const meanAt = (hour: number, slot: number) => {
    let sum = 0;
    for (let i = 0; i < 200; i++) {
      values.fill(0, hour * HOUR_MS, mix32(i));
      sum += values.doubles[slot]!;
    }
    return sum / 200;
  };
  assert.ok(meanAt(15, 0) > meanAt(3, 0) + 8);
  assert.ok(meanAt(15, 1) < meanAt(3, 1) - 15);
});

Deno.test("fill() does not jump from one minute to the next", () => {
  const values = new SensorValues(createFleet({ seed: 1, sourceCount: 1, partitionCount: 1 }));
  let before: number | undefined;
  for (let minute = -1_500; minute < 3_000; minute++) {
    values.fill(0, minute * 60_000, 12_345);
    const temperature = values.doubles[0]!;
    if (before !== undefined) assertBetween(temperature - before, -0.1, 0.1, `minute ${minute}`);
    before = temperature;
  }
});

Deno.test("fill() is pure: the order of calls does not matter", () => {
  const fleet = createFleet({ seed: 3, sourceCount: 50, partitionCount: 1 });
  const fresh = (source: number, eventTimeMs: number) => {
    const values = new SensorValues(fleet);
    values.fill(source, eventTimeMs, source * 7919);
    return [...values.doubles, values.signalDbm, values.status, values.errorCode, values.quality];
  };
  const used = new SensorValues(fleet);
  for (let i = 0; i < 1_000; i++) {
    const source = mix32(i) % 50;
    // Back and forth over minutes, before 1970 too.
    const eventTimeMs = (mix32(i + 5) % 2_000_000_000) - 500_000;
    used.fill(source, eventTimeMs, source * 7919);
    const seen = [...used.doubles, used.signalDbm, used.status, used.errorCode, used.quality];
    assert.deepEqual(seen, fresh(source, eventTimeMs));
  }
});

Deno.test("fill() makes anomalies rare, hot and shaken", () => {
  assertBetween(shareOf((record) => record.is_anomaly), 0.0005, 0.0015, "share of anomalies");
  for (const record of RECORDS.filter((record) => record.is_anomaly)) {
    assert.ok(record.temperature_c > 34, `${record.temperature_c}`);
    assert.notEqual(record.status, "OK");
  }
});

Deno.test("fill() gives an error code where the status is ERROR, and nowhere else", () => {
  assertBetween(shareOf((record) => record.status === "ERROR"), 0.001, 0.004, "share of ERROR");
  assertBetween(shareOf((record) => record.status === "WARN"), 0.005, 0.02, "share of WARN");
  assert.ok(RECORDS.some((record) => record.status === "OFFLINE"));
  for (const record of RECORDS) {
    assert.equal(record.error_code !== null, record.status === "ERROR");
  }
});

Deno.test("the fleet has all device types, twenty sites, and some firmware untold", () => {
  assert.equal(new Set(RECORDS.map((record) => record.device_type)).size, 5);
  assert.equal(new Set(RECORDS.map((record) => record.site_id)).size, 20);
  assertBetween(shareOf((record) => record.firmware_version === null), 0.05, 0.15, "share of null");
});

Deno.test("vibrationMagnitude() is the length of the vector", () => {
  assert.equal(vibrationMagnitude(3, 4, 12), 13);
  assert.equal(vibrationMagnitude(0, 0, 0), 0);
});
