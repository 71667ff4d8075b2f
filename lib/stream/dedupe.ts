import type { ByteReader } from "./_byte_reader.ts";
import type { ByteWriter } from "./_byte_writer.ts";
import { StreamError } from "./errors.ts";

/** How far above the low-water mark the bitmap reaches, in sequences; a power of two. */
const REACH = 1024;
const MASK = REACH - 1;
const WORDS = REACH / 32;

/** A range of sequences that never came: `[from, to)`. */
interface Gap {
  from: number;
  to: number;
}

/**
 * Knows which sequences of each source have come, exactly, in bounded space.
 *
 *     all came, but for the gaps      │ low-water mark, may come any moment
 *     ────────[gap]────────[gap]──────┼─1─0─1─1─0──────► bitmap of 1,024
 *
 * A source's sequences are gapless from 0, so in order costs one comparison. What runs ahead is a bit. When a sequence comes from
 * beyond the bitmap's reach, the mark moves up, and what has not come below it is remembered as a gap: a sequence below the mark is a
 * duplicate only if it is in no gap. Gaps are bounded over the partition; one more is an error, never a guess.
 *
 * @example
 * ```ts
 * import { Dedupe } from "./dedupe.ts";
 * import assert from "node:assert/strict";
 * const dedupe = new Dedupe();
 * assert.deepEqual([dedupe.isFirst(0, 0), dedupe.isFirst(0, 2), dedupe.isFirst(0, 2)], [true, true, false]);
 * assert.equal(dedupe.duplicatesOf(0), 1);
 * ```
 */
export class Dedupe {
  /** Ranges that it remembers at most. */
  readonly gapsMax: number;
  #capacity = 0;
  #lowWater = new Float64Array(0);
  /** How many bits of a source's bitmap are set. */
  #ahead = new Uint16Array(0);
  #bits = new Uint32Array(0);
  #duplicates = new Float64Array(0);
  /** Sorted, by slot. */
  readonly #gaps = new Map<number, Gap[]>();
  #gapCount = 0;

  /** @param options `gapsMax` bounds the ranges of missing sequences in the partition */
  constructor({ gapsMax = 65_536 }: { readonly gapsMax?: number } = {}) {
    this.gapsMax = gapsMax;
  }

  /**
   * Notes a sequence.
   *
   * @param slot number of the source
   * @param sequence from 0
   * @returns whether it had not come before; otherwise it is counted as a duplicate
   * @throws {StreamError} `dedupe_reach` when more gaps would be open than it may remember
   */
  isFirst(slot: number, sequence: number): boolean {
    if (slot >= this.#capacity) this.#grow(slot);
    if (sequence === this.#lowWater[slot] && this.#ahead[slot] === 0) {
      this.#lowWater[slot] = sequence + 1;
      return true;
    }
    if (this.#isFirstOutOfOrder(slot, sequence)) return true;
    this.#duplicates[slot]!++;
    return false;
  }

  /** How many duplicates of a source were dropped. */
  duplicatesOf(slot: number): number {
    return this.#duplicates[slot] ?? 0;
  }

  /** How many duplicates were dropped. */
  get duplicateCount(): number {
    return this.#duplicates.reduce((sum, count) => sum + count, 0);
  }

  /** The low-water mark: all sequences below have come, but for those in gaps. */
  lowWaterOf(slot: number): number {
    return this.#lowWater[slot] ?? 0;
  }

  /** Ranges of missing sequences below the marks. */
  get gapCount(): number {
    return this.#gapCount;
  }

  #isFirstOutOfOrder(slot: number, sequence: number): boolean {
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new StreamError(
        `Cannot tell duplicates: sequence ${sequence} is not a whole number of 0 to ${Number.MAX_SAFE_INTEGER}`,
        { code: "unreadable_message" },
      );
    }
    const lowWater = this.#lowWater[slot]!;
    if (sequence < lowWater) return this.#fillGap(slot, sequence);
    if (sequence >= lowWater + REACH) this.#slide(slot, sequence - REACH + 1);
    if (this.#isSet(slot, sequence)) return false;
    this.#flip(slot, sequence);
    this.#ahead[slot]!++;
    this.#climb(slot);
    return true;
  }

  /** Raises the mark over everything that came in a row. */
  #climb(slot: number): void {
    let lowWater = this.#lowWater[slot]!;
    while (this.#ahead[slot]! > 0 && this.#isSet(slot, lowWater)) {
      this.#flip(slot, lowWater);
      this.#ahead[slot]!--;
      lowWater++;
    }
    this.#lowWater[slot] = lowWater;
  }

  /** Raises the mark to `floor`, leaving what is missing below as gaps. */
  #slide(slot: number, floor: number): void {
    let sequence = this.#lowWater[slot]!;
    while (sequence < floor) {
      if (this.#ahead[slot] === 0) {
        this.#addGap(slot, sequence, floor);
        break;
      }
      if (this.#isSet(slot, sequence)) {
        this.#flip(slot, sequence);
        this.#ahead[slot]!--;
      } else {
        this.#addGap(slot, sequence, sequence + 1);
      }
      sequence++;
    }
    this.#lowWater[slot] = floor;
  }

  #addGap(slot: number, from: number, to: number): void {
    let gaps = this.#gaps.get(slot);
    if (gaps === undefined) this.#gaps.set(slot, gaps = []);
    const last = gaps.at(-1);
    if (last !== undefined && last.to === from) {
      last.to = to;
      return;
    }
    this.#countGap();
    gaps.push({ from, to });
  }

  #countGap(): void {
    if (this.#gapCount >= this.gapsMax) {
      throw new StreamError(
        `Cannot tell duplicates: more than ${this.gapsMax} ranges of sequences are missing`,
        {
          code: "dedupe_reach",
          cure: "find out what the topic lost, or begin a new run on a new topic",
        },
      );
    }
    this.#gapCount++;
  }

  /** Takes a sequence out of the gap that it lies in, if it does. */
  #fillGap(slot: number, sequence: number): boolean {
    const gaps = this.#gaps.get(slot);
    const at = gaps?.findIndex((gap) => sequence >= gap.from && sequence < gap.to) ?? -1;
    if (gaps === undefined || at < 0) return false;
    const { from, to } = gaps[at]!;
    const rest = [{ from, to: sequence }, { from: sequence + 1, to }].filter((gap) =>
      gap.from < gap.to
    );
    if (rest.length === 2) this.#countGap();
    if (rest.length === 0) this.#gapCount--;
    gaps.splice(at, 1, ...rest);
    if (gaps.length === 0) this.#gaps.delete(slot);
    return true;
  }

  #isSet(slot: number, sequence: number): boolean {
    return (this.#bits[slot * WORDS + ((sequence & MASK) >>> 5)]! & (1 << (sequence & 31))) !== 0;
  }

  #flip(slot: number, sequence: number): void {
    this.#bits[slot * WORDS + ((sequence & MASK) >>> 5)]! ^= 1 << (sequence & 31);
  }

  #grow(slot: number): void {
    const capacity = Math.max(64, this.#capacity * 2, slot + 1);
    const lowWater = new Float64Array(capacity);
    lowWater.set(this.#lowWater);
    const ahead = new Uint16Array(capacity);
    ahead.set(this.#ahead);
    const bits = new Uint32Array(capacity * WORDS);
    bits.set(this.#bits);
    const duplicates = new Float64Array(capacity);
    duplicates.set(this.#duplicates);
    this.#lowWater = lowWater;
    this.#ahead = ahead;
    this.#bits = bits;
    this.#duplicates = duplicates;
    this.#capacity = capacity;
  }

  /** Writes its state for the first `sourceCount` sources. */
  write(writer: ByteWriter, sourceCount: number): void {
    for (let slot = 0; slot < sourceCount; slot++) {
      writer.varint(this.lowWaterOf(slot));
      writer.varint(this.duplicatesOf(slot));
      const ahead = this.#ahead[slot] ?? 0;
      writer.varint(ahead);
      for (let word = 0; ahead > 0 && word < WORDS; word++) {
        writer.uint32(this.#bits[slot * WORDS + word]!);
      }
      const gaps = this.#gaps.get(slot) ?? [];
      writer.varint(gaps.length);
      for (const gap of gaps) {
        writer.varint(gap.from);
        writer.varint(gap.to);
      }
    }
  }

  /** Reads what {@link write} wrote. */
  static read(reader: ByteReader, sourceCount: number): Dedupe {
    const dedupe = new Dedupe();
    if (sourceCount > 0) dedupe.#grow(sourceCount - 1);
    for (let slot = 0; slot < sourceCount; slot++) {
      dedupe.#lowWater[slot] = reader.varint();
      dedupe.#duplicates[slot] = reader.varint();
      const ahead = reader.varint();
      dedupe.#ahead[slot] = ahead;
      for (let word = 0; ahead > 0 && word < WORDS; word++) {
        dedupe.#bits[slot * WORDS + word] = reader.uint32();
      }
      const gapCount = reader.count(2);
      for (let i = 0; i < gapCount; i++) dedupe.#addGap(slot, reader.varint(), reader.varint());
    }
    return dedupe;
  }
}
