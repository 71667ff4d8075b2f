import { createAvscReader } from "./_avsc_reader.ts";
import { compileReader } from "./_compiled_reader.ts";
import { AvroError } from "./errors.ts";
import { type AvroSchema, flatFieldsOf } from "./schema.ts";

/**
 * Reads named fields of a record into its own arrays, one slot a field in the order they were named: nothing is allocated a message.
 * After an error the slots hold parts of the damaged record.
 */
export interface RecordReader {
  /** Whether the code was compiled for this schema, or avsc does the work. */
  readonly isCompiled: boolean;
  readonly fieldNames: readonly string[];
  /** Numbers as they are, booleans as 0 or 1, enums as the symbol's index; NaN for null and for everything else. */
  readonly numbers: Float64Array;
  /** 1 where the value is null. */
  readonly isNull: Uint8Array;
  /** What `starts` and `ends` point into: the bytes read last, where compiled. */
  readonly bytes: Uint8Array;
  /** First byte of a string, bytes or fixed. */
  readonly starts: Uint32Array;
  /** One past its last byte. */
  readonly ends: Uint32Array;
  /**
   * Reads the record in `bytes[start..end)`.
   *
   * @throws {AvroError} with `offset` when it is not exactly one whole record
   */
  read(bytes: Uint8Array, start: number, end: number): void;
  /** The value of a slot as avsc gives it, for everything off the hot path. */
  value(slot: number): unknown;
}

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
