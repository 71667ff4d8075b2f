import { Buffer } from "node:buffer";
import type avro from "avsc";
import type { ByteField } from "../base/mod.ts";
import { createChecker } from "./_checker.ts";
import { AvroError, failDecoding } from "./errors.ts";
import type { AvroSchema } from "./schema.ts";

/** Of every field that {@link recordFields} finds. */
const LAYER = "AVRO";

/**
 * Where each field of a record lies in its bytes, and what it says. AVRO writes no names, types or lengths of fields: only the schema tells
 * where one ends and the next begins.
 *
 * @param schema a record
 * @param bytes the record is `bytes[start..end)`
 * @returns the record's fields in order, without gaps; a nested value is one field
 * @throws {AvroError} with the offset when the bytes are not one whole record; `schema` when it is none
 *
 * @example
 * ```ts
 * import { parseAvroSchema, recordFields } from "./mod.ts";
 * import assert from "node:assert/strict";
 * const schema = parseAvroSchema('{"type":"record","name":"R","fields":[{"name":"n","type":"int"},{"name":"s","type":"string"}]}');
 * const [n, s] = recordFields(schema, new Uint8Array([0x06, 0x02, 0x61]));
 * assert.deepEqual([n?.start, n?.end, n?.text], [0, 1, "3"]);
 * assert.deepEqual([s?.start, s?.end, s?.text], [1, 3, '"a"']);
 * ```
 */
export function recordFields(
  schema: AvroSchema,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): ByteField[] {
  if (schema.typeName !== "record") {
    throw new AvroError(`Cannot read fields of a ${schema.typeName}: expected a record`, {
      code: "schema",
    });
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  let at = start;
  const found = (schema as avro.types.RecordType).fields.map(({ name, type }): ByteField => {
    const from = at;
    at = createChecker(type)(bytes, from, end, 0);
    const { value } = type.decode(buffer, from);
    return {
      name,
      layer: LAYER,
      start: from,
      end: at,
      type: typeText(type),
      text: valueText(value, type),
    };
  });
  if (at !== end) failDecoding("trailing_bytes", undefined, at);
  return found;
}

function typeText(type: AvroSchema): string {
  if (type.typeName === "union:unwrapped" || type.typeName === "union:wrapped") {
    return (type as avro.types.UnwrappedUnionType).types.map(typeText).join(" or ");
  }
  if (type.typeName.startsWith("logical:")) return type.typeName.slice("logical:".length);
  const logical = (type.schema() as { logicalType?: unknown }).logicalType;
  return typeof logical === "string" ? `${type.typeName} (${logical})` : type.typeName;
}

function valueText(value: unknown, type: AvroSchema): string {
  if (typeof value === "number" && typeText(type).includes("timestamp-millis")) {
    return new Date(value).toISOString();
  }
  if (typeof value === "number" && type.typeName === "float") return String(+value.toPrecision(7));
  return JSON.stringify(value);
}
