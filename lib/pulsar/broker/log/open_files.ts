/** What keeps a file open, and can do without for a while. */
export interface FileHolder {
  /** Nothing is under way that needs the open file. */
  readonly isQuiet: boolean;
  closeFile(): void;
}

/** Bounds the files that all logs have open together: one that was opened long ago is closed, and opened again when it is used. */
export class OpenFiles {
  /** In the order in which they were opened. */
  readonly #holders = new Set<FileHolder>();

  constructor(private readonly filesMax: number) {}

  get count(): number {
    return this.#holders.size;
  }

  opened(holder: FileHolder): void {
    this.#holders.add(holder);
    if (this.#holders.size <= this.filesMax) return;
    for (const oldest of this.#holders) {
      if (oldest === holder || !oldest.isQuiet) continue;
      oldest.closeFile();
      return;
    }
  }

  closed(holder: FileHolder): void {
    this.#holders.delete(holder);
  }
}
