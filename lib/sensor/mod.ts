/** The SensorRecord: its schema, the seeded stream of messages with its direct encoder, and the projection for the windows. */
export { SENSOR_RECORD_BYTES_MAX } from "./_direct_encoder.ts";
export { SOURCE_COUNT_MAX } from "./plan.ts";
export type { SensorPlan } from "./plan.ts";
export { createSensorProjection } from "./projection.ts";
export { DEVICE_TYPES, SENSOR_SCHEMA_JSON, sensorType, STATUSES } from "./schema.ts";
export type { DeviceType, SensorRecord, SensorStatus } from "./schema.ts";
export { PLANTED_DUPLICATE, PLANTED_LATE, PLANTED_NONE, SensorStream } from "./sensor_stream.ts";
