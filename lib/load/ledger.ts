import { messageOf } from "../base/mod.ts";
import type { Clock, Disk, DiskFile } from "../base/mod.ts";
import type { Ledger, LedgerRange } from "../contract.ts";
import { CHAIN_BEGIN, encodeLine, LEDGER_VERSION, LedgerError } from "./ledger_format.ts";
import type { LedgerHeader, LedgerLine } from "./ledger_format.ts";
import { ledgerPath, readLedger } from "./read_ledger.ts";
import type { LedgerContents } from "./read_ledger.ts";
import type { ScheduleChange } from "./schedule.ts";

/** Where and how a ledger is kept. */
export interface LedgerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** The ledger folder of the run; made when missing. */
  readonly folder: string;
  /** One file each, so that several producers may share a run. */
  readonly producerName?: string;
  /** The longest that a note may exist in the page cache only: what a power loss may take, wall time. */
  readonly syncIntervalMs?: number;
}

/**
 * The producer's ledger in a file.
 *
 * `flush` hands the notes to the operating system in one write, so kill −9 of the process loses none of them; the
 * disk itself follows at an interval, which only a power loss can tell.
 */
export class FileLedger implements Ledger {
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #stopSyncing: () => void;
  #sizeBytes: number;
  /** Of the last line. */
  #chain: number;
  #sent: number[][] = [];
  #acked: [number, number, number][] = [];
  #dirty = false;
  #syncing: Promise<void> = Promise.resolve();
  #syncError: unknown;
  #closed = false;

  private constructor(file: DiskFile, chain: number, options: LedgerOptions) {
    this.#file = file;
    this.#chain = chain;
    this.#sizeBytes = file.sizeBytes();
    this.#clock = options.clock;
    const intervalMs = options.syncIntervalMs ?? 1000;
    this.#stopSyncing = options.clock.every(intervalMs, () => this.#sync());
  }

  /**
   * Begins a new ledger.
   *
   * @throws {LedgerError} `exists` when there is one already: it is resumed, never overwritten
   */
  static create(header: LedgerHeader, options: LedgerOptions): FileLedger {
    const { disk, folder, producerName = "produce" } = options;
    disk.makeFolder(folder);
    const path = ledgerPath(folder, producerName);
    if (!disk.createNew(path)) {
      throw new LedgerError(`Cannot begin ledger: ${JSON.stringify(path)} exists`, {
        code: "exists",
        cure: "take another run folder, or resume this run",
      });
    }
    const ledger = new FileLedger(disk.open(path), CHAIN_BEGIN, options);
    ledger.#write({ header: { version: LEDGER_VERSION, ...header } });
    return ledger;
  }

  /**
   * Goes on with the ledger of a producer that died: cuts a torn last line and notes the restart.
   *
   * @throws {LedgerError} as {@link readLedger}
   */
  static resume(options: LedgerOptions): { ledger: FileLedger; contents: LedgerContents } {
    const path = ledgerPath(options.folder, options.producerName ?? "produce");
    const contents = readLedger(options.disk, path);
    const file = options.disk.open(path, { create: false });
    file.truncate(contents.wholeBytes);
    const ledger = new FileLedger(file, contents.chain ?? CHAIN_BEGIN, options);
    ledger.#write({ restart: { atWallMs: options.clock.wallMs() } });
    return { ledger, contents };
  }

  sent({ partition, first, count }: LedgerRange): void {
    // Batches of one flush that follow one another share an entry; the newest entry of a partition is near the end.
    for (let i = this.#sent.length - 1; i >= 0; i--) {
      const entry = this.#sent[i]!;
      if (entry[0] !== partition) continue;
      if (entryEnd(entry) !== first) break;
      entry.push(count);
      return;
    }
    this.#sent.push([partition, first, count]);
  }

  acknowledged({ partition, first, count }: LedgerRange): void {
    for (let i = this.#acked.length - 1; i >= 0; i--) {
      const entry = this.#acked[i]!;
      if (entry[0] !== partition) continue;
      if (entry[1] + entry[2] !== first) break;
      entry[2] += count;
      return;
    }
    this.#acked.push([partition, first, count]);
  }

  /** Notes that the end marker of a partition has its receipt. */
  endMarker(partition: number): void {
    this.flush();
    this.#write({ endMarker: partition });
  }

  /** Notes a change of the schedule, at once: messages after it must not go out before it is written. */
  change(change: ScheduleChange): void {
    this.flush();
    this.#write({ change });
  }

  /** Notes that nothing more will be sent. */
  end(messageCount: number): void {
    this.flush();
    this.#write({ end: { atWallMs: this.#clock.wallMs(), messageCount } });
  }

  /**
   * @throws {LedgerError} `write_failed` when the disk refuses: the batches it announces must not go out
   */
  flush(): void {
    if (this.#syncError !== undefined) throw failed(this.#syncError);
    if (this.#sent.length === 0 && this.#acked.length === 0) return;
    this.#write({
      ...(this.#sent.length > 0 ? { sent: this.#sent } : {}),
      ...(this.#acked.length > 0 ? { acked: this.#acked } : {}),
    });
    this.#sent = [];
    this.#acked = [];
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Writes what is left, waits until it would survive a power loss, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopSyncing();
    try {
      this.flush();
      await this.#syncing;
      await this.#file.sync();
    } catch (error) {
      throw error instanceof LedgerError ? error : failed(error);
    } finally {
      this.#file.close();
    }
  }

  #write(line: LedgerLine): void {
    const { bytes, chain } = encodeLine(line, this.#chain);
    try {
      this.#file.append(bytes);
    } catch (error) {
      this.#cutTorn();
      throw failed(error);
    }
    this.#chain = chain;
    this.#sizeBytes += bytes.length;
    this.#dirty = true;
  }

  /** A write that failed half way must not join the line that follows it. */
  #cutTorn(): void {
    try {
      this.#file.truncate(this.#sizeBytes);
    } catch (error) {
      this.#syncError ??= error;
    }
  }

  #sync(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#syncing = this.#syncing.then(() => this.#file.sync()).catch((error) => {
      this.#syncError ??= error;
    });
  }
}

function entryEnd(entry: readonly number[]): number {
  let end = entry[1]!;
  for (let i = 2; i < entry.length; i++) end += entry[i]!;
  return end;
}

function failed(cause: unknown): LedgerError {
  return new LedgerError(`Cannot write ledger: ${messageOf(cause)}`, {
    code: "write_failed",
    cause,
  });
}
