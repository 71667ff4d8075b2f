/** A list of at most about so many items, evenly spaced among all that were added. */
export class Thinned<T> {
  readonly #itemsMax: number;
  #items: T[] = [];
  #step = 1;
  #count = 0;

  /** @param itemsMax at most twice as many are kept, at least as many where there were so many */
  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  /** How many were added. */
  get count(): number {
    return this.#count;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    if (this.#count++ % this.#step !== 0) return;
    this.#items.push(item);
    if (this.#items.length <= 2 * this.#itemsMax) return;
    this.#items = this.#items.filter((_, i) => i % 2 === 0);
    this.#step *= 2;
  }
}
