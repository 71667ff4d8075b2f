import { createAvscEncoder } from "./_avsc_encoder.ts";
import { compileEncoder } from "./_compiled_encoder.ts";
import { type AvroSchema, flatFieldsOf } from "./schema.ts";

/** Writes values of one schema. */
export interface RecordEncoder {
  /** Whether the code was compiled for this schema, or avsc does the work. */
  readonly isCompiled: boolean;
  /**
   * Writes a value into `bytes` from `offset` on.
   *
   * @param value as avsc takes it; a string may also be given as its UTF-8 bytes
   * @returns one past the last byte written
   * @throws {AvroError} `invalid_value` or `no_room`; bytes from `offset` on may have changed then
   */
  encode(value: unknown, bytes: Uint8Array, offset: number): number;
}

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
