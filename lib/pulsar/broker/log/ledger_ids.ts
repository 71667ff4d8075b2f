import type { Disk } from "../../../base/mod.ts";
import { textOf, utf8, writeDurably } from "../../../base/mod.ts";

/** Enough for every topic that could be made while the next block is being reserved. */
const BLOCK = 100_000;
const NAME = "ledgers";

/**
 * Hands out ledger ids that never come again in this data folder, also after a crash: like Pulsar's, they name an entry without its topic.
 * A whole block is reserved durably at a time, so most calls touch no disk.
 */
export class LedgerIds {
  #next: number;
  #reserved: number;
  #reserving: Promise<void> | undefined;

  private constructor(
    private readonly disk: Disk,
    private readonly folder: string,
    reserved: number,
  ) {
    this.#next = reserved;
    this.#reserved = reserved;
  }

  /** Reads where the last broker on this folder had got, and reserves the first block. */
  static async open(disk: Disk, folder: string): Promise<LedgerIds> {
    const bytes = disk.readFile(`${folder}/${NAME}`);
    const ids = new LedgerIds(disk, folder, bytes === undefined ? 1 : Number(textOf(bytes)));
    await ids.#reserve();
    return ids;
  }

  async #reserve(): Promise<void> {
    const upTo = this.#reserved + BLOCK;
    await writeDurably(this.disk, this.folder, NAME, utf8(String(upTo)));
    this.#reserved = upTo;
  }

  /** @throws when the block is used up and the next one could not be written yet */
  next(): number {
    if (this.#reserved - this.#next < BLOCK / 2) this.#reserveInBackground();
    if (this.#next >= this.#reserved) throw new Error("no ledger id could be reserved");
    return this.#next++;
  }

  /** A failure shows when the block is used up; every call before that tries again. */
  #reserveInBackground(): void {
    this.#reserving ??= this.#reserve().catch(() => {}).finally(() => {
      this.#reserving = undefined;
    });
  }

  /** Waits for a reservation under way. */
  async close(): Promise<void> {
    await this.#reserving;
  }
}
