import { textOf } from "../base/mod.ts";
import { StreamError } from "./errors.ts";

/** Reads what ByteWriter wrote; everything that does not fit is a `corrupt_checkpoint` with its offset. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.uint8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw this.corrupt("a number goes on beyond 8 bytes");
  }

  /** A count of things of which each takes at least `bytesEach`, so that a damaged count cannot make a huge array. */
  count(bytesEach: number): number {
    const value = this.varint();
    if (value * bytesEach > this.#bytes.length - this.#offset) {
      throw this.corrupt(`a count of ${value} does not fit`);
    }
    return value;
  }

  /** A copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>;
  }

  text(): string {
    const value = this.bytes();
    try {
      return textOf(value);
    } catch (cause) {
      throw this.corrupt("a text is not UTF-8", cause);
    }
  }

  texts(): string[] {
    return Array.from({ length: this.count(1) }, () => this.text());
  }

  uint32s(target: Uint32Array, start: number, count: number): void {
    for (let i = 0; i < count; i++) target[start + i] = this.uint32();
  }

  /** @throws {StreamError} when bytes are left */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw this.corrupt("bytes are left at the end");
  }

  corrupt(what: string, cause?: unknown): StreamError {
    return new StreamError(`Cannot read the checkpoint: ${what}, at offset ${this.#offset}`, {
      code: "corrupt_checkpoint",
      cause,
    });
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw this.corrupt(`${length} bytes are not there`);
    this.#offset = start + length;
    return start;
  }
}
