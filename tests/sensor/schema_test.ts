import assert from "node:assert/strict";
import { DEVICE_TYPES, SENSOR_SCHEMA_JSON, sensorType, STATUSES } from "../../lib/sensor/mod.ts";

interface Field {
  readonly name: string;
  readonly type: unknown;
}

const FIELDS = (JSON.parse(SENSOR_SCHEMA_JSON) as { fields: Field[] }).fields;

Deno.test("SENSOR_SCHEMA_JSON has the 25 fields in their order", () => {
  assert.deepEqual(FIELDS.map(({ name }) => name), [
    "event_id",
    "event_source_id",
    "event_timestamp",
    "ingest_timestamp",
    "sequence",
    "site_id",
    "device_type",
    "firmware_version",
    "temperature_c",
    "humidity_pct",
    "pressure_hpa",
    "vibration_x_mm_s",
    "vibration_y_mm_s",
    "vibration_z_mm_s",
    "voltage_v",
    "current_a",
    "power_w",
    "battery_pct",
    "signal_dbm",
    "latitude",
    "longitude",
    "status",
    "error_code",
    "is_anomaly",
    "quality",
  ]);
  assert.ok(!SENSOR_SCHEMA_JSON.includes("\n"));
});

Deno.test("SENSOR_SCHEMA_JSON has the types that the windows and the brokers rely on", () => {
  const typeOf = (name: string) => FIELDS.find((field) => field.name === name)?.type;
  const timestamp = { type: "long", logicalType: "timestamp-millis" };
  assert.deepEqual(typeOf("event_timestamp"), timestamp);
  assert.deepEqual(typeOf("ingest_timestamp"), timestamp);
  assert.equal(typeOf("sequence"), "long");
  assert.deepEqual(typeOf("firmware_version"), ["null", "string"]);
  assert.deepEqual(typeOf("error_code"), ["null", "int"]);
  assert.equal(typeOf("quality"), "float");
  assert.equal(FIELDS.filter(({ type }) => type === "double").length, 12);
});

Deno.test("DEVICE_TYPES and STATUSES are the symbols of the schema", () => {
  const symbolsOf = (name: string) =>
    (FIELDS.find((field) => field.name === name)?.type as { symbols: string[] }).symbols;
  assert.deepEqual(symbolsOf("device_type"), [...DEVICE_TYPES]);
  assert.deepEqual(symbolsOf("status"), [...STATUSES]);
  assert.equal(sensorType.name, "weir.SensorRecord");
});
