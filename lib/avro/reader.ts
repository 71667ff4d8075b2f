import { createAvscReader } from "./_avsc_reader.ts";
import { compileReader } from "./_compiled_reader.ts";
import type { RecordReader } from "./codec.ts";
import { AvroError } from "./errors.ts";
import { type AvroSchema, flatFieldsOf } from "./schema.ts";

/**
 * A reader of some fields of a record: compiled for flat records, over avsc for all others.
 *
 * @param fieldNames fields of the record itself, each at most once
 * @throws {AvroError} `schema` when the schema is no record or has no such field
 *
 * @example
 * ```ts
 * import { createReader, parseAvroSchema } from "./mod.ts";
 * import assert from "node:assert/strict";
 * const schema = parseAvroSchema(JSON.stringify({
 *   type: "record",
 *   name: "R",
 *   fields: [{ name: "skipped", type: "string" }, { name: "n", type: "int" }],
 * }));
 * const reader = createReader(schema, ["n"]);
 * reader.read(Uint8Array.of(2, 0x61, 14), 0, 3);
 * assert.equal(reader.numbers[0], 7);
 * ```
 */
export function createReader(schema: AvroSchema, fieldNames: readonly string[]): RecordReader {
  if (schema.typeName !== "record") {
    throw new AvroError(`Cannot read fields: the schema is a ${schema.typeName}, not a record`, {
      code: "schema",
    });
  }
  const fields = flatFieldsOf(schema);
  return fields === undefined
    ? createAvscReader(schema, fieldNames)
    : compileReader(fields, fieldNames);
}
