import avro from "avsc";
import { messageOf } from "../base/mod.ts";
import { AvroError } from "./errors.ts";

/** A schema as avsc parsed it. */
export type AvroSchema = avro.Type;

/**
 * Parses a schema's JSON text.
 *
 * @throws {AvroError} `schema` when it is no JSON or no AVRO schema
 *
 * @example
 * ```ts
 * import { parseAvroSchema } from "./schema.ts";
 * import assert from "node:assert/strict";
 * assert.equal(parseAvroSchema('{"type":"record","name":"R","fields":[]}').name, "R");
 * ```
 */
export function parseAvroSchema(json: string): AvroSchema {
  try {
    return avro.Type.forSchema(JSON.parse(json) as avro.Schema);
  } catch (error) {
    throw new AvroError(`Cannot parse AVRO schema: ${messageOf(error)}`, {
      code: "schema",
      cause: error,
    });
  }
}

/** Kinds of values that need no nesting. Logical types count as what they are made of. */
export type FlatKind =
  | "null"
  | "boolean"
  | "int"
  | "long"
  | "float"
  | "double"
  | "string"
  | "bytes"
  | "fixed"
  | "enum";

/** A field of a flat record. */
export interface FlatField {
  readonly name: string;
  readonly kind: FlatKind;
  /** Index of null in the union of null and `kind`, or −1 where the field is no union. */
  readonly nullIndex: -1 | 0 | 1;
  /** Of an enum. */
  readonly symbols: readonly string[];
  /** Bytes of a fixed. */
  readonly sizeBytes: number;
  /** What stands for a missing value; undefined where the schema has none. */
  readonly defaultValue: unknown;
}

const FLAT_KINDS: ReadonlySet<string> = new Set<FlatKind>(
  ["null", "boolean", "int", "long", "float", "double", "string", "bytes", "fixed", "enum"],
);

/** The record's fields if all are flat, else undefined. */
export function flatFieldsOf(schema: AvroSchema): readonly FlatField[] | undefined {
  if (schema.typeName !== "record") return undefined;
  const fields: FlatField[] = [];
  for (const field of (schema as avro.types.RecordType).fields) {
    const flat = flatField(field);
    if (flat === undefined) return undefined;
    fields.push(flat);
  }
  return fields;
}

function flatField(field: avro.types.Field): FlatField | undefined {
  let type = field.type;
  let nullIndex: -1 | 0 | 1 = -1;
  if (type.typeName === "union:unwrapped") {
    const branches = (type as avro.types.UnwrappedUnionType).types;
    nullIndex = branches[0]?.typeName === "null" ? 0 : 1;
    const other = branches[1 - nullIndex];
    if (branches.length !== 2 || branches[nullIndex]?.typeName !== "null" || other === undefined) {
      return undefined;
    }
    type = other;
  }
  if (!FLAT_KINDS.has(type.typeName)) return undefined;
  return {
    name: field.name,
    kind: type.typeName as FlatKind,
    nullIndex,
    symbols: type.typeName === "enum" ? (type as avro.types.EnumType).symbols : [],
    sizeBytes: type.typeName === "fixed" ? (type as avro.types.FixedType).size : 0,
    defaultValue: field.defaultValue(),
  };
}
