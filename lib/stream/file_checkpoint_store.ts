import type { Disk } from "../base/mod.ts";
import { messageOf, writeDurably } from "../base/mod.ts";
import type { CheckpointStore, StoredCheckpoint } from "../contract.ts";
import { seal, unseal } from "./_seal.ts";
import { StreamError } from "./errors.ts";

/** Epochs whose files are left when an owner tidies up: a listing that runs meanwhile must see one of them. */
const OWNERS_KEPT = 8;
const GENERATIONS_KEPT = 2;
/** How often another owner may come first before taking a partition over is given up. */
const ACQUIRE_ATTEMPTS_MAX = 100;

interface CheckpointFile {
  readonly name: string;
  readonly epoch: number;
  readonly generation: number;
}

/**
 * Keeps checkpoints in files, one folder per partition:
 *
 *     partition-3/owner-0000000007                    the epoch of an owner; the highest is in force
 *     partition-3/checkpoint-0000000007-0000000042    epoch, generation; the two newest are kept
 *
 * An owner's epoch is the name of a file made exclusively, so that no two can get the same, in whatever processes they are. A checkpoint
 * carries its owner's epoch in its name: an owner that was replaced between its check and its rename cannot put its checkpoint before its successor's.
 * Each file is written beside, synced and renamed, and the folder synced; a file that is not whole gives way to the one before it.
 */
export class FileCheckpointStore implements CheckpointStore {
  readonly #disk: Disk;
  readonly #folder: string;
  /** Of the partitions that this store acquired: the generation of the newest checkpoint. */
  readonly #generations = new Map<number, number>();

  /**
   * @param disk where
   * @param folder of the run's checkpoints; made if need be
   */
  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  async acquire(
    partition: number,
  ): Promise<{ epoch: number; checkpoint: StoredCheckpoint | undefined }> {
    const folder = this.#folderOf(partition);
    this.#disk.makeFolder(folder);
    // Nothing waits before the epoch is taken, so that calls get epochs in their order.
    const epoch = this.#takeEpoch(partition, folder);
    await this.#disk.syncFolder(this.#folder);
    const checkpoint = this.newest(partition);
    // After the reading: the owner before may have renamed the file and not synced the folder yet, and we are about to build on it.
    await this.#disk.syncFolder(folder);
    this.#generations.set(partition, checkpoint?.generation ?? 0);
    return { epoch, checkpoint };
  }

  async save(partition: number, epoch: number, bytes: Uint8Array): Promise<void> {
    this.#refuseStale(partition, epoch);
    const generation = (this.#generations.get(partition) ?? 0) + 1;
    const folder = this.#folderOf(partition);
    const name = `checkpoint-${digits(epoch)}-${digits(generation)}`;
    try {
      await writeDurably(this.#disk, folder, name, seal(bytes));
    } catch (cause) {
      this.#disk.remove(`${folder}/${name}.tmp`);
      throw new StreamError(
        `Cannot save checkpoint ${generation} of partition ${partition} in "${folder}": ${
          messageOf(cause)
        }`,
        {
          code: "checkpoint_failed",
          cure: "see that the disk has space and the folder can be written",
          cause,
        },
      );
    }
    this.#generations.set(partition, generation);
    this.#tidy(folder);
  }

  // deno-lint-ignore require-await -- a store over a network will wait here
  async assertOwner(partition: number, epoch: number): Promise<void> {
    this.#refuseStale(partition, epoch);
  }

  /**
   * The newest whole checkpoint of a partition, without taking it over: what a verifier reads.
   *
   * @throws {StreamError} `corrupt_checkpoint` when there are checkpoints and none is whole
   */
  newest(partition: number): StoredCheckpoint | undefined {
    const folder = this.#folderOf(partition);
    const files = this.#checkpoints(folder);
    for (const { name, generation } of files) {
      const sealed = this.#disk.readFile(`${folder}/${name}`);
      const bytes = sealed === undefined ? undefined : unseal(sealed);
      if (bytes !== undefined) return { generation, bytes };
    }
    if (files.length === 0) return undefined;
    throw new StreamError(
      `Cannot restore partition ${partition}: none of the checkpoints in "${folder}" is whole (${
        files.map(({ name }) => name).join(", ")
      })`,
      {
        code: "corrupt_checkpoint",
        cure: "bring the folder back from a copy, or begin a new run with a new folder",
      },
    );
  }

  #takeEpoch(partition: number, folder: string): number {
    for (let attempt = 0; attempt < ACQUIRE_ATTEMPTS_MAX; attempt++) {
      const epoch = this.#newestEpoch(folder) + 1;
      const created = this.#disk.createNew(`${folder}/${ownerName(epoch)}`);
      // A name that was free only because its owner's successor tidied up does not count: look again.
      if (!created || this.#newestEpoch(folder) !== epoch) continue;
      for (const name of this.#disk.list(folder)) {
        const old = /^owner-(\d+)$/.exec(name);
        if (old !== null && Number(old[1]) <= epoch - OWNERS_KEPT) {
          this.#disk.remove(`${folder}/${name}`);
        }
      }
      return epoch;
    }
    throw new StreamError(
      `Cannot take partition ${partition} over: another owner came first ${ACQUIRE_ATTEMPTS_MAX} times`,
      { code: "stale_owner", cure: "see that no aggregators of other runs use the folder" },
    );
  }

  #refuseStale(partition: number, epoch: number): void {
    const newest = this.#newestEpoch(this.#folderOf(partition));
    if (newest === epoch) return;
    throw new StreamError(
      `Cannot go on with partition ${partition}: epoch ${epoch} was replaced by ${newest}`,
      { code: "stale_owner" },
    );
  }

  #newestEpoch(folder: string): number {
    const names = this.#disk.list(folder).filter((name) => name.startsWith("owner-"));
    return Number(names.at(-1)?.slice("owner-".length) ?? 0);
  }

  /** Newest first. */
  #checkpoints(folder: string): CheckpointFile[] {
    return this.#disk.list(folder).flatMap((name) => {
      const match = /^checkpoint-(\d+)-(\d+)$/.exec(name);
      return match === null
        ? []
        : [{ name, epoch: Number(match[1]), generation: Number(match[2]) }];
    }).sort((a, b) => b.epoch - a.epoch || b.generation - a.generation);
  }

  #tidy(folder: string): void {
    for (const { name } of this.#checkpoints(folder).slice(GENERATIONS_KEPT)) {
      this.#disk.remove(`${folder}/${name}`);
    }
  }

  #folderOf(partition: number): string {
    return `${this.#folder}/partition-${partition}`;
  }
}

/** Ten digits, so that names sort as numbers do. */
function digits(value: number): string {
  return String(value).padStart(10, "0");
}

function ownerName(epoch: number): string {
  return `owner-${digits(epoch)}`;
}
