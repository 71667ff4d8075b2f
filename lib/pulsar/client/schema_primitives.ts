/** Schemas of single values, byte for byte as Java's: big-endian, without a length. */
import { textOf, utf8 } from "../../base/mod.ts";
import type { Schema, SchemaInfo } from "./schema.ts";
import { PulsarError, SchemaType } from "../wire/mod.ts";

const NO_BYTES = new Uint8Array(0);

const BYTES: Schema<Uint8Array> = {
  info: undefined,
  encode: (value) => value,
  decode: (bytes) => bytes,
};

/** Plain bytes: what a topic without a schema holds. */
export function bytesSchema(): Schema<Uint8Array> {
  return BYTES;
}

/** What does not fit a schema. */
export function schemaMismatch(action: "encode" | "decode", state: string): PulsarError {
  return new PulsarError(`Cannot ${action} message: ${state}`, { code: "schema_mismatch" });
}

/** How a schema of this type is registered. */
export function plainInfo(name: string, type: SchemaType): SchemaInfo {
  return { name, type, schemaData: NO_BYTES, properties: [] };
}

/** A schema whose values take a fixed number of bytes. */
export function fixedSchema<T>(
  info: SchemaInfo,
  byteLength: number,
  codec: {
    /** Why the value is none of this schema, or undefined if it is. */
    refusal(value: T): string | undefined;
    put(view: DataView, value: T): void;
    get(view: DataView): T;
  },
): Schema<T> {
  return {
    info,
    encode(value) {
      const refusal = codec.refusal(value);
      if (refusal !== undefined) throw schemaMismatch("encode", `${refusal} for ${info.name}`);
      const bytes = new Uint8Array(byteLength);
      codec.put(new DataView(bytes.buffer), value);
      return bytes;
    },
    decode(bytes) {
      if (bytes.length !== byteLength) {
        const state = `${bytes.length} bytes for ${info.name}, which takes ${byteLength}`;
        throw schemaMismatch("decode", state);
      }
      return codec.get(new DataView(bytes.buffer, bytes.byteOffset, byteLength));
    },
  };
}

/** BOOLEAN: one byte. */
export function booleanSchema(): Schema<boolean> {
  return fixedSchema(plainInfo("Boolean", SchemaType.Bool), 1, {
    refusal: (value) => typeof value === "boolean" ? undefined : shown(value),
    put: (view, value) => view.setUint8(0, value ? 1 : 0),
    get: (view) => view.getUint8(0) !== 0,
  });
}

/** INT8, INT16 and INT32. */
export function integerSchema(bits: 8 | 16 | 32): Schema<number> {
  const type = { 8: SchemaType.Int8, 16: SchemaType.Int16, 32: SchemaType.Int32 }[bits];
  const bound = 2 ** (bits - 1);
  return fixedSchema(plainInfo(`INT${bits}`, type), bits / 8, {
    refusal: (value) =>
      Number.isInteger(value) && value >= -bound && value < bound ? undefined : shown(value),
    put: (view, value) => view[`setInt${bits}`](0, value),
    get: (view) => view[`getInt${bits}`](0),
  });
}

/** INT64, as bigint: numbers lose the last bits. */
export function longSchema(): Schema<bigint> {
  return fixedSchema(plainInfo("INT64", SchemaType.Int64), 8, {
    refusal: (value) =>
      typeof value === "bigint" && BigInt.asIntN(64, value) === value ? undefined : shown(value),
    put: (view, value) => view.setBigInt64(0, value),
    get: (view) => view.getBigInt64(0),
  });
}

/** FLOAT: rounded to 32 bits. */
export function floatSchema(): Schema<number> {
  return fixedSchema(plainInfo("Float", SchemaType.Float), 4, {
    refusal: (value) => typeof value === "number" ? undefined : shown(value),
    put: (view, value) => view.setFloat32(0, value),
    get: (view) => view.getFloat32(0),
  });
}

/** DOUBLE. */
export function doubleSchema(): Schema<number> {
  return fixedSchema(plainInfo("Double", SchemaType.Double), 8, {
    refusal: (value) => typeof value === "number" ? undefined : shown(value),
    put: (view, value) => view.setFloat64(0, value),
    get: (view) => view.getFloat64(0),
  });
}

/** STRING: UTF-8. */
export function stringSchema(): Schema<string> {
  return {
    info: plainInfo("String", SchemaType.String),
    encode(value) {
      if (typeof value !== "string") throw schemaMismatch("encode", `${shown(value)} for String`);
      return utf8(value);
    },
    decode: (bytes) => textOf(bytes),
  };
}

/** A value in a message about it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return typeof value === "object" && value !== null ? `a ${value.constructor.name}` : `${value}`;
}
