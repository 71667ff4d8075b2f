/** The two hashes that Pulsar's clients route keys by; both must agree with Java's bit for bit, or keys change partitions with the client. */
import { utf8 } from "../../base/mod.ts";
import { murmur3 } from "../wire/mod.ts";

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
  return scheme === "JavaStringHash" ? javaStringHash(key) : murmur3(utf8(key));
}

/** Java's `String.hashCode()`, without its sign bit. */
function javaStringHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & 0x7fffffff;
}
