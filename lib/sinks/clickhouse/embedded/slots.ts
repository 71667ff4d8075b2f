import { queryError } from "./errors.ts";

/** A bounded number of queries at a time; the others wait, in order, and a bounded number of them. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number, readonly waitingMax: number) {
    this.#free = count;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a slot, waiting for one.
   *
   * @returns what gives it back
   * @throws {QueryError} TOO_MANY_SIMULTANEOUS_QUERIES when too many wait already
   */
  async take(): Promise<() => void> {
    if (this.#free === 0) {
      if (this.#waiting.length >= this.waitingMax) {
        throw queryError(
          "TOO_MANY_SIMULTANEOUS_QUERIES",
          `Too many simultaneous queries: ${this.waitingMax} wait already`,
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#free--;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }
}
