import { crc32cPortable, readUint32, utf8, writeUint32 } from "../base/mod.ts";

/**
 *   +---------+----------------+----------------+---------+
 *   | "WEIR"  | length, uint32 | CRC32C, uint32 | payload |
 *   +---------+----------------+----------------+---------+
 */
const MAGIC = utf8("WEIR");
const HEADER_BYTES = 12;

/** Puts a length and a checksum before bytes, so that a torn or damaged copy is known as one. */
export function seal(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(HEADER_BYTES + payload.length);
  sealed.set(MAGIC);
  sealed.set(payload, HEADER_BYTES);
  writeUint32(sealed, 4, payload.length);
  writeUint32(sealed, 8, crc32cPortable(payload, 0, payload.length));
  return sealed;
}

/** The payload of sealed bytes as a view, or undefined when they are not whole. */
export function unseal(sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < HEADER_BYTES) return undefined;
  for (let i = 0; i < MAGIC.length; i++) if (sealed[i] !== MAGIC[i]) return undefined;
  if (readUint32(sealed, 4) !== sealed.length - HEADER_BYTES) return undefined;
  const payload = sealed.subarray(HEADER_BYTES);
  return readUint32(sealed, 8) === crc32cPortable(payload, 0, payload.length) ? payload : undefined;
}
