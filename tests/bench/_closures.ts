/**
 * The same encoder and reader composed from closures instead of generated source: what the compiled ones were measured against.
 * They handle what SensorRecord has, and check as much.
 */
import { type AvroSchema, writeLong } from "../../lib/avro/mod.ts";
import { failDecoding } from "../../lib/avro/errors.ts";
import { type FlatField, flatFieldsOf } from "../../lib/avro/schema.ts";
import { readLong, skipLong } from "../../lib/avro/_varint.ts";
import { ViewCache } from "../../lib/avro/_view_cache.ts";

type Write = (value: unknown, bytes: Uint8Array, at: number) => number;
type Step = (bytes: Uint8Array, at: number, end: number) => number;

const views = new ViewCache();

const WRITERS: Readonly<Record<string, (field: FlatField) => Write>> = {
  string: () => (value, bytes, at) => {
    const text = value as string;
    let next = writeLong(bytes, at, text.length);
    for (let i = 0; i < text.length; i++) bytes[next++] = text.charCodeAt(i);
    return next;
  },
  long: () => (value, bytes, at) => writeLong(bytes, at, value as number),
  int: () => (value, bytes, at) => writeLong(bytes, at, value as number),
  double: () => (value, bytes, at) => {
    views.viewOf(bytes).setFloat64(at, value as number, true);
    return at + 8;
  },
  float: () => (value, bytes, at) => {
    views.viewOf(bytes).setFloat32(at, value as number, true);
    return at + 4;
  },
  boolean: () => (value, bytes, at) => {
    bytes[at] = value === true ? 1 : 0;
    return at + 1;
  },
  enum: ({ symbols }) => {
    const indices = new Map(symbols.map((symbol, i) => [symbol, i]));
    return (value, bytes, at) => writeLong(bytes, at, indices.get(value as string)!);
  },
};

/** An encoder of closures for SensorRecord. */
export function closureEncoder(
  schema: AvroSchema,
): (record: unknown, bytes: Uint8Array, at: number) => number {
  const writers = flatFieldsOf(schema)!.map((field) => {
    const write = WRITERS[field.kind]!(field);
    const name = field.name;
    if (field.nullIndex === -1) {
      return (record: Record<string, unknown>, bytes: Uint8Array, at: number) =>
        write(record[name], bytes, at);
    }
    return (record: Record<string, unknown>, bytes: Uint8Array, at: number) => {
      const value = record[name];
      bytes[at] = value === null ? 0 : 2;
      return value === null ? at + 1 : write(value, bytes, at + 1);
    };
  });
  return (record, bytes, offset) => {
    let at = offset;
    for (const write of writers) at = write(record as Record<string, unknown>, bytes, at);
    return at;
  };
}

/** A reader of closures for SensorRecord. */
export function closureReader(schema: AvroSchema, names: readonly string[]) {
  const numbers = new Float64Array(names.length);
  const starts = new Uint32Array(names.length);
  const ends = new Uint32Array(names.length);
  const shared = { numbers: new Float64Array(1), slot: 0, field: undefined };

  const stepOf = (field: FlatField): Step => {
    const slot = names.indexOf(field.name);
    const target = slot === -1 ? shared : { numbers, slot, field: field.name };
    switch (field.kind) {
      case "string":
        return (bytes, at, end) => {
          const first = readLong(bytes, at, end, shared);
          const length = shared.numbers[0]!;
          if (length < 0 || length > end - first) failDecoding("truncated", field.name, first);
          if (slot !== -1) {
            starts[slot] = first;
            ends[slot] = first + length;
          }
          return first + length;
        };
      case "double":
      case "float": {
        const sizeBytes = field.kind === "double" ? 8 : 4;
        return (bytes, at, end) => {
          if (at + sizeBytes > end) failDecoding("truncated", field.name, at);
          if (slot !== -1) numbers[slot] = views.viewOf(bytes).getFloat64(at, true);
          return at + sizeBytes;
        };
      }
      case "boolean":
        return (bytes, at, end) => {
          if (at >= end) failDecoding("truncated", field.name, at);
          target.numbers[target.slot] = bytes[at]!;
          return at + 1;
        };
      default:
        return slot === -1 && field.kind !== "enum"
          ? (bytes, at, end) => skipLong(bytes, at, end, field.name)
          : (bytes, at, end) => readLong(bytes, at, end, target);
    }
  };
  const steps = flatFieldsOf(schema)!.map((field): Step => {
    const step = stepOf(field);
    if (field.nullIndex === -1) return step;
    return (bytes, at, end) => {
      if (at >= end) failDecoding("truncated", field.name, at);
      return bytes[at] === 0 ? at + 1 : step(bytes, at + 1, end);
    };
  });
  return {
    numbers,
    read(bytes: Uint8Array, start: number, end: number): void {
      let at = start;
      for (const step of steps) at = step(bytes, at, end);
      if (at !== end) failDecoding("trailing_bytes", undefined, at);
    },
  };
}
