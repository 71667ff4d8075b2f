import type { Slab } from "../log/mod.ts";

/** From this on, no more messages are taken from the log for a connection until it has written some. */
const FULL_BYTES = 1024 * 1024;
/** From this on, nothing more is read from a peer that does not read its answers. */
const STUFFED_BYTES = 4 * 1024 * 1024;
/** Up to this it is cheaper to copy an entry beside others than to write it by itself. */
const COPY_BYTES_MAX = 8 * 1024;
const BUFFER_BYTES = 64 * 1024;

interface Chunk {
  readonly bytes: Uint8Array;
  /** Held until the bytes are written. */
  readonly slab: Slab | undefined;
}

/** The writing side of a socket. */
export interface Writable {
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What hears of an outbox. */
export interface OutboxListener {
  /** There is room again after `isFull`. */
  drained(): void;
  /** The socket took no more; nothing more is written. */
  writeFailed(error: unknown): void;
}

/**
 * What is still to be written to one connection, in order. Commands are gathered, large entries are written from where they lie.
 * Whoever adds messages asks `isFull` first, so a peer that does not read costs a bounded amount of memory.
 */
export class Outbox {
  readonly #chunks: Chunk[] = [];
  #buffer = new Uint8Array(1024);
  /** First byte of the buffer that is in no chunk yet. */
  #from = 0;
  #used = 0;
  #pendingBytes = 0;
  #isWriting = false;
  #wasFull = false;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];
  readonly #flushing: (() => void)[] = [];

  constructor(private readonly socket: Writable, private readonly listener: OutboxListener) {}

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Whether to hold messages back; `drained` is called when that has changed. */
  get isFull(): boolean {
    const isFull = this.#pendingBytes >= FULL_BYTES;
    this.#wasFull ||= isFull;
    return isFull;
  }

  /** Adds a copy of `bytes[start..end)`. */
  add(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const count = end - start;
    if (this.#isClosed || count === 0) return;
    if (this.#used + count > this.#buffer.length) {
      this.#seal();
      this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES, count));
      this.#from = this.#used = 0;
    }
    this.#buffer.set(
      start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
      this.#used,
    );
    this.#used += count;
    this.#pendingBytes += count;
    this.#wake();
  }

  /** Adds a part of a slab, holding it until it is written. */
  addSlab(slab: Slab, start: number, end: number): void {
    if (this.#isClosed) return;
    if (end - start <= COPY_BYTES_MAX) {
      this.add(slab.bytes, start, end);
      return;
    }
    this.#seal();
    slab.retain();
    this.#chunks.push({ bytes: slab.bytes.subarray(start, end), slab });
    this.#pendingBytes += end - start;
    this.#wake();
  }

  #seal(): void {
    if (this.#from === this.#used) return;
    this.#chunks.push({ bytes: this.#buffer.subarray(this.#from, this.#used), slab: undefined });
    this.#from = this.#used;
  }

  /** Writing begins when the present turn is over, so that what it adds goes out together. */
  #wake(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        if (this.#chunks.length === 0) this.#seal();
        const chunk = this.#chunks.shift();
        if (chunk === undefined || this.#isClosed) {
          chunk?.slab?.release();
          break;
        }
        try {
          await this.#write(chunk.bytes);
        } finally {
          chunk.slab?.release();
        }
      }
      // Everything in the buffer is written: begin it again.
      if (this.#from === this.#used) this.#from = this.#used = 0;
      this.#isWriting = false;
      this.#flushed();
    } catch (error) {
      this.close();
      this.listener.writeFailed(error);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const count = await this.socket.write(rest);
      this.#pendingBytes -= count;
      rest = rest.subarray(count);
      if (this.#wasFull && this.#pendingBytes < FULL_BYTES / 2) {
        this.#wasFull = false;
        this.listener.drained();
      }
    }
    if (this.#waiting.length > 0 && this.#pendingBytes < STUFFED_BYTES) this.#release();
  }

  #flushed(): void {
    for (const resolve of this.#flushing.splice(0)) resolve();
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when the peer has read enough of its answers to be listened to again. */
  roomy(): Promise<void> | undefined {
    if (this.#pendingBytes < STUFFED_BYTES || this.#isClosed) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when everything is written, or nothing more will be. */
  flushed(): Promise<void> {
    if (!this.#isWriting || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#flushing.push(resolve));
  }

  /** Forgets what was not written. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const chunk of this.#chunks.splice(0)) chunk.slab?.release();
    this.#release();
    this.#flushed();
  }
}
