/** AVRO's binary encoding: an encoder and a reader of named fields, compiled for flat records, over avsc for all others. */
export { createEncoder } from "./encoder.ts";
export { recordFields } from "./fields.ts";
export type { RecordEncoder, RecordReader } from "./codec.ts";
export { AvroError } from "./errors.ts";
export type { AvroErrorCode, AvroErrorOptions } from "./errors.ts";
export { createReader } from "./reader.ts";
export { parseAvroSchema } from "./schema.ts";
export type { AvroSchema } from "./schema.ts";
export { writeLong } from "./_varint.ts";
