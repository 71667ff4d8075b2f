import { createAvscEncoder } from "./_avsc_encoder.ts";
import { compileEncoder } from "./_compiled_encoder.ts";
import type { RecordEncoder } from "./codec.ts";
import { type AvroSchema, flatFieldsOf } from "./schema.ts";

/**
 * An encoder for a schema: compiled for flat records, avsc's for all others.
 *
 * @example
 * ```ts
 * import { createEncoder, parseAvroSchema } from "./mod.ts";
 * import assert from "node:assert/strict";
 * const schema = parseAvroSchema('{"type":"record","name":"R","fields":[{"name":"n","type":"int"}]}');
 * const bytes = new Uint8Array(8);
 * assert.equal(createEncoder(schema).encode({ n: 1 }, bytes, 3), 4);
 * assert.equal(bytes[3], 2);
 * ```
 */
export function createEncoder(schema: AvroSchema): RecordEncoder {
  const fields = flatFieldsOf(schema);
  return fields === undefined ? createAvscEncoder(schema) : compileEncoder(fields);
}
