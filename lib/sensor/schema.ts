import avro from "avsc";
// Read as text: an import of type "json" wants a name that ends in .json, and an AVRO schema's is .avsc.
import schemaText from "./sensor_record.avsc" with { type: "text" };

/** The schema of SensorRecord as JSON text on one line, as a broker's schema registration wants it. */
export const SENSOR_SCHEMA_JSON: string = JSON.stringify(JSON.parse(schemaText));

/** The schema as avsc parsed it: for everything off the hot path. */
export const sensorType: avro.Type = avro.Type.forSchema(
  JSON.parse(SENSOR_SCHEMA_JSON) as avro.Schema,
);

/** Symbols of `device_type`, in the order of the schema. */
export const DEVICE_TYPES = ["THERMOSTAT", "PUMP", "MOTOR", "METER", "GATEWAY"] as const;
/** One of {@link DEVICE_TYPES}. */
export type DeviceType = typeof DEVICE_TYPES[number];

/** Symbols of `status`, in the order of the schema. */
export const STATUSES = ["OK", "WARN", "ERROR", "OFFLINE"] as const;
/** One of {@link STATUSES}. */
export type SensorStatus = typeof STATUSES[number];

/** A SensorRecord as an object; the names are those of the AVRO schema. */
export interface SensorRecord {
  readonly event_id: string;
  readonly event_source_id: string;
  /** Event time, ms since 1970. */
  readonly event_timestamp: number;
  /** Intended send time, ms since 1970. */
  readonly ingest_timestamp: number;
  readonly sequence: number;
  readonly site_id: number;
  readonly device_type: DeviceType;
  readonly firmware_version: string | null;
  readonly temperature_c: number;
  readonly humidity_pct: number;
  readonly pressure_hpa: number;
  readonly vibration_x_mm_s: number;
  readonly vibration_y_mm_s: number;
  readonly vibration_z_mm_s: number;
  readonly voltage_v: number;
  readonly current_a: number;
  readonly power_w: number;
  readonly battery_pct: number;
  readonly signal_dbm: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly status: SensorStatus;
  readonly error_code: number | null;
  readonly is_anomaly: boolean;
  readonly quality: number;
}
