import assert from "node:assert/strict";
import fc from "fast-check";
import { type Disk, type DiskFile, systemDisk, writeDurably } from "../../lib/base/disk.ts";
import { textOf, utf8 } from "../../lib/base/bytes.ts";

async function inFolder(action: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-disk-" });
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function contentOf(path: string): string | undefined {
  const bytes = systemDisk.readFile(path);
  return bytes === undefined ? undefined : textOf(bytes);
}

Deno.test("systemDisk appends at the end, also after reads elsewhere", () =>
  inFolder((folder) => {
    const file = systemDisk.open(`${folder}/log`);
    file.append(utf8("hello "));
    const target = new Uint8Array(3);
    assert.equal(file.readAt(1, target), 3);
    assert.equal(textOf(target), "ell");
    file.append(utf8("world"));
    assert.equal(file.sizeBytes(), 11);
    file.close();
    const again = systemDisk.open(`${folder}/log`);
    again.append(utf8("!"));
    again.close();
    assert.equal(contentOf(`${folder}/log`), "hello world!");
  }));

Deno.test("readAt() says how many bytes there were", () =>
  inFolder((folder) => {
    const file = systemDisk.open(`${folder}/log`);
    file.append(utf8("abc"));
    const target = new Uint8Array(5).fill(0xee);
    assert.equal(file.readAt(1, target), 2);
    assert.deepEqual([...target], [0x62, 0x63, 0xee, 0xee, 0xee]);
    assert.equal(file.readAt(3, target), 0);
    assert.equal(file.readAt(100, target), 0);
    file.close();
  }));

Deno.test("truncate() cuts, and appends go on from there", () =>
  inFolder(async (folder) => {
    const file = systemDisk.open(`${folder}/log`);
    file.append(utf8("abcdef"));
    file.truncate(2);
    file.append(utf8("X"));
    await file.sync();
    file.close();
    assert.equal(contentOf(`${folder}/log`), "abX");
  }));

/** What a file must hold: a hole is zeros. */
class Model {
  bytes = new Uint8Array(0);

  resize(sizeBytes: number): void {
    const resized = new Uint8Array(sizeBytes);
    resized.set(this.bytes.subarray(0, sizeBytes));
    this.bytes = resized;
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    this.resize(Math.max(this.bytes.length, offset + bytes.length));
    this.bytes.set(bytes, offset);
  }

  /** Both read, and must find the same. */
  assertRead(file: DiskFile, offset: number, count: number): void {
    const target = new Uint8Array(count);
    const found = target.subarray(0, file.readAt(offset, target));
    assert.deepEqual([...found], [...this.bytes.subarray(offset, offset + count)]);
  }
}

/** A step on a file: where, how many bytes, and whether `offset` is where the step before ended, which needs no seek. */
interface Step {
  readonly kind: "read" | "write" | "truncate";
  readonly isBehind: boolean;
  readonly offset: number;
  readonly count: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("read", "read", "write", "write", "truncate"),
    isBehind: fc.boolean(),
    offset: fc.nat(24),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 30 },
);

function runSteps(folder: string, overwrite: boolean, all: readonly Step[]): void {
  systemDisk.remove(`${folder}/file`);
  const file = systemDisk.open(`${folder}/file`, { overwrite });
  const model = new Model();
  let end = 0;
  all.forEach(({ kind, isBehind, count, ...step }, i) => {
    const offset = isBehind ? end : step.offset;
    end = offset + count;
    const bytes = new Uint8Array(count).fill(i + 1);
    if (kind === "read") model.assertRead(file, offset, count);
    else if (kind === "truncate") {
      file.truncate(offset);
      model.resize(offset);
    } else if (overwrite) {
      file.writeAt!(offset, bytes);
      model.writeAt(offset, bytes);
    } else {
      file.append(bytes);
      model.writeAt(model.bytes.length, bytes);
    }
  });
  file.close();
  assert.deepEqual([...systemDisk.readFile(`${folder}/file`)!], [...model.bytes]);
}

for (const overwrite of [false, true]) {
  const writes = overwrite ? "writeAt()" : "append()";
  Deno.test(`systemDisk reads and ${writes} find their places, whatever the step before left the pointer at`, () =>
    inFolder((folder) => {
      fc.assert(fc.property(steps, (all) => runSteps(folder, overwrite, all)), {
        seed: 20_261,
        numRuns: 300,
      });
    }));
}

Deno.test("open() without create refuses a file that is not there", () =>
  inFolder((folder) => {
    assert.throws(
      () => systemDisk.open(`${folder}/none`, { create: false }),
      Deno.errors.NotFound,
    );
    assert.deepEqual(systemDisk.list(folder), []);
  }));

Deno.test("systemDisk lists sorted, renames over, removes what may be missing", () =>
  inFolder(async (folder) => {
    for (const name of ["b", "a", "c"]) {
      const file = systemDisk.open(`${folder}/${name}`);
      file.append(utf8(name));
      file.close();
    }
    assert.deepEqual(systemDisk.list(folder), ["a", "b", "c"]);
    systemDisk.rename(`${folder}/a`, `${folder}/b`);
    assert.equal(contentOf(`${folder}/b`), "a");
    systemDisk.remove(`${folder}/c`);
    systemDisk.remove(`${folder}/c`);
    assert.deepEqual(systemDisk.list(folder), ["b"]);
    assert.deepEqual(systemDisk.list(`${folder}/none`), []);
    assert.equal(systemDisk.readFile(`${folder}/none`), undefined);
    systemDisk.makeFolder(`${folder}/x/y`);
    systemDisk.makeFolder(`${folder}/x/y`);
    await systemDisk.syncFolder(`${folder}/x/y`);
    assert.deepEqual(systemDisk.list(`${folder}/x`), ["y"]);
  }));

Deno.test("writeDurably() replaces a file and leaves nothing beside it", () =>
  inFolder(async (folder) => {
    await writeDurably(systemDisk, folder, "state", utf8("one, a long text"));
    // What a crash would have left.
    const torn = systemDisk.open(`${folder}/state.tmp`);
    torn.append(utf8("torn"));
    torn.close();
    await writeDurably(systemDisk, folder, "state", utf8("two"));
    assert.equal(contentOf(`${folder}/state`), "two");
    assert.deepEqual(systemDisk.list(folder), ["state"]);
  }));

/** The system's disk with a note of each step; `failAt` throws at the step of that name. */
function watchedDisk(steps: string[], failAt?: string): Disk {
  const step = (name: string) => {
    steps.push(name);
    if (name === failAt) throw new Error(`failed at ${name}`);
  };
  const watched = (file: DiskFile): DiskFile => ({
    append: (bytes) => (step("append"), file.append(bytes)),
    readAt: (offset, target) => file.readAt(offset, target),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    sizeBytes: () => file.sizeBytes(),
    sync: () => (step("sync"), file.sync()),
    close: () => (file.close(), step("close")),
  });
  return {
    ...systemDisk,
    open: (path, options) => watched(systemDisk.open(path, options)),
    rename: (from, to) => (step("rename"), systemDisk.rename(from, to)),
    syncFolder: (path) => (step("syncFolder"), systemDisk.syncFolder(path)),
  };
}

Deno.test("writeDurably() syncs the file before the rename, and the folder after", () =>
  inFolder(async (folder) => {
    const steps: string[] = [];
    await writeDurably(watchedDisk(steps), folder, "state", utf8("x"));
    assert.deepEqual(steps, ["append", "sync", "close", "rename", "syncFolder"]);
  }));

for (const failAt of ["append", "sync", "rename"]) {
  Deno.test(`writeDurably() leaves the old file whole when ${failAt} fails, and closes`, () =>
    inFolder(async (folder) => {
      await writeDurably(systemDisk, folder, "state", utf8("old"));
      const steps: string[] = [];
      const disk = watchedDisk(steps, failAt);
      await assert.rejects(writeDurably(disk, folder, "state", utf8("new")), /failed at/);
      assert.ok(steps.includes("close"));
      assert.equal(contentOf(`${folder}/state`), "old");
      await writeDurably(systemDisk, folder, "state", utf8("newer"));
      assert.equal(contentOf(`${folder}/state`), "newer");
    }));
}
