/**
 * AVRO's integers: zig-zag (0, −1, 1, −2 … become 0, 1, 2, 3 …), then groups of seven bits, lowest first, the high bit set on all but the last
 * (AVRO 1.12, "Binary Encoding").
 *
 *     300 → 600 → 1101 1000  0000 0100
 */
import { failDecoding } from "./errors.ts";

/** The largest magnitude of a long that is read or written, as in avsc: one less than a double could hold exactly. */
export const LONG_MAX = 9007199254740990;
const VARINT_BYTES_MAX = 10;
const GROUPS_OF_FOUR = 268435456;

/**
 * Writes an integer of at most {@link LONG_MAX}; bytes past the end of the array are dropped.
 *
 * @returns one past its last byte
 */
export function writeLong(bytes: Uint8Array, offset: number, value: number): number {
  let at = offset;
  // The sign bit is kept apart: beyond 2^53 a double cannot hold the odd `−2 × value − 1` (avsc writes −9007199254740990 as a positive number).
  const magnitude = value < 0 ? -value - 1 : value;
  const sign = value < 0 ? 1 : 0;
  let rest: number;
  if (magnitude < GROUPS_OF_FOUR * 4) rest = (magnitude * 2 + sign) | 0;
  else {
    // Four groups of seven bits first; what is left above them fits 32 bits again.
    const high = Math.floor(magnitude / (GROUPS_OF_FOUR / 2));
    const low = (magnitude - high * (GROUPS_OF_FOUR / 2)) * 2 + sign;
    bytes[at] = (low & 0x7f) | 0x80;
    bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80;
    bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80;
    bytes[at + 3] = (low >>> 21) | 0x80;
    at += 4;
    rest = high;
  }
  while (rest >= 128) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Where {@link readLong} puts what it read, and for whom. */
export interface LongTarget {
  readonly numbers: Float64Array;
  readonly slot: number;
  readonly field: string | undefined;
}

/**
 * Reads an integer into `target.numbers[target.slot]`: a number handed back would be boxed.
 *
 * @returns one past its last byte
 * @throws {AvroError} `truncated`, `varint_too_long` or `long_range`
 */
export function readLong(
  bytes: Uint8Array,
  offset: number,
  end: number,
  target: LongTarget,
): number {
  let at = offset;
  let low = 0;
  let high = 0;
  let top = 0;
  let byte = 128;
  for (let shift = 0; byte >= 128; shift += 7) {
    if (at >= end) failDecoding("truncated", target.field, at);
    if (at - offset === VARINT_BYTES_MAX) failDecoding("varint_too_long", target.field, offset);
    byte = bytes[at++]!;
    if (shift < 28) low |= (byte & 0x7f) << shift;
    else if (shift < 56) high |= (byte & 0x7f) << (shift - 28);
    else top |= byte & 0x7f;
  }
  const magnitude = (low >>> 1) + high * (GROUPS_OF_FOUR / 2);
  const value = (low & 1) === 0 ? magnitude : -magnitude - 1;
  if (top !== 0 || value > LONG_MAX || value < -LONG_MAX) {
    failDecoding("long_range", target.field, offset);
  }
  target.numbers[target.slot] = value;
  return at;
}

/**
 * @returns one past the last byte of the integer at `offset`
 * @throws {AvroError} `truncated` or `varint_too_long`
 */
export function skipLong(
  bytes: Uint8Array,
  offset: number,
  end: number,
  field: string | undefined,
): number {
  let at = offset;
  for (;;) {
    if (at >= end) failDecoding("truncated", field, at);
    if (at - offset === VARINT_BYTES_MAX) failDecoding("varint_too_long", field, offset);
    if (bytes[at++]! < 128) return at;
  }
}
