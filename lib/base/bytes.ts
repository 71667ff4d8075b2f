const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/**
 * The text of UTF-8 bytes, a byte order mark included: texts that differ stay apart.
 *
 * @throws {TypeError} when they are not UTF-8
 */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Lower-case hexadecimal text of bytes. Not `toHex`, which Node 20 does not have: the Pulsar client names consumers with it. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The bytes of hexadecimal text.
 *
 * @throws {SyntaxError} on an odd length or another character
 */
export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(hex);
}

/** One array with the bytes of all, in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Whether both hold the same bytes; takes as long for unequal as for equal ones of that length. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Reads 4 bytes, big-endian, as an unsigned integer. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!) >>> 0;
}

/** Writes an unsigned integer as 4 bytes, big-endian. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** What some bytes of an encoding mean, found by whoever reads that encoding. */
export interface ByteField {
  /** As the encoding's specification or schema names it. */
  readonly name: string;
  /** Of the encoding that it belongs to, e.g. `Pulsar frame`; fields of one layer look alike in a picture. */
  readonly layer: string;
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** How the value is written, e.g. `double` or `u32`. */
  readonly type: string;
  /** What they say, for a person. */
  readonly text: string;
}
