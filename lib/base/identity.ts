import { mix32 } from "./random.ts";

/**
 * The multiset fingerprint of messages: the wrapping 64-bit sum of a hash of (source, sequence).
 * Kept as two 32-bit halves, so that the hot path needs no bigint and no object.
 *
 * A loss that a duplicate hides in the counts changes this sum.
 */

/**
 * The 32-bit hash of a source's name (FNV-1a over its UTF-8 bytes, then mixed).
 *
 * @param bytes holds the name
 * @param start first byte of the name
 * @param end one past its last byte
 */
export function sourceHash(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mix32(hash);
}

/**
 * The low half of a message's identity.
 *
 * @param hash {@link sourceHash} of its source
 * @param sequence its sequence within the source, 0 to 2^53 − 1
 */
export function identityLow(hash: number, sequence: number): number {
  return mix32(hash ^ mix32((sequence | 0) ^ Math.imul(high32(sequence), 0x9e3779b9)));
}

/** The high half of a message's identity; see {@link identityLow}. */
export function identityHigh(hash: number, sequence: number): number {
  return mix32(
    Math.imul(hash, 0x85ebca6b) ^ mix32(~sequence ^ Math.imul(high32(sequence), 0xc2b2ae35)),
  );
}

function high32(sequence: number): number {
  return sequence < 4294967296 ? 0 : (sequence / 4294967296) | 0;
}

/**
 * One 64-bit value from two halves.
 *
 * @example
 * ```ts
 * import { identityOf } from "./identity.ts";
 * import assert from "node:assert/strict";
 * assert.equal(identityOf(1, 2), (1n << 32n) + 2n);
 * ```
 */
export function identityOf(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
