import type { Disk, DiskFile } from "../../lib/base/mod.ts";
import { concatBytes } from "../../lib/base/mod.ts";
import type { Process, World } from "./world.ts";

interface Inode {
  /** What a reader sees. */
  data: Uint8Array;
  /** What has been synced. */
  durable: Uint8Array;
}

/** A change of names that a power loss may undo until the folder is synced. */
type NameChange = (names: Map<string, Inode>) => void;

interface Folder {
  names: Map<string, Inode>;
  durable: Map<string, Inode>;
  unsynced: NameChange[];
}

/** A disk of a host in the world: what is not synced may be lost or torn when the power fails, and it may be full. */
export class SimDisk {
  readonly #folders = new Map<string, Folder>();
  full = false;

  constructor(readonly world: World) {}

  /** The power fails: of what was not synced, chance decides what is left. */
  losePower(): void {
    for (const folder of this.#folders.values()) {
      for (const change of folder.unsynced) if (this.world.chance(0.5)) change(folder.durable);
      folder.unsynced = [];
      folder.names = new Map(folder.durable);
    }
    const inodes = new Set([...this.#folders.values()].flatMap(({ names }) => [...names.values()]));
    for (const inode of inodes) this.#tear(inode);
  }

  /** A disk as it would be after a power loss now, at its worst: nothing that was not synced is left. */
  survivor(): SimDisk {
    const disk = new SimDisk(this.world);
    for (const [path, { durable }] of this.#folders) {
      const names = new Map(
        [...durable].map((
          [name, inode],
        ) => [name, { data: inode.durable, durable: inode.durable }]),
      );
      disk.#folders.set(path, { names, durable: names, unsynced: [] });
    }
    return disk;
  }

  /** The disk as a process uses it. */
  of(process: Process): Disk {
    const inFolder = (path: string) => this.#folder(path.slice(0, path.lastIndexOf("/")));
    const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
    const change = (path: string, apply: NameChange) => {
      const folder = inFolder(path);
      apply(folder.names);
      folder.unsynced.push(apply);
    };
    const create = (path: string): Inode => {
      const inode = { data: new Uint8Array(0), durable: new Uint8Array(0) };
      change(path, (names) => names.set(nameOf(path), inode));
      return inode;
    };
    return {
      open: (path, options) => {
        process.step();
        let inode = inFolder(path).names.get(nameOf(path));
        if (inode === undefined) {
          if (options?.create === false) throw new Error(`no such file: ${path}`);
          inode = create(path);
        }
        return this.#fileOf(process, inode);
      },
      createNew: (path) => {
        process.step();
        if (inFolder(path).names.has(nameOf(path))) return false;
        create(path);
        return true;
      },
      readFile: (path) => {
        process.step();
        return inFolder(path).names.get(nameOf(path))?.data.slice();
      },
      rename: (from, to) => {
        process.step();
        const inode = inFolder(from).names.get(nameOf(from));
        if (inode === undefined) throw new Error(`no such file: ${from}`);
        // One change: a rename is whole or not at all.
        change(to, (names) => {
          names.delete(nameOf(from));
          names.set(nameOf(to), inode);
        });
      },
      remove: (path) => {
        process.step();
        change(path, (names) => names.delete(nameOf(path)));
      },
      list: (folder) => {
        process.step();
        return [...this.#folder(folder).names.keys()].sort();
      },
      makeFolder: (path) => {
        process.step();
        this.#folder(path);
      },
      syncFolder: (path) =>
        process.ask(this.world.between(0.1, 8), () => {
          const folder = this.#folder(path);
          folder.durable = new Map(folder.names);
          folder.unsynced = [];
        }),
    };
  }

  #fileOf(process: Process, inode: Inode): DiskFile {
    return {
      append: (bytes) => {
        process.step();
        const written = this.full
          ? bytes.subarray(0, this.world.random.below(bytes.length + 1))
          : bytes;
        inode.data = concatBytes([inode.data, written]);
        if (this.full) throw new Error("No space left on device (os error 28)");
      },
      readAt: (offset, target) => {
        process.step();
        const part = inode.data.subarray(offset, offset + target.length);
        target.set(part);
        return part.length;
      },
      truncate: (sizeBytes) => {
        process.step();
        const cut = new Uint8Array(sizeBytes);
        cut.set(inode.data.subarray(0, sizeBytes));
        inode.data = cut;
      },
      sizeBytes: () => inode.data.length,
      sync: () => {
        const { data } = inode;
        return process.ask(this.world.between(0.1, 8), () => {
          inode.durable = data;
        });
      },
      close: () => {},
    };
  }

  #tear(inode: Inode): void {
    const { data, durable } = inode;
    if (data.length > durable.length) {
      const kept = data.slice(
        0,
        durable.length + this.world.random.below(data.length - durable.length + 1),
      );
      // What was lengthened and not written yet reads as zeros.
      if (this.world.chance(0.3)) kept.fill(0, durable.length);
      inode.data = kept;
    }
    inode.durable = inode.data;
  }

  #folder(path: string): Folder {
    let folder = this.#folders.get(path);
    if (folder === undefined) {
      folder = { names: new Map(), durable: new Map(), unsynced: [] };
      this.#folders.set(path, folder);
    }
    return folder;
  }
}
