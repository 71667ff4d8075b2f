/**
 * Frames out of a byte stream, in place.
 *
 *     slab   | frames dealt with | whole frames | part of one | room |
 *            0                   position       …             filled
 *
 * The stream is read into one large slab and frames are views of it. A frame that must outlive the next read is held (`hold()`): its slab is
 * then left alone and reading goes on in another, which the pool gives back later. Nothing is copied but the part of a frame at a slab's end.
 */
import { assert, readUint32 } from "../../base/mod.ts";
import { malformed, PulsarError } from "./errors.ts";
import { DEFAULT_FRAME_BYTES_MAX, Frame } from "./frame.ts";

/** Slabs grow to this while the peer fills them; larger ones only for larger frames. */
const SLAB_BYTES_USUAL_MAX = 1024 * 1024;
/** Below this much room a slab counts as full. */
const ROOM_BYTES_MIN = 4096;
const SPARE_SLABS_MAX = 2;

interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  holds: number;
}

/** Options of a {@link FrameReader}. */
export interface FrameReaderOptions {
  /** Largest total size of a frame that is accepted. */
  readonly frameBytesMax?: number;
  /** Size of the first slab. */
  readonly initialBytes?: number;
}

/**
 * Cuts a byte stream into frames.
 *
 * @example
 * ```ts
 * import { FrameReader } from "./frame_reader.ts";
 * import { decodeCommand, encodeCommand } from "./command.ts";
 * import assert from "node:assert/strict";
 * const reader = new FrameReader();
 * const bytes = encodeCommand("PING", {});
 * reader.room().set(bytes);
 * reader.filled(bytes.length);
 * assert.equal(decodeCommand(reader.next()!)?.type, "PING");
 * assert.equal(reader.next(), undefined);
 * ```
 */
export class FrameReader {
  /** May be raised after CONNECTED. */
  frameBytesMax: number;
  readonly #frame = new Frame();
  readonly #spare: Slab[] = [];
  #slab: Slab;
  #position = 0;
  #filled = 0;

  constructor(options: FrameReaderOptions = {}) {
    this.frameBytesMax = options.frameBytesMax ?? DEFAULT_FRAME_BYTES_MAX;
    this.#slab = { bytes: new Uint8Array(options.initialBytes ?? 64 * 1024), holds: 0 };
  }

  /** Where the next bytes of the stream go; never empty. Ends the life of every frame that is not held. */
  room(): Uint8Array<ArrayBuffer> {
    const { bytes, holds } = this.#slab;
    if (this.#position === this.#filled && holds === 0) {
      const wasFull = this.#filled === bytes.length;
      this.#position = this.#filled = 0;
      if (wasFull && bytes.length < SLAB_BYTES_USUAL_MAX) this.#move(bytes.length * 2);
    } else if (bytes.length - this.#filled < this.#missing()) {
      this.#makeRoom();
    }
    return this.#slab.bytes.subarray(this.#filled);
  }

  /** Says how many bytes of the room were written. */
  filled(count: number): void {
    this.#filled += count;
    assert(this.#filled <= this.#slab.bytes.length, "more bytes than there was room for");
  }

  /**
   * The next whole frame, in an object that the next call uses again, or undefined until there are more bytes.
   *
   * @throws {PulsarError} `frame_too_large` or `malformed` with the offset in the slab; the stream cannot be read on
   */
  next(): Frame | undefined {
    const there = this.#filled - this.#position;
    if (there < 4) return undefined;
    const start = this.#position;
    const total = this.#total();
    if (there < 4 + total) return undefined;
    this.#position = start + 4 + total;
    return this.#frame.read(this.#slab.bytes, start, this.#position);
  }

  /** Keeps the bytes of the frame last returned until the result is called. */
  hold(): () => void {
    const slab = this.#slab;
    slab.holds++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      slab.holds--;
      if (slab.holds === 0 && slab !== this.#slab) this.#giveBack(slab);
    };
  }

  /** Bytes of a frame that has only come in part. */
  get pendingBytes(): number {
    return this.#filled - this.#position;
  }

  #total(): number {
    const total = readUint32(this.#slab.bytes, this.#position);
    if (total > this.frameBytesMax) {
      throw new PulsarError(
        `Cannot read frame: ${total} bytes announced, at most ${this.frameBytesMax} allowed`,
        { code: "frame_too_large", offset: this.#position },
      );
    }
    if (total < 4) throw malformed("frame", `a total size of ${total}`, this.#position);
    return total;
  }

  /** How much room is wanted: for the rest of the frame that has begun, but no more than arrives soon anyway. */
  #missing(): number {
    const there = this.#filled - this.#position;
    if (there < 4) return ROOM_BYTES_MIN;
    const rest = 4 + this.#total() - there;
    return Math.min(Math.max(rest, ROOM_BYTES_MIN), Math.max(there, ROOM_BYTES_MIN));
  }

  #makeRoom(): void {
    const { bytes, holds } = this.#slab;
    const there = this.#filled - this.#position;
    const wanted = there + this.#missing();
    if (holds === 0 && wanted <= bytes.length) {
      bytes.copyWithin(0, this.#position, this.#filled);
      this.#position = 0;
      this.#filled = there;
      return;
    }
    const usual = Math.min(bytes.length * 2, SLAB_BYTES_USUAL_MAX);
    this.#move(Math.max(wanted, usual));
  }

  #move(size: number): void {
    const old = this.#slab;
    const tail = old.bytes.subarray(this.#position, this.#filled);
    this.#slab = this.#take(size);
    this.#slab.bytes.set(tail);
    this.#position = 0;
    this.#filled = tail.length;
    if (old.holds === 0) this.#giveBack(old);
  }

  #take(size: number): Slab {
    const index = this.#spare.findIndex((slab) => slab.bytes.length >= size);
    if (index >= 0) return this.#spare.splice(index, 1)[0]!;
    return { bytes: new Uint8Array(size), holds: 0 };
  }

  #giveBack(slab: Slab): void {
    const usual = slab.bytes.length === SLAB_BYTES_USUAL_MAX;
    if (usual && this.#spare.length < SPARE_SLABS_MAX) this.#spare.push(slab);
  }
}
