import { assert } from "../../../base/mod.ts";

/** Bytes of a slab: five batches of 1,000 messages of 184 bytes. */
export const SLAB_BYTES = 1024 * 1024;

/**
 * Memory that several may look at: the tail of a log, and every connection that still has to write a part of it.
 * It goes back to its pool when the last one has let go, and only then is it written over.
 */
export class Slab {
  #holders = 1;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>, private readonly pool: SlabPool) {}

  /** One more looks at it. */
  retain(): void {
    assert(this.#holders > 0, "a slab was retained after its last release");
    this.#holders++;
  }

  /** One lets go. */
  release(): void {
    assert(this.#holders > 0, "a slab was released more often than retained");
    this.#holders--;
    if (this.#holders === 0) this.pool.give(this);
  }

  /** @internal Takes it out of the pool again. */
  revive(): void {
    this.#holders = 1;
  }
}

/** Keeps slabs for reuse, the last one given first: its bytes are still in the processor's cache. */
export class SlabPool {
  readonly #free: Slab[] = [];
  #bytesInUse = 0;

  /** @param freeBytesMax how much memory to keep that nobody uses */
  constructor(private readonly freeBytesMax: number = 8 * SLAB_BYTES) {}

  /** Bytes of all slabs that someone holds. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** A slab of at least `bytesMin` bytes; its content is undefined. */
  take(bytesMin: number): Slab {
    const pooled = bytesMin <= SLAB_BYTES ? this.#free.pop() : undefined;
    const slab = pooled ?? new Slab(new Uint8Array(Math.max(bytesMin, SLAB_BYTES)), this);
    if (pooled !== undefined) slab.revive();
    this.#bytesInUse += slab.bytes.length;
    return slab;
  }

  /** @internal Called by the slab's last release. */
  give(slab: Slab): void {
    this.#bytesInUse -= slab.bytes.length;
    const keep = slab.bytes.length === SLAB_BYTES &&
      (this.#free.length + 1) * SLAB_BYTES <= this.freeBytesMax;
    if (keep) this.#free.push(slab);
  }
}
