import assert from "node:assert/strict";
import {
  assertDiskSpace,
  createRunFolder,
  freeDiskBytes,
  newRunId,
  openRunFolder,
  writeJson,
} from "../../lib/run/mod.ts";

Deno.test("newRunId() sorts by time and names the job", () => {
  const at = Date.UTC(2026, 10, 21, 14, 30, 5);
  assert.equal(newRunId("bench50k", at, 0x12343f2a), "20261121-143005-bench50k-3f2a");
});

Deno.test("createRunFolder() makes the folders of a run and refuses one that exists", async () => {
  const root = await Deno.makeTempDir();
  const folder = await createRunFolder(`${root}/deep/run-1`);
  assert.equal(folder.id, "run-1");
  for (const name of ["logs", "ledger", "checkpoints", "charts"]) {
    assert.ok((await Deno.stat(folder.file(name))).isDirectory);
  }
  await assert.rejects(createRunFolder(`${root}/deep/run-1`), { code: "folder_exists" });
  await Deno.remove(root, { recursive: true });
});

Deno.test("createRunFolder() tells plainly that it cannot write", async () => {
  await assert.rejects(createRunFolder("/proc/weir-run"), { code: "not_writable" });
});

Deno.test("openRunFolder() wants a manifest", async () => {
  const root = await Deno.makeTempDir();
  await assert.rejects(openRunFolder(root), { code: "folder_missing" });
  await writeJson(`${root}/manifest.json`, {});
  assert.equal((await openRunFolder(root)).path, root);
  await Deno.remove(root, { recursive: true });
});

Deno.test("assertDiskSpace() refuses what does not fit, saying how much is free", async () => {
  await assertDiskSpace("/", 1);
  await assert.rejects(assertDiskSpace("/", 1e18), (error: Error) => {
    assert.match(error.message, /free, about .* needed/);
    return true;
  });
  assert.ok(await freeDiskBytes("/") > 0);
});
