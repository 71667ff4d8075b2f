/**
 * Writing protobuf's wire format from its end to its beginning.
 *
 *     … [tag][length][body]
 *                    ◄──── written first; then its length is known, and no size is computed beforehand
 */
import { utf8, writeUint32 } from "../../base/mod.ts";

const TWO_28 = 0x10000000;
const INITIAL_BYTES = 256;

/**
 * Writes backwards into a buffer that grows; the finished bytes are `bytes[start..end)`.
 *
 * It can be attached to a buffer that holds a payload already and has room before it: headers are then written in front of the payload, and
 * one write sends all.
 */
export class ProtoWriter {
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  start = INITIAL_BYTES;
  end = INITIAL_BYTES;

  /** Forgets what was written. */
  reset(): this {
    this.start = this.end = this.bytes.length;
    return this;
  }

  /** Goes on in front of `bytes[start..end)`. If the room before it does not do, `bytes` becomes another array. */
  attach(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(this.start, this.end));
  }

  tag(number: number, wireType: number): void {
    this.uint32((number << 3) | wireType);
  }

  uint32(value: number): void {
    this.#room(5);
    this.start = putVarintBefore(this.bytes, this.start, value >>> 0);
  }

  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.int64(value);
  }

  /** The reverse of `ProtoReader.int64`: −1 becomes 2^64 − 1, Infinity 2^63 − 1. */
  int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.#room(10);
      this.start = putVarintBefore(this.bytes, this.start, value);
      return;
    }
    if (value === Infinity) this.bits64((1n << 63n) - 1n);
    else if (value === -Infinity) this.bits64(-(1n << 63n));
    else this.bits64(BigInt(Math.trunc(value)));
  }

  bits64(value: bigint): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, value);
    const groups: number[] = [];
    do {
      groups.push(Number(rest & 0x7fn));
      rest >>= 7n;
    } while (rest !== 0n);
    groups.forEach((group, i) => {
      const last = i === groups.length - 1;
      this.bytes[this.start - groups.length + i] = last ? group : group | 0x80;
    });
    this.start -= groups.length;
  }

  double(value: number): void {
    this.#room(8);
    this.start -= 8;
    const at = this.bytes.byteOffset + this.start;
    new DataView(this.bytes.buffer, at, 8).setFloat64(0, value, true);
  }

  /** Four bytes, big-endian: not protobuf's, but of the frames around it. */
  frame32(value: number): void {
    this.#room(4);
    this.start -= 4;
    writeUint32(this.bytes, this.start, value);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.start -= bytes.length;
    this.bytes.set(bytes, this.start);
  }

  string(text: string): void {
    const bytes = utf8(text);
    this.raw(bytes);
    this.uint32(bytes.length);
  }

  #room(count: number): void {
    if (this.start >= count) return;
    const used = this.length;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, used + count + INITIAL_BYTES));
    grown.set(this.bytes.subarray(this.start, this.end), grown.length - used);
    this.attach(grown, grown.length - used, grown.length);
  }
}

/** Length of the varint of a value from 0 to 2^53 − 1. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < TWO_28) return 4;
  let length = 4;
  for (let rest = Math.floor(value / TWO_28); rest > 0; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes the varint of a value from 0 to 2^53 − 1 at `at`; returns one past its last byte. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest >= TWO_28) {
    bytes[position++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 0x80) {
    bytes[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

function putVarintBefore(bytes: Uint8Array, end: number, value: number): number {
  const start = end - varintLength(value);
  putVarint(bytes, start, value);
  return start;
}
