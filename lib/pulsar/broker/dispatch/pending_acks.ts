const HASHES = 0x10000;

/**
 * What a consumer has been sent and nobody has acknowledged: of each entry how many messages are left, and the hash of its key.
 * (Pulsar: PendingAcksMap.)
 */
export class PendingAcks {
  /** Number of messages left, times 65536, plus the hash. */
  readonly #left = new Map<number, number>();
  #messages = 0;

  /** Messages that are not acknowledged. */
  get messages(): number {
    return this.#messages;
  }

  get entries(): number {
    return this.#left.size;
  }

  has(place: number): boolean {
    return this.#left.has(place);
  }

  /** Messages of an entry that are left, 0 when it is not here. */
  messagesOf(place: number): number {
    return Math.floor((this.#left.get(place) ?? 0) / HASHES);
  }

  /** Hash of the entry's key, 0 where there is none. */
  hashOf(place: number): number {
    return (this.#left.get(place) ?? 0) % HASHES;
  }

  add(place: number, messages: number, hash: number): void {
    this.#messages += messages - this.messagesOf(place);
    this.#left.set(place, messages * HASHES + hash);
  }

  /** Some messages of the entry are acknowledged, not all. */
  reduce(place: number, messages: number): void {
    const packed = this.#left.get(place);
    if (packed === undefined) return;
    const reduced = Math.min(messages, Math.floor(packed / HASHES));
    this.#messages -= reduced;
    this.#left.set(place, packed - reduced * HASHES);
  }

  /** @returns the messages that were left */
  remove(place: number): number {
    const messages = this.messagesOf(place);
    if (this.#left.delete(place)) this.#messages -= messages;
    return messages;
  }

  /** Their places, in the order in which they were sent. */
  places(): IterableIterator<number> {
    return this.#left.keys();
  }

  clear(): void {
    this.#left.clear();
    this.#messages = 0;
  }
}
