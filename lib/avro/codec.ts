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
