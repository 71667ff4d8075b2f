import assert from "node:assert/strict";
import { systemDisk, utf8 } from "../../lib/base/mod.ts";
import type { Disk } from "../../lib/base/mod.ts";
import { StreamError } from "../../lib/stream/errors.ts";
import { FileCheckpointStore } from "../../lib/stream/file_checkpoint_store.ts";

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "weir-checkpoints-" });
  try {
    await action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return systemDisk.list(`${folder}/partition-0`);
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof StreamError && error.code === code;
}

Deno.test("FileCheckpointStore gives a new owner the newest checkpoint and a higher epoch", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    const first = await store.acquire(0);
    assert.deepEqual(first, { epoch: 1, checkpoint: undefined });
    await store.save(0, 1, utf8("one"));
    await store.save(0, 1, utf8("two"));
    const second = await new FileCheckpointStore(systemDisk, folder).acquire(0);
    assert.equal(second.epoch, 2);
    assert.equal(second.checkpoint?.generation, 2);
    assert.deepEqual(new Uint8Array(second.checkpoint!.bytes), utf8("two"));
  });
});

Deno.test("FileCheckpointStore takes the newest owner's checkpoint, however many an older owner has written", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    await store.acquire(0);
    for (const text of ["a", "b", "c"]) await store.save(0, 1, utf8(text));
    // One that was replaced between its check and its rename.
    const late = systemDisk.readFile(`${folder}/partition-0/checkpoint-0000000001-0000000003`)!;
    const next = new FileCheckpointStore(systemDisk, folder);
    await next.acquire(0);
    await next.save(0, 2, utf8("of the next"));
    const file = systemDisk.open(`${folder}/partition-0/checkpoint-0000000001-0000000009`);
    file.append(late);
    file.close();
    const { checkpoint } = await new FileCheckpointStore(systemDisk, folder).acquire(0);
    assert.deepEqual(new Uint8Array(checkpoint!.bytes), utf8("of the next"));
  });
});

Deno.test("FileCheckpointStore.acquire() has synced all that it builds on before it gives it away", async () => {
  await withFolder(async (folder) => {
    const synced: string[] = [];
    const disk: Disk = {
      ...systemDisk,
      async syncFolder(path) {
        await systemDisk.syncFolder(path);
        synced.push(path);
      },
    };
    await new FileCheckpointStore(disk, folder).acquire(0);
    assert.deepEqual(synced, [folder, `${folder}/partition-0`]);
  });
});

Deno.test("FileCheckpointStore refuses an owner that was replaced", async () => {
  await withFolder(async (folder) => {
    const old = new FileCheckpointStore(systemDisk, folder);
    const { epoch } = await old.acquire(0);
    await old.assertOwner(0, epoch);
    await new FileCheckpointStore(systemDisk, folder).acquire(0);
    await assert.rejects(old.assertOwner(0, epoch), hasCode("stale_owner"));
    await assert.rejects(old.save(0, epoch, utf8("late")), hasCode("stale_owner"));
    assert.equal(old.newest(0), undefined);
  });
});

Deno.test("FileCheckpointStore keeps two generations and nothing temporary", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    await store.acquire(0);
    for (const text of ["a", "b", "c", "d"]) await store.save(0, 1, utf8(text));
    assert.deepEqual(namesIn(folder), [
      "checkpoint-0000000001-0000000003",
      "checkpoint-0000000001-0000000004",
      "owner-0000000001",
    ]);
  });
});

Deno.test("FileCheckpointStore falls back to the checkpoint before a torn one, at whatever byte it is torn", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    await store.acquire(0);
    await store.save(0, 1, utf8("older"));
    await store.save(0, 1, utf8("newer"));
    const newest = `${folder}/partition-0/checkpoint-0000000001-0000000002`;
    const whole = Deno.readFileSync(newest);
    for (let length = whole.length - 1; length >= 0; length--) {
      Deno.truncateSync(newest, length);
      assert.deepEqual(new Uint8Array(store.newest(0)!.bytes), utf8("older"));
    }
    Deno.writeFileSync(newest, whole);
    assert.deepEqual(new Uint8Array(store.newest(0)!.bytes), utf8("newer"));
  });
});

Deno.test("FileCheckpointStore stops rather than begin anew when no checkpoint is whole", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    await store.acquire(0);
    await store.save(0, 1, utf8("only"));
    Deno.truncateSync(`${folder}/partition-0/checkpoint-0000000001-0000000001`, 3);
    await assert.rejects(store.acquire(0), hasCode("corrupt_checkpoint"));
  });
});

Deno.test("FileCheckpointStore keeps partitions apart", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    await store.acquire(0);
    await store.save(0, 1, utf8("zero"));
    assert.deepEqual(await store.acquire(1), { epoch: 1, checkpoint: undefined });
    await store.assertOwner(0, 1);
  });
});

Deno.test("FileCheckpointStore tidies the files of old owners but for the last few", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    for (let i = 0; i < 20; i++) await store.acquire(0);
    const owners = namesIn(folder).filter((name) => name.startsWith("owner-"));
    assert.equal(owners.length, 8);
    assert.equal(owners.at(-1), "owner-0000000020");
  });
});

Deno.test("FileCheckpointStore passes over an epoch that another takes at the same instant", async () => {
  await withFolder(async (folder) => {
    // Another owner comes between the listing and the creation, twice.
    let rivals = 2;
    const disk: Disk = {
      ...systemDisk,
      createNew: (path) => {
        if (rivals-- > 0) systemDisk.createNew(path);
        return systemDisk.createNew(path);
      },
    };
    assert.equal((await new FileCheckpointStore(disk, folder).acquire(0)).epoch, 3);
  });
});

Deno.test("FileCheckpointStore does not take an epoch that is free only because it was tidied away", async () => {
  await withFolder(async (folder) => {
    const store = new FileCheckpointStore(systemDisk, folder);
    for (let i = 0; i < 20; i++) await store.acquire(0);
    // A listing that began long ago and has seen none of today's names.
    let stale = true;
    const disk: Disk = {
      ...systemDisk,
      list: (path) => {
        const names = stale ? [] : systemDisk.list(path);
        stale = false;
        return names;
      },
    };
    assert.equal((await new FileCheckpointStore(disk, folder).acquire(0)).epoch, 21);
  });
});

Deno.test("FileCheckpointStore says where it cannot write, and leaves nothing half-written", async () => {
  await withFolder(async (folder) => {
    const disk: Disk = {
      ...systemDisk,
      open: (path, options) => ({
        ...systemDisk.open(path, options),
        close: () => {},
        append: () => {
          throw new Error("No space left on device (os error 28)");
        },
      }),
    };
    const store = new FileCheckpointStore(disk, folder);
    await store.acquire(0);
    await assert.rejects(
      store.save(0, 1, utf8("x")),
      (error) =>
        hasCode("checkpoint_failed")(error) && (error as Error).message.includes("No space left"),
    );
    assert.deepEqual(namesIn(folder), ["owner-0000000001"]);
  });
});

Deno.test("FileCheckpointStore gives each of many processes its own epoch", async () => {
  await withFolder(async (folder) => {
    const script = `
      import { systemDisk } from "${new URL("../../lib/base/mod.ts", import.meta.url)}";
      import { FileCheckpointStore } from "${new URL("../../lib/stream/mod.ts", import.meta.url)}";
      const store = new FileCheckpointStore(systemDisk, ${JSON.stringify(folder)});
      const epochs = [];
      for (let i = 0; i < 50; i++) epochs.push((await store.acquire(0)).epoch);
      console.log(JSON.stringify(epochs));`;
    const run = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", script],
        stdout: "piped",
        stderr: "inherit",
      }).output();
    const outputs = await Promise.all([run(), run(), run()]);
    const epochs = outputs.flatMap(({ stdout }) =>
      JSON.parse(new TextDecoder().decode(stdout)) as number[]
    );
    assert.equal(epochs.length, 150);
    assert.equal(new Set(epochs).size, 150);
  });
});
