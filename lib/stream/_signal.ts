/** Wakes one waiting loop. A notice that comes while nobody waits is kept, so none is missed. */
export class Signal {
  #noticed = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#noticed = true;
    this.#wake?.();
  }

  /** Resolves at the next notice, or at once if there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.#noticed) await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
    this.#noticed = false;
  }
}
