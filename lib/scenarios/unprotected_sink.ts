import type { InsertOptions, InsertReceipt, RowBatch, Sink } from "../contract.ts";

/**
 * A sink without the two protections against doubling: each insert carries a token of its own, so none is recognised, and what is asked back is
 * only what this process inserted itself, so that a restart inserts again what is there already. It exists to see the damage, and
 * that the verdict proves it.
 */
export class UnprotectedSink implements Sink {
  readonly #inner: Sink;
  readonly #insertedHere = new Set<string>();

  constructor(inner: Sink) {
    this.#inner = inner;
  }

  get systemName(): string {
    return this.#inner.systemName;
  }

  async insert(batch: RowBatch, options: InsertOptions): Promise<InsertReceipt> {
    const receipt = await this.#inner.insert(batch, { ...options, token: crypto.randomUUID() });
    this.#insertedHere.add(batch.batchId);
    return receipt;
  }

  count({ batchId, rows }: RowBatch): Promise<number> {
    return Promise.resolve(this.#insertedHere.has(batchId) ? rows.length : 0);
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
