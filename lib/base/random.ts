/** Randomness, passed in wherever it is used. */
export interface Random {
  /** An unsigned 32-bit integer. */
  uint32(): number;
  /** At least 0, below 1. */
  float(): number;
  /** An integer from 0 to `bound` − 1. */
  below(bound: number): number;
}

/**
 * A small seeded generator (splitmix32, after Steele, Lea and Flood 2014).
 *
 * @param seed any number; its low 32 bits count
 *
 * @example
 * ```ts
 * import { seededRandom } from "./random.ts";
 * import assert from "node:assert/strict";
 * assert.equal(seededRandom(7).uint32(), seededRandom(7).uint32());
 * ```
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const uint32 = () => {
    state = (state + 0x9e3779b9) | 0;
    return mix32(state);
  };
  return {
    uint32,
    float: () => uint32() / 4294967296,
    below: (bound) => Math.floor((uint32() / 4294967296) * bound),
  };
}

/** Randomness of the operating system, for identities and back-off. */
export const systemRandom: Random = {
  uint32: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
  float: () => systemRandom.uint32() / 4294967296,
  below: (bound) => Math.floor(systemRandom.float() * bound),
};

/** Mixes 32 bits so that each input bit moves each output bit with about even chance. */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
