import { WeirError } from "../base/mod.ts";

/** What can be wrong with AVRO bytes, a value to encode or a schema. */
export type AvroErrorCode =
  /** The bytes end within a value, or a length points past the end. */
  | "truncated"
  /** Bytes are left after the record. */
  | "trailing_bytes"
  /** A variable-length integer of more than ten bytes. */
  | "varint_too_long"
  /** An int outside of 32 bits. */
  | "int_range"
  /** A long that a JavaScript number cannot hold exactly. */
  | "long_range"
  | "negative_length"
  /** A boolean byte that is neither 0 nor 1. */
  | "boolean"
  | "union_index"
  | "enum_index"
  /** A block of an array or map whose length in bytes is not what its items take. */
  | "block_size"
  /** More items that take no bytes, or deeper nesting, than is read. */
  | "too_large"
  /** A string that is not UTF-8. */
  | "text"
  /** A value that the schema does not allow. */
  | "invalid_value"
  /** The value does not fit behind the offset. */
  | "no_room"
  /** The text is no schema, or lacks a field that was named. */
  | "schema";

/** Details of an {@link AvroError}. */
export interface AvroErrorOptions {
  readonly code: AvroErrorCode;
  /** Where in the bytes; −1 where there are none. */
  readonly offset?: number;
  /** Name of the field, where one is to blame. */
  readonly field?: string | undefined;
  readonly cause?: unknown;
}

/** Bytes, a value or a schema that cannot be used. */
export class AvroError extends WeirError<AvroErrorCode> {
  override readonly name = "AvroError";
  readonly offset: number;
  readonly field: string | undefined;

  constructor(message: string, { code, offset = -1, field, cause }: AvroErrorOptions) {
    super(message, { code, cause });
    this.offset = offset;
    this.field = field;
  }
}

const DECODE_STATES: Readonly<Partial<Record<AvroErrorCode, string>>> = {
  truncated: "the bytes end within it",
  varint_too_long: "an integer takes more than 10 bytes",
  int_range: "an int does not fit 32 bits",
  long_range: "a long is beyond ±9007199254740990",
  trailing_bytes: "bytes are left after it",
  negative_length: "a length is negative",
  boolean: "a boolean is neither 0 nor 1",
  union_index: "the union has no such branch",
  enum_index: "the enum has no such symbol",
  block_size: "a block's length in bytes is not that of its items",
  too_large: "it is nested too deep or has too many empty items",
};

/** Throws what is wrong with encoded bytes. */
export function failDecoding(
  code: AvroErrorCode,
  field: string | undefined,
  offset: number,
): never {
  const what = field === undefined ? "record" : `field ${JSON.stringify(field)}`;
  const state = DECODE_STATES[code] ?? code;
  throw new AvroError(`Cannot decode ${what}: ${state}, at offset ${offset}`, {
    code,
    offset,
    field,
  });
}
