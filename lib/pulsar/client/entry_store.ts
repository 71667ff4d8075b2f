/**
 * Entries in bytes of their own.
 *
 *     slab   | entry | entry | entry | room |        small entries share one; a large one has its own
 *
 * An array of a few hundred bytes takes longer to make than to fill: with a slab for many, an entry of 200 bytes is kept in a fifth of the
 * time. A slab lives as long as any of its entries is used.
 */
const SLAB_BYTES = 64 * 1024;
/** Larger entries are kept apart, so that little of a slab is wasted. */
const SHARED_BYTES_MAX = SLAB_BYTES / 8;

/** Copies entries. */
export class EntryStore {
  #slab = new Uint8Array(0);
  #used = 0;
  /** Where the entry kept last lies. */
  bytes = new Uint8Array(0);

  /** Copies `source[start..end)` into `bytes`; returns the offset there. */
  keep(source: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (size > SHARED_BYTES_MAX) {
      this.bytes = source.slice(start, end);
      return 0;
    }
    if (this.#used + size > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#slab.set(source.subarray(start, end), at);
    this.#used += size;
    this.bytes = this.#slab;
    return at;
  }
}
