/** A file that is open. Offsets and sizes are bytes. */
export interface DiskFile {
  /** Writes all bytes at the end of the file, or throws. What was written before the error may stay. */
  append(bytes: Uint8Array): void;
  /** Writes all bytes from `offset` on, over what is there; only on a file opened with `overwrite`. A disk may be without. */
  writeAt?(offset: number, bytes: Uint8Array): void;
  /** Reads into `target` from `offset` on; returns how many bytes there were. */
  readAt(offset: number, target: Uint8Array): number;
  /** Cuts the file, or lengthens it with zeros. */
  truncate(sizeBytes: number): void;
  sizeBytes(): number;
  /** Resolves when what was written would survive a power loss. */
  sync(): Promise<void>;
  close(): void;
}

/** Files, passed in wherever something must survive, so that simulations own tearing, filling and losing. */
export interface Disk {
  /** Opens for reading and appending, or for reading and `writeAt` with `overwrite`, creating it unless told otherwise. */
  open(
    path: string,
    options?: { readonly create?: boolean; readonly overwrite?: boolean },
  ): DiskFile;
  /**
   * Makes an empty file where there is none yet: of several processes that try, one succeeds.
   *
   * @returns whether it was this call that made it
   */
  createNew(path: string): boolean;
  /** The whole file, or undefined where there is none. */
  readFile(path: string): Uint8Array | undefined;
  /** Replaces `to`. */
  rename(from: string, to: string): void;
  /** Removes a file; it is no error if there is none. */
  remove(path: string): void;
  /** Names in a folder, sorted; empty where there is none. */
  list(folder: string): string[];
  /** Makes a folder and those above it. */
  makeFolder(path: string): void;
  /** Resolves when names made, renamed or removed in the folder would survive a power loss. */
  syncFolder(path: string): Promise<void>;
}

class SystemFile implements DiskFile {
  readonly #file: Deno.FsFile;
  /** Where the file's own pointer stands, or −1 where that is not known: a seek less for each write behind the one before. */
  #pointer = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  append(bytes: Uint8Array): void {
    this.#pointer = -1;
    let written = 0;
    while (written < bytes.length) written += this.#file.writeSync(bytes.subarray(written));
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    this.#seek(offset);
    this.append(bytes);
    this.#pointer = offset + bytes.length;
  }

  readAt(offset: number, target: Uint8Array): number {
    this.#seek(offset);
    this.#pointer = -1;
    let count = 0;
    while (count < target.length) {
      const more = this.#file.readSync(target.subarray(count));
      if (more === null || more === 0) break;
      count += more;
    }
    this.#pointer = offset + count;
    return count;
  }

  #seek(offset: number): void {
    if (offset !== this.#pointer) this.#file.seekSync(offset, Deno.SeekMode.Start);
  }

  truncate(sizeBytes: number): void {
    this.#file.truncateSync(sizeBytes);
  }

  sizeBytes(): number {
    return this.#file.statSync().size;
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  close(): void {
    this.#file.close();
  }
}

function orIfMissing<T>(action: () => T, missing: T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return missing;
    throw error;
  }
}

/** The disk of this host. */
export const systemDisk: Disk = {
  open: (path, { create = true, overwrite = false } = {}) =>
    new SystemFile(
      Deno.openSync(path, { read: true, append: !overwrite, write: true, create }),
    ),
  createNew(path) {
    try {
      Deno.openSync(path, { write: true, createNew: true }).close();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
  },
  readFile: (path) => orIfMissing(() => Deno.readFileSync(path), undefined),
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => orIfMissing(() => Deno.removeSync(path), undefined),
  list: (folder) =>
    orIfMissing(() => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), []),
  makeFolder: (path) => Deno.mkdirSync(path, { recursive: true }),
  async syncFolder(path) {
    // Windows cannot open a folder; its file system journals names by itself.
    if (Deno.build.os === "windows") return;
    using folder = Deno.openSync(path, { read: true });
    await folder.sync();
  },
};

/**
 * Replaces a file so that after a crash either the old or the new content is there, whole:
 * a temporary file beside it, fsync, rename, fsync of the folder.
 *
 * @param disk where
 * @param folder the folder, which must exist
 * @param name the file's name in it
 * @param bytes its new content
 */
export async function writeDurably(
  disk: Disk,
  folder: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${folder}/${name}.tmp`;
  disk.remove(temporary);
  const file = disk.open(temporary);
  try {
    file.append(bytes);
    await file.sync();
  } finally {
    file.close();
  }
  disk.rename(temporary, `${folder}/${name}`);
  await disk.syncFolder(folder);
}
