import { concatBytes } from "../../base/mod.ts";
import type { Transport } from "./transport.ts";

/** Commands up to this size are joined, so that acknowledgements and permits share a system call. */
const JOINED_BYTES_MAX = 16 * 1024;

/** Writes arrays to a transport in order. What waits is bounded by the producers' bounds of batches in flight; the rest are small commands. */
export class WriteQueue {
  readonly #transport: Transport;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #writing = false;
  #idle: (() => void)[] = [];

  constructor(transport: Transport, onError: (error: unknown) => void) {
    this.#transport = transport;
    this.#onError = onError;
  }

  /** Queues bytes, which must not change until they are written. */
  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    if (!this.#writing) void this.#drain();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#writing) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting.length > 0) {
        let rest = this.#next();
        while (rest.length > 0) rest = rest.subarray(await this.#transport.write(rest));
      }
    } catch (error) {
      this.#waiting = [];
      this.#onError(error);
    }
    this.#writing = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #next(): Uint8Array {
    let count = 0;
    let size = 0;
    while (
      count < this.#waiting.length && size + this.#waiting[count]!.length <= JOINED_BYTES_MAX
    ) {
      size += this.#waiting[count++]!.length;
    }
    if (count <= 1) return this.#waiting.shift()!;
    return concatBytes(this.#waiting.splice(0, count));
  }
}
