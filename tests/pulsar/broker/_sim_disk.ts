import type { Disk, DiskFile, Random } from "../../../lib/base/mod.ts";

/** Thrown at the planned moment: the process is gone, nothing after it happens. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

const BLOCK_BYTES = 512;

const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

class SimNode {
  bytes = new Uint8Array(1024);
  size = 0;
  /** What would be there after a power loss. */
  synced = new Uint8Array(0);

  writeAt(offset: number, bytes: Uint8Array): void {
    const over = bytes.subarray(0, Math.max(0, this.size - offset));
    this.bytes.set(over, offset);
    this.write(bytes.subarray(over.length));
  }

  write(bytes: Uint8Array): void {
    while (this.size + bytes.length > this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    }
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }
}

class SimFile implements DiskFile {
  #isClosed = false;
  constructor(private readonly disk: SimDisk, readonly node: SimNode) {}

  #use(): void {
    if (this.#isClosed) throw new Error("the file is closed");
    this.disk.step();
  }

  append(bytes: Uint8Array): void {
    if (this.#isClosed) throw new Error("the file is closed");
    const room = this.disk.room();
    if (room < bytes.length) {
      this.node.write(bytes.subarray(0, Math.max(0, room)));
      throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    }
    try {
      this.disk.step();
    } catch (crash) {
      this.node.write(bytes.subarray(0, this.disk.random.below(bytes.length + 1)));
      throw crash;
    }
    this.node.write(bytes);
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    if (this.#isClosed) throw new Error("the file is closed");
    const grown = Math.max(0, offset + bytes.length - this.node.size);
    if (this.disk.room() < grown) {
      throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    }
    try {
      this.disk.step();
    } catch (crash) {
      this.node.writeAt(offset, bytes.subarray(0, this.disk.random.below(bytes.length + 1)));
      throw crash;
    }
    this.node.writeAt(offset, bytes);
  }

  readAt(offset: number, target: Uint8Array): number {
    if (this.#isClosed) throw new Error("the file is closed");
    const part = this.node.bytes.subarray(offset, Math.min(this.node.size, offset + target.length));
    target.set(part);
    return part.length;
  }

  truncate(sizeBytes: number): void {
    this.#use();
    this.node.size = sizeBytes;
  }

  sizeBytes(): number {
    return this.node.size;
  }

  async sync(): Promise<void> {
    this.#use();
    const copy = this.node.bytes.slice(0, this.node.size);
    await this.disk.syncing();
    if (this.disk.syncFails) throw new Error("Input/output error (os error 5)");
    this.node.synced = copy;
  }

  close(): void {
    this.#isClosed = true;
    this.disk.openFiles--;
  }
}

/** A disk in memory that fills, tears the write it crashes in, and forgets what was not synced. */
export class SimDisk implements Disk {
  #files = new Map<string, SimNode>();
  #syncedNames = new Map<string, SimNode>();
  /** What was in one of them is out of reach when the folder around it is synced. */
  readonly #removedFolders = new Set<string>();
  openFiles = 0;
  operations = 0;
  /** The operation at which the process ends. */
  crashAt = Infinity;
  capacityBytes = Infinity;
  syncFails = false;
  /** Awaited in each sync, so that a test can hold it. */
  syncing: () => Promise<void> = () => Promise.resolve();

  constructor(readonly random: Random) {}

  step(): void {
    this.operations++;
    if (this.operations >= this.crashAt) {
      throw new SimulatedCrash(`at operation ${this.operations}`);
    }
  }

  room(): number {
    let used = 0;
    for (const node of this.#files.values()) used += node.size;
    return this.capacityBytes - used;
  }

  /** The disk as the next process finds it after kill -9: everything that was written. */
  afterKill(): SimDisk {
    const next = new SimDisk(this.random);
    next.#files = new Map(this.#files);
    next.#syncedNames = new Map(this.#syncedNames);
    return next;
  }

  /** The disk after a power loss: synced names and bytes, and of the rest any blocks. */
  afterPowerLoss(): SimDisk {
    const next = new SimDisk(this.random);
    for (const [path, node] of this.#syncedNames) {
      const survivor = new SimNode();
      survivor.write(this.#survivingBytes(node));
      survivor.synced = survivor.bytes.slice(0, survivor.size);
      next.#files.set(path, survivor);
      next.#syncedNames.set(path, survivor);
    }
    return next;
  }

  #survivingBytes(node: SimNode): Uint8Array {
    const { synced } = node;
    const grown = Math.max(0, node.size - synced.length);
    const bytes = new Uint8Array(synced.length + this.random.below(grown + 1));
    bytes.set(synced);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const end = Math.min(bytes.length, at + BLOCK_BYTES, node.size);
      if (end > at && this.random.below(3) > 0) bytes.set(node.bytes.subarray(at, end), at);
    }
    return bytes;
  }

  /** Flips one bit of a file. */
  damage(path: string, offset: number): void {
    const node = this.#files.get(path)!;
    node.bytes[offset]! ^= 1;
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  open(path: string, { create = true } = {}): DiskFile {
    let node = this.#files.get(path);
    if (node === undefined) {
      if (!create) throw new Deno.errors.NotFound(path);
      this.step();
      node = new SimNode();
      this.#files.set(path, node);
    }
    this.openFiles++;
    return new SimFile(this, node);
  }

  readFile(path: string): Uint8Array | undefined {
    const node = this.#files.get(path);
    return node?.bytes.slice(0, node.size);
  }

  rename(from: string, to: string): void {
    this.step();
    const node = this.#files.get(from);
    if (node === undefined) throw new Deno.errors.NotFound(from);
    this.#files.delete(from);
    this.#files.set(to, node);
  }

  remove(path: string): void {
    if (!this.#files.has(path)) {
      this.#removedFolders.add(path);
      return;
    }
    this.step();
    this.#files.delete(path);
  }

  list(folder: string): string[] {
    const names = new Set<string>();
    for (const path of this.#files.keys()) {
      if (path.startsWith(`${folder}/`)) names.add(path.slice(folder.length + 1).split("/")[0]!);
    }
    return [...names].sort();
  }

  makeFolder(): void {}

  createNew(path: string): boolean {
    if (this.#files.has(path)) return false;
    this.step();
    this.#files.set(path, new SimNode());
    return true;
  }

  async syncFolder(path: string): Promise<void> {
    this.step();
    await this.syncing();
    for (const folder of this.#removedFolders) {
      if (parentOf(folder) !== path) continue;
      this.#removedFolders.delete(folder);
      for (const name of [...this.#syncedNames.keys()]) {
        if (name.startsWith(`${folder}/`)) this.#syncedNames.delete(name);
      }
    }
    for (const name of [...this.#syncedNames.keys(), ...this.#files.keys()]) {
      if (parentOf(name) !== path) continue;
      const node = this.#files.get(name);
      if (node === undefined) this.#syncedNames.delete(name);
      else this.#syncedNames.set(name, node);
    }
  }
}
