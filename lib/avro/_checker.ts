import type avro from "avsc";
import { failDecoding } from "./errors.ts";
import type { AvroSchema } from "./schema.ts";
import { type LongTarget, readLong, skipLong } from "./_varint.ts";

/**
 * Steps over one value in `bytes[offset..end)`.
 *
 * @returns one past its last byte
 * @throws {AvroError} when it is damaged
 */
export type Check = (bytes: Uint8Array, offset: number, end: number, depth: number) => number;

const DEPTH_MAX = 200;
const EMPTY_ITEMS_MAX = 10_000;

/**
 * Checks bytes of any schema before avsc reads them: avsc trusts its input, and a damaged block count makes it run for hours or ask for
 * gigabytes.
 */
export function createChecker(schema: AvroSchema): Check {
  return checkOf(schema, new Map());
}

function checkOf(schema: AvroSchema, known: Map<AvroSchema, Check>): Check {
  const made = known.get(schema);
  if (made !== undefined) return made;
  // A record may hold itself: what refers to it meets this one, which finds the finished check when it runs.
  let check: Check = () => 0;
  known.set(schema, (bytes, offset, end, depth) => {
    if (depth > DEPTH_MAX) failDecoding("too_large", schema.name, offset);
    return check(bytes, offset, end, depth + 1);
  });
  check = makeCheck(schema, known);
  return known.get(schema)!;
}

function makeCheck(schema: AvroSchema, known: Map<AvroSchema, Check>): Check {
  const type = schema.typeName;
  if (type.startsWith("logical:")) {
    return checkOf((schema as avro.types.LogicalType).underlyingType, known);
  }
  if (type.startsWith("union:")) {
    return unionCheck((schema as avro.types.UnwrappedUnionType).types, known);
  }
  switch (type) {
    case "record":
    case "error":
      return recordCheck((schema as avro.types.RecordType).fields, known);
    case "array":
      return blocksCheck(checkOf((schema as avro.types.ArrayType).itemsType, known));
    case "map": {
      const value = checkOf((schema as avro.types.MapType).valuesType as AvroSchema, known);
      return blocksCheck((bytes, offset, end, depth) =>
        value(bytes, checkLengthPrefixed(bytes, offset, end), end, depth)
      );
    }
    case "fixed":
      return sized((schema as avro.types.FixedType).size);
    case "enum": {
      const count = (schema as avro.types.EnumType).symbols.length;
      return (bytes, offset, end) => {
        const at = readNumber(bytes, offset, end);
        const index = target.numbers[0]!;
        if (index < 0 || index >= count) failDecoding("enum_index", schema.name, offset);
        return at;
      };
    }
    default:
      return primitiveCheck(type);
  }
}

const target: LongTarget = { numbers: new Float64Array(1), slot: 0, field: undefined };

function readNumber(bytes: Uint8Array, offset: number, end: number): number {
  return readLong(bytes, offset, end, target);
}

function sized(sizeBytes: number): Check {
  return (_bytes, offset, end) => {
    if (offset + sizeBytes > end) failDecoding("truncated", undefined, offset);
    return offset + sizeBytes;
  };
}

function primitiveCheck(type: string): Check {
  switch (type) {
    case "null":
      return (_bytes, offset) => offset;
    case "boolean":
      return (bytes, offset, end) => {
        if (offset >= end) failDecoding("truncated", undefined, offset);
        if (bytes[offset]! > 1) failDecoding("boolean", undefined, offset);
        return offset + 1;
      };
    case "int":
      return (bytes, offset, end) => {
        const at = readNumber(bytes, offset, end);
        const value = target.numbers[0]!;
        if (value !== (value | 0)) failDecoding("int_range", undefined, offset);
        return at;
      };
    case "float":
      return sized(4);
    case "double":
      return sized(8);
    case "string":
    case "bytes":
      return checkLengthPrefixed;
    default:
      // A long of its own kind (bigint) may exceed what a number holds.
      return type === "long"
        ? readNumber
        : (bytes, offset, end) => skipLong(bytes, offset, end, undefined);
  }
}

function checkLengthPrefixed(bytes: Uint8Array, offset: number, end: number): number {
  const at = readNumber(bytes, offset, end);
  const length = target.numbers[0]!;
  if (length < 0) failDecoding("negative_length", undefined, offset);
  if (length > end - at) failDecoding("truncated", undefined, at);
  return at + length;
}

function recordCheck(
  fields: readonly avro.types.Field[],
  known: Map<AvroSchema, Check>,
): Check {
  const checks = fields.map((field) => checkOf(field.type, known));
  return (bytes, offset, end, depth) => {
    let at = offset;
    for (const check of checks) at = check(bytes, at, end, depth);
    return at;
  };
}

function unionCheck(branches: readonly AvroSchema[], known: Map<AvroSchema, Check>): Check {
  const checks = branches.map((branch) => checkOf(branch, known));
  return (bytes, offset, end, depth) => {
    const at = readNumber(bytes, offset, end);
    const check = checks[target.numbers[0]!];
    if (check === undefined) failDecoding("union_index", undefined, offset);
    return check(bytes, at, end, depth);
  };
}

/** Blocks of an array or map: a count, negative if the block's length in bytes follows; items; a count of 0 at the end. */
function blocksCheck(item: Check): Check {
  return (bytes, offset, end, depth) => {
    let at = offset;
    let emptyItems = 0;
    for (;;) {
      const blockAt = at;
      at = readNumber(bytes, at, end);
      let count = target.numbers[0]!;
      if (count === 0) return at;
      let sizeBytes = -1;
      if (count < 0) {
        count = -count;
        at = readNumber(bytes, at, end);
        sizeBytes = target.numbers[0]!;
      }
      const itemsAt = at;
      for (let i = 0; i < count; i++) {
        const next = item(bytes, at, end, depth);
        if (next === at && ++emptyItems > EMPTY_ITEMS_MAX) {
          failDecoding("too_large", undefined, blockAt);
        }
        at = next;
      }
      if (sizeBytes >= 0 && at - itemsAt !== sizeBytes) {
        failDecoding("block_size", undefined, blockAt);
      }
    }
  };
}
