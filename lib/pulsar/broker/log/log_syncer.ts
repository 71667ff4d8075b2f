import type { Disk, MonoUs } from "../../../base/mod.ts";
import type { AppendListener } from "./append.ts";
import type { Segment } from "./segment.ts";

/** Entries that were written with one call. */
export interface Group {
  readonly segment: Segment;
  readonly listeners: readonly AppendListener[];
  readonly firstEntryId: number;
  /** When its write began. */
  readonly sinceUs: MonoUs;
  /** Of the segment, with this group. */
  readonly entryCount: number;
  /** Of the segment, with this group. */
  readonly sizeBytes: number;
}

/** Hears what became of groups, in their order. */
export interface SyncListener {
  settled(group: Group): void;
  /** These and all before them that were not settled are in doubt. */
  failed(groups: readonly Group[], error: unknown): void;
}

/** Group commit: while one sync is under way, everything written meanwhile waits for the next, which serves all of it. */
export class LogSyncer {
  #waiting: Group[] = [];
  #running: Promise<void> | undefined;
  #foldersSyncedFor = -1;

  constructor(
    private readonly disk: Disk,
    private readonly folder: string,
    private readonly listener: SyncListener,
  ) {}

  /** Takes a group that was written. */
  add(group: Group): void {
    this.#waiting.push(group);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const groups = this.#waiting;
      this.#waiting = [];
      try {
        await this.#sync(groups);
      } catch (error) {
        const inDoubt = [...groups, ...this.#waiting];
        this.#waiting = [];
        this.listener.failed(inDoubt, error);
        continue;
      }
      for (const group of groups) this.listener.settled(group);
    }
  }

  async #sync(groups: readonly Group[]): Promise<void> {
    for (const segment of new Set(groups.map((group) => group.segment))) {
      await segment.file().sync();
      if (segment.ledgerId <= this.#foldersSyncedFor) continue;
      await this.disk.syncFolder(this.folder);
      this.#foldersSyncedFor = segment.ledgerId;
    }
  }
}
