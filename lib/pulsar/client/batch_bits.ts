/**
 * Which messages of a batch are not acknowledged yet: `ack_set` in PulsarApi.proto.
 *
 *     word 0, bit 0 … 63 | word 1, bit 64 … | …          1: not acknowledged; words of zeros at the end are left out
 */

const WORD_BITS = 32;

/** A set of places in one batch. */
export class BatchBits {
  readonly length: number;
  readonly #words: Uint32Array;
  #count: number;

  private constructor(length: number, words: Uint32Array, count: number) {
    this.length = length;
    this.#words = words;
    this.#count = count;
  }

  /** Every place of a batch of `length` messages. */
  static full(length: number): BatchBits {
    const words = new Uint32Array(Math.ceil(length / WORD_BITS)).fill(0xffffffff);
    const rest = length % WORD_BITS;
    if (rest !== 0) words[words.length - 1] = 2 ** rest - 1;
    return new BatchBits(length, words, length);
  }

  /** From an ack set; bits beyond the batch's end are dropped. */
  static fromAckSet(ackSet: readonly bigint[], length: number): BatchBits {
    const words = new Uint32Array(Math.ceil(length / WORD_BITS));
    let count = 0;
    for (let i = 0; i < length; i++) {
      const word = ackSet[i >>> 6] ?? 0n;
      if (((word >> BigInt(i & 63)) & 1n) === 0n) continue;
      words[i >>> 5]! |= 1 << (i & 31);
      count++;
    }
    return new BatchBits(length, words, count);
  }

  /** How many places are in it. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return index < this.length && (this.#words[index >>> 5]! & (1 << (index & 31))) !== 0;
  }

  /** Takes a place out; false if it was not in it. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.#words[index >>> 5]! &= ~(1 << (index & 31));
    this.#count--;
    return true;
  }

  /** Takes all places up to and with `index` out. */
  clearUpTo(index: number): void {
    const last = Math.min(index, this.length - 1);
    if (last < 0) return;
    const word = last >>> 5;
    for (let i = 0; i < word; i++) this.#keep(i, 0);
    // A shift by 32 is one by 0.
    this.#keep(word, (last & 31) === 31 ? 0 : 0xffffffff << ((last & 31) + 1));
  }

  /** As it goes over the wire. */
  toAckSet(): bigint[] {
    const ackSet: bigint[] = [];
    for (let i = 0; i < this.#words.length; i += 2) {
      const high = BigInt(this.#words[i + 1] ?? 0);
      ackSet.push(BigInt.asIntN(64, (high << 32n) | BigInt(this.#words[i]!)));
    }
    while (ackSet.length > 0 && ackSet.at(-1) === 0n) ackSet.pop();
    return ackSet;
  }

  #keep(word: number, mask: number): void {
    const before = this.#words[word]!;
    const after = (before & mask) >>> 0;
    if (after === before) return;
    this.#words[word] = after;
    this.#count -= bitsIn(before) - bitsIn(after);
  }
}

/** How many bits of 32 are set (Hacker's Delight, 5-1). */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
