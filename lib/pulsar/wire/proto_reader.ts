/**
 * Reading protobuf's wire format (https://protobuf.dev/programming-guides/encoding/).
 *
 *     field  [varint: number << 3 | wire type][value]
 *     value  0 varint · 1 eight bytes · 2 [varint: length][bytes] · 5 four bytes
 */
import { textOf } from "../../base/mod.ts";
import { malformed } from "./errors.ts";

/** Wire type of integers, booleans and enums. Groups (3 and 4) are refused. */
export const WIRE_VARINT = 0;
/** Wire type of doubles. */
export const WIRE_FIXED64 = 1;
/** Wire type of texts, bytes and messages. */
export const WIRE_BYTES = 2;
/** Wire type of four bytes, which no field of ours has. */
const WIRE_FIXED32 = 5;

const TWO_28 = 0x10000000;

/**
 * A cursor over bytes. One instance is set to one message after another, so that reading allocates nothing.
 * Every method throws a `PulsarError` with code `malformed` and the offset when the bytes are not there or not right.
 */
export class ProtoReader {
  bytes: Uint8Array = new Uint8Array(0);
  position = 0;
  end = 0;
  /** Wire type of the field last entered. */
  wireType = 0;

  /** Begins with `bytes[start..end)`. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    return this;
  }

  /** Enters the next field: its number, or 0 at the end. */
  nextField(): number {
    if (this.position >= this.end) return 0;
    const at = this.position;
    const tag = this.uint32();
    this.wireType = tag & 7;
    if (tag < 8) throw malformed("field", "number 0", at);
    return tag >>> 3;
  }

  /** A varint of which the low 32 bits count. */
  uint32(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at < end && bytes[at]! < 0x80) {
      this.position = at + 1;
      return bytes[at]!;
    }
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) break;
      const byte = bytes[at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = at;
        return value >>> 0;
      }
    }
    throw malformed("varint", at >= end ? "the bytes end inside it" : "longer than 10 bytes", at);
  }

  /** A signed 32-bit integer; negative ones take ten bytes on the wire. */
  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.int64() !== 0;
  }

  /**
   * A 64-bit integer as a number, read as signed whatever its type says: Pulsar's "unset" of 2^64 − 1 is −1.
   * Beyond ±2^53 it is ±Infinity, as `MessageId.latest` with its 2^63 − 1.
   */
  int64(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at < end && bytes[at]! < 0x80) {
      this.position = at + 1;
      return bytes[at]!;
    }
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) break;
      const byte = bytes[at++]!;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift < 56) middle |= (byte & 0x7f) << (shift - 28);
      else high |= (byte & 0x7f) << (shift - 56);
      if (byte < 0x80) {
        this.position = at;
        return numberOf64(low, middle, high & 0xff);
      }
    }
    throw malformed("varint", at >= end ? "the bytes end inside it" : "longer than 10 bytes", at);
  }

  /** A 64-bit integer whose every bit counts, signed. */
  bits64(): bigint {
    const start = this.position;
    this.uint32();
    let value = 0n;
    for (let at = this.position - 1; at >= start; at--) {
      value = (value << 7n) | BigInt(this.bytes[at]! & 0x7f);
    }
    return BigInt.asIntN(64, value);
  }

  double(): number {
    const at = this.position;
    this.#need(8);
    this.position = at + 8;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  /** Length of what follows, checked to lie inside. */
  length(): number {
    const length = this.uint32();
    this.#need(length);
    return length;
  }

  string(): string {
    const length = this.length();
    const start = this.position;
    this.position = start + length;
    try {
      return textOf(this.bytes.subarray(start, start + length));
    } catch {
      throw malformed("text", "not UTF-8", start);
    }
  }

  /** A view. */
  view(): Uint8Array {
    const length = this.length();
    const start = this.position;
    this.position = start + length;
    return this.bytes.subarray(start, start + length);
  }

  /** Passes the value of a field that is not known. */
  skip(): void {
    switch (this.wireType) {
      case WIRE_VARINT:
        this.uint32();
        return;
      case WIRE_BYTES: {
        const length = this.length();
        this.position += length;
        return;
      }
      case WIRE_FIXED64:
      case WIRE_FIXED32: {
        const size = this.wireType === WIRE_FIXED64 ? 8 : 4;
        this.#need(size);
        this.position += size;
        return;
      }
      default:
        throw malformed("field", `wire type ${this.wireType}`, this.position);
    }
  }

  /** Throws unless the field last entered has this wire type. */
  expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw malformed("field", `wire type ${this.wireType} instead of ${wireType}`, this.position);
    }
  }

  #need(count: number): void {
    if (count > this.end - this.position) {
      throw malformed(
        "field",
        `${count} bytes announced, ${this.end - this.position} there`,
        this.position,
      );
    }
  }
}

function numberOf64(low: number, middle: number, high: number): number {
  if (high === 0 && middle < 0x2000000) return low + middle * TWO_28;
  if (high === 0xff && middle >= 0xe000000) {
    // Two's complement: the value is −(~value + 1).
    const inverted = (0xfffffff - low) + (0xfffffff - middle) * TWO_28;
    return -1 - inverted;
  }
  return high < 0x80 ? Infinity : -Infinity;
}
