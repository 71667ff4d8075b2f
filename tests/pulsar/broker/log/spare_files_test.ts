import assert from "node:assert/strict";
import { seededRandom, utf8 } from "../../../../lib/base/mod.ts";
import type { Disk } from "../../../../lib/base/mod.ts";
import type { Durability } from "../../../../lib/pulsar/broker/log/durability.ts";
import { SpareFiles } from "../../../../lib/pulsar/broker/log/spare_files.ts";
import { SimDisk } from "../_sim_disk.ts";

const TOPIC = "data/topic";
const SPARE = "data/spare";
const SEGMENT_BYTES = 1000;
const HEADER = utf8("new header");
const MEBIBYTE = 1024 * 1024;

interface Made {
  readonly disk: SimDisk;
  readonly spares: SpareFiles;
  /** Renames, writes and syncs of folders, in their order. */
  readonly steps: string[];
}

/** The disk with a note of each step. */
function watched(disk: SimDisk, steps: string[]): Disk {
  return {
    open(path, options) {
      const file = disk.open(path, options);
      const writeAt = file.writeAt!.bind(file);
      return Object.assign(file, {
        writeAt(offset: number, bytes: Uint8Array) {
          steps.push(`write ${path}`);
          writeAt(offset, bytes);
        },
      });
    },
    rename(from, to) {
      disk.rename(from, to);
      steps.push(`rename ${from} ${to}`);
    },
    async syncFolder(path) {
      await disk.syncFolder(path);
      steps.push(`sync ${path}`);
    },
    createNew: (path) => disk.createNew(path),
    readFile: (path) => disk.readFile(path),
    remove: (path) => disk.remove(path),
    list: (folder) => disk.list(folder),
    makeFolder: () => disk.makeFolder(),
  };
}

function made(
  durability: Durability = "os",
  { disk = new SimDisk(seededRandom(1)), segmentBytesMax = SEGMENT_BYTES } = {},
): Made {
  const steps: string[] = [];
  const options = { segmentBytesMax, durability };
  return { disk, steps, spares: new SpareFiles(watched(disk, steps), SPARE, options) };
}

function put(disk: SimDisk, path: string): void {
  const file = disk.open(path);
  file.append(utf8("an old header and records"));
  file.close();
}

/** Offers a file of a size; whether it was taken. */
function offer({ disk, spares }: Made, name: string, sizeBytes = SEGMENT_BYTES): boolean {
  put(disk, `${TOPIC}/${name}`);
  return spares.keep(TOPIC, name, sizeBytes);
}

Deno.test("SpareFiles.keep() takes files of about a segment's size, and leaves others where they are", () => {
  const all = made();
  const taken = [499, 500, 2000, 2001].filter((bytes) => offer(all, String(bytes), bytes));
  assert.deepEqual(taken, [500, 2000]);
  assert.deepEqual(all.disk.list(TOPIC), ["2001", "499"]);
  assert.equal(all.disk.list(SPARE).length, 2);
});

Deno.test("SpareFiles.keep() takes 16 files, of large segments as many as fit 256 MiB", () => {
  for (const [segmentBytesMax, expected] of [[SEGMENT_BYTES, 16], [32 * MEBIBYTE, 8]] as const) {
    const all = made("os", { segmentBytesMax });
    let kept = 0;
    while (kept < 100 && offer(all, String(kept), segmentBytesMax)) kept++;
    assert.equal(kept, expected);
  }
});

Deno.test("SpareFiles counts files that wait for a sync as kept", () => {
  const all = made("fsync");
  all.disk.syncing = () => new Promise(() => {});
  for (let i = 0; i < 16; i++) assert.equal(offer(all, String(i)), true);
  assert.equal(offer(all, "16"), false);
});

Deno.test("SpareFiles.take() writes the new header before the file has its new name", () => {
  const all = made();
  offer(all, "old");
  all.steps.length = 0;
  assert.equal(all.spares.take(`${TOPIC}/new`, HEADER), true);
  assert.deepEqual(all.steps, [`write ${SPARE}/0.log`, `rename ${SPARE}/0.log ${TOPIC}/new`]);
  const bytes = all.disk.readFile(`${TOPIC}/new`)!;
  assert.deepEqual(bytes.subarray(0, HEADER.length), HEADER);
  assert.equal(all.spares.take(`${TOPIC}/newer`, HEADER), false);
  assert.equal(all.disk.openFiles, 0);
});

Deno.test("SpareFiles with durability os gives a file out at once", () => {
  const all = made("os");
  all.disk.syncing = () => new Promise(() => {});
  offer(all, "old");
  assert.equal(all.spares.take(`${TOPIC}/new`, HEADER), true);
});

Deno.test("SpareFiles with fsync gives a file out when both of its names are safe, which close() waits for", async () => {
  const all = made("fsync");
  const gates: (() => void)[] = [];
  all.disk.syncing = () => new Promise((resolve) => gates.push(resolve));
  offer(all, "old");
  let isClosed = false;
  const closing = all.spares.close().then(() => isClosed = true);
  for (const folder of [SPARE, TOPIC]) {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.equal(gates.length, 1, `${folder} is being synced`);
    assert.equal(isClosed, false);
    assert.equal(all.spares.take(`${TOPIC}/new`, HEADER), false);
    gates.pop()!();
  }
  await closing;
  assert.deepEqual(all.steps, [
    `rename ${TOPIC}/old ${SPARE}/0.log`,
    `sync ${SPARE}`,
    `sync ${TOPIC}`,
  ]);
  assert.equal(all.spares.take(`${TOPIC}/new`, HEADER), true);
});

Deno.test("SpareFiles with fsync never gives out a file whose sync failed", async () => {
  const all = made("fsync");
  all.disk.syncing = () => Promise.reject(new Error("Input/output error (os error 5)"));
  offer(all, "old");
  await all.spares.close();
  assert.equal(all.spares.take(`${TOPIC}/new`, HEADER), false);
});

Deno.test("SpareFiles removes what an earlier broker kept", () => {
  const disk = new SimDisk(seededRandom(1));
  put(disk, `${SPARE}/0.log`);
  put(disk, `${SPARE}/7.log`);
  const { spares } = made("os", { disk });
  assert.deepEqual(disk.list(SPARE), []);
  assert.equal(spares.take(`${TOPIC}/new`, HEADER), false);
});

Deno.test("SpareFiles.keep() refuses a file that cannot be renamed", () => {
  const { spares } = made();
  assert.equal(spares.keep(TOPIC, "none", SEGMENT_BYTES), false);
  assert.equal(spares.take(`${TOPIC}/new`, HEADER), false);
});
