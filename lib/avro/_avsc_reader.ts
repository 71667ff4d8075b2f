import { Buffer } from "node:buffer";
import avro from "avsc";
import { messageOf, utf8 } from "../base/mod.ts";
import { createChecker } from "./_checker.ts";
import { AvroError, failDecoding } from "./errors.ts";
import type { RecordReader } from "./codec.ts";
import type { AvroSchema } from "./schema.ts";

/** avsc behind the interface of the compiled reader, for schemas that are not flat. It allocates: a value each. */
export function createAvscReader(schema: AvroSchema, fieldNames: readonly string[]): RecordReader {
  return new AvscReader(schema, fieldNames);
}

class AvscReader implements RecordReader {
  readonly isCompiled = false;
  readonly numbers: Float64Array;
  readonly isNull: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  bytes: Uint8Array = new Uint8Array(0);
  readonly #decode: (bytes: Uint8Array, start: number, end: number) => Record<string, unknown>;
  readonly #symbols: readonly (readonly string[])[];
  #values: unknown[] = [];

  constructor(schema: AvroSchema, readonly fieldNames: readonly string[]) {
    const { fields } = schema as avro.types.RecordType;
    const named = fieldNames.map((name) => fieldNamed(fields, name));
    this.numbers = new Float64Array(named.length).fill(NaN);
    this.isNull = new Uint8Array(named.length);
    this.starts = new Uint32Array(named.length);
    this.ends = new Uint32Array(named.length);
    this.#symbols = named.map(({ type }) => symbolsOf(type));
    this.#decode = decoderOf(schema, named);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const record = this.#decode(bytes, start, end);
    this.#values = this.fieldNames.map((name) => record[name]);
    const texts: Uint8Array[] = [];
    let at = 0;
    this.#values.forEach((value, slot) => {
      this.isNull[slot] = value === null ? 1 : 0;
      this.numbers[slot] = this.#numberOf(value, slot);
      const text = bytesOf(value);
      this.starts[slot] = at;
      this.ends[slot] = at += text.length;
      texts.push(text);
    });
    this.bytes = Buffer.concat(texts);
  }

  value(slot: number): unknown {
    return this.#values[slot] ?? null;
  }

  #numberOf(value: unknown, slot: number): number {
    if (typeof value === "number") return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    const index = typeof value === "string" ? this.#symbols[slot]!.indexOf(value) : -1;
    return index === -1 ? NaN : index;
  }
}

/** A decoder that resolves to the named fields only, on bytes that were checked before. */
function decoderOf(
  schema: AvroSchema,
  named: readonly avro.types.Field[],
): (bytes: Uint8Array, start: number, end: number) => Record<string, unknown> {
  const check = createChecker(schema);
  const reader = avro.Type.forSchema({
    type: "record",
    name: schema.name ?? "Projection",
    fields: named.map(({ name, type }) => ({ name, type })),
  });
  const resolver = reader.createResolver(schema);
  return (bytes, start, end) => {
    const inside = start >= 0 && start <= end && end <= bytes.length;
    if (!inside) failDecoding("truncated", undefined, start);
    const checkedEnd = check(bytes, start, end, 0);
    if (checkedEnd !== end) failDecoding("trailing_bytes", undefined, checkedEnd);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    try {
      return reader.decode(buffer, 0, resolver).value as Record<string, unknown>;
    } catch (cause) {
      throw new AvroError(`Cannot decode record: ${messageOf(cause)}, at offset ${start}`, {
        code: "truncated",
        offset: start,
        cause,
      });
    }
  };
}

function fieldNamed(fields: readonly avro.types.Field[], name: string): avro.types.Field {
  const field = fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  throw new AvroError(`Cannot read field ${JSON.stringify(name)}: the record has none`, {
    code: "schema",
    field: name,
  });
}

/** Of an enum, or of the enum that may be null. */
function symbolsOf(type: AvroSchema): readonly string[] {
  if (type.typeName === "enum") return (type as avro.types.EnumType).symbols;
  if (type.typeName !== "union:unwrapped") return [];
  const branches = (type as avro.types.UnwrappedUnionType).types;
  const other = branches.find((branch) => branch.typeName !== "null");
  return other?.typeName === "enum" ? (other as avro.types.EnumType).symbols : [];
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") return utf8(value);
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
