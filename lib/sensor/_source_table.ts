import { AvroError } from "../avro/mod.ts";
import { sourceHash, textOf, utf8 } from "../base/mod.ts";

/**
 * Numbers sources by the bytes of their names, in the order it meets them: an open-addressing table (linear probing, at most half full), so that a
 * look-up makes no string. Equal hashes are settled by comparing the bytes.
 */
export class SourceTable {
  #places: Int32Array = new Int32Array(2048).fill(-1);
  // By slot: hash for the places, first byte in the pool (one more at the end), hash for identities.
  #hashes: number[] = [];
  #starts: number[] = [0];
  #sourceHashes: number[] = [];
  #names: string[] = [];
  #pool: Uint8Array = new Uint8Array(16_384);

  get size(): number {
    return this.#hashes.length;
  }

  /** @throws {RangeError} for a slot that is not in use */
  name(slot: number): string {
    return this.#known(this.#names, slot);
  }

  /** `sourceHash` of the name. */
  sourceHash(slot: number): number {
    return this.#known(this.#sourceHashes, slot);
  }

  slotOf(name: string): number {
    const bytes = utf8(name);
    return this.slotOfBytes(bytes, 0, bytes.length);
  }

  /**
   * The slot of the name in `bytes[start..end)`, numbering it if it is new.
   *
   * @throws {AvroError} `text` when a new name is not UTF-8
   */
  slotOfBytes(bytes: Uint8Array, start: number, end: number): number {
    const hash = placeHash(bytes, start, end);
    const mask = this.#places.length - 1;
    for (let place = hash & mask;; place = (place + 1) & mask) {
      const slot = this.#places[place]!;
      if (slot === -1) {
        const text = nameIn(bytes, start, end);
        return this.#add(text, bytes.subarray(start, end), place);
      }
      if (this.#hashes[slot] === hash && this.#isName(slot, bytes, start, end)) return slot;
    }
  }

  #isName(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const pool = this.#pool;
    const first = this.#starts[slot]!;
    const length = end - start;
    if (this.#starts[slot + 1]! - first !== length) return false;
    for (let i = 0; i < length; i++) if (pool[first + i] !== bytes[start + i]) return false;
    return true;
  }

  #add(text: string, name: Uint8Array, place: number): number {
    const hash = placeHash(name, 0, name.length);
    const slot = this.#hashes.length;
    const first = this.#starts[slot]!;
    if (first + name.length > this.#pool.length) {
      const pool = new Uint8Array(2 * (first + name.length));
      pool.set(this.#pool);
      this.#pool = pool;
    }
    this.#pool.set(name, first);
    this.#starts.push(first + name.length);
    this.#hashes.push(hash);
    this.#sourceHashes.push(sourceHash(name));
    this.#names.push(text);
    this.#places[place] = slot;
    if (2 * this.#hashes.length > this.#places.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const places = new Int32Array(2 * this.#places.length).fill(-1);
    const mask = places.length - 1;
    this.#hashes.forEach((hash, slot) => {
      let place = hash & mask;
      while (places[place] !== -1) place = (place + 1) & mask;
      places[place] = slot;
    });
    this.#places = places;
  }

  #known<T>(list: readonly T[], slot: number): T {
    const value = list[slot];
    if (value === undefined) {
      throw new RangeError(`Cannot name source slot ${slot}: there are ${this.size}`);
    }
    return value;
  }
}

function nameIn(bytes: Uint8Array, start: number, end: number): string {
  try {
    return textOf(bytes.subarray(start, end));
  } catch (cause) {
    throw new AvroError(`Cannot read source name: it is not UTF-8, at offset ${start}`, {
      code: "text",
      offset: start,
      cause,
    });
  }
}

/** Four bytes a step; an identity needs `sourceHash`, a place in a table does not. */
function placeHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  // Kept to 31 bits: V8 stores them without a box.
  return (hash ^ (hash >>> 13)) & 0x3fffffff;
}
