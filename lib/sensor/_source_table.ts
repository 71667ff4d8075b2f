import { AvroError } from "../avro/mod.ts";
import { sourceHash, textOf, utf8 } from "../base/mod.ts";

/**
 * Numbers sources by the bytes of their names, in the order it meets them: an open-addressing table (linear probing, at most half full), so that a
 * look-up makes no string. Equal hashes are settled by comparing the bytes.
 */
export class SourceTable {
  // Two words a place: slot or −1, and hash. Side by side they cost one cache line.
  #places: Int32Array = new Int32Array(2 * 2048).fill(-1);
  // By slot: first byte in the pool (one more at the end), hash for identities, text.
  #starts: Uint32Array = new Uint32Array(1025);
  #sourceHashes: number[] = [];
  #names: string[] = [];
  #pool: Uint8Array = new Uint8Array(16_384);

  get size(): number {
    return this.#names.length;
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
    const places = this.#places;
    const mask = places.length - 2;
    for (let place = (2 * hash) & mask;; place = (place + 2) & mask) {
      const slot = places[place]!;
      if (slot === -1) {
        const text = nameIn(bytes, start, end);
        return this.#add(text, bytes.subarray(start, end), place);
      }
      if (places[place + 1] === hash && this.#isName(slot, bytes, start, end)) return slot;
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
    const slot = this.size;
    const first = this.#starts[slot]!;
    if (first + name.length > this.#pool.length) {
      const pool = new Uint8Array(2 * (first + name.length));
      pool.set(this.#pool);
      this.#pool = pool;
    }
    this.#pool.set(name, first);
    this.#starts[slot + 1] = first + name.length;
    this.#sourceHashes.push(sourceHash(name));
    this.#names.push(text);
    this.#places[place] = slot;
    this.#places[place + 1] = hash;
    // At most half of the places are taken, and there is one start more than names.
    if (4 * this.size >= this.#places.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const places = new Int32Array(2 * this.#places.length).fill(-1);
    const mask = places.length - 2;
    for (let from = 0; from < this.#places.length; from += 2) {
      if (this.#places[from] === -1) continue;
      const hash = this.#places[from + 1]!;
      let place = (2 * hash) & mask;
      while (places[place] !== -1) place = (place + 2) & mask;
      places[place] = this.#places[from]!;
      places[place + 1] = hash;
    }
    const starts = new Uint32Array(places.length / 4 + 1);
    starts.set(this.#starts);
    this.#places = places;
    this.#starts = starts;
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
