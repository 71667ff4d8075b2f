/** The two hashes that Pulsar's clients route keys by; both must agree with Java's bit for bit, or keys change partitions with the client. */
import { utf8 } from "../../base/mod.ts";

/** Names of the hashes, as Pulsar calls them. */
export type HashingScheme = "JavaStringHash" | "Murmur3_32Hash";

/**
 * Hash of a message key, at least 0.
 *
 * @param key as it goes out: Base64 where the key is bytes
 *
 * @example
 * ```ts
 * import { keyHash } from "./key_hash.ts";
 * import assert from "node:assert/strict";
 * assert.equal(keyHash("hello", "JavaStringHash"), 99162322);
 * ```
 */
export function keyHash(key: string, scheme: HashingScheme = "JavaStringHash"): number {
  return scheme === "JavaStringHash" ? javaStringHash(key) : murmur3Hash(utf8(key));
}

/** Java's `String.hashCode()`, without its sign bit. */
function javaStringHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & 0x7fffffff;
}

/** MurmurHash3 x86 32-bit with seed 0 (Austin Appleby, 2011), without the sign bit. */
function murmur3Hash(bytes: Uint8Array): number {
  let hash = 0;
  const blocks = bytes.length & ~3;
  for (let i = 0; i < blocks; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= blocks; i--) tail = (tail << 8) | bytes[i]!;
  if (blocks < bytes.length) hash ^= scramble(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
