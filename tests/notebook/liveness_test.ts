import assert from "node:assert/strict";
import { hasDied, isOver, isRunnerThere } from "../../lib/notebook/liveness.ts";

async function withFolder(
  body: (folder: Parameters<typeof isOver>[0], path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await body({ id: "run", path, file: (name) => `${path}/${name}` }, path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("isOver() waits for the report", async () => {
  await withFolder(async (folder, path) => {
    assert.equal(await isOver(folder), false);
    await Deno.writeTextFile(`${path}/verdict.json`, "{}");
    assert.equal(await isOver(folder), false, "it is being drawn");
    await Deno.writeTextFile(`${path}/report.html`, "");
    assert.equal(await isOver(folder), true);
  });
});

Deno.test("isOver() does without a report that could not be drawn", async () => {
  await withFolder(async (folder, path) => {
    await Deno.writeTextFile(`${path}/verdict.json`, "{}");
    const longAgo = new Date(Date.now() - 120_000);
    await Deno.utime(`${path}/verdict.json`, longAgo, longAgo);
    assert.equal(await isOver(folder), true);
  });
});

Deno.test("isOver() does not wait for the report of a runner that is gone", async () => {
  await withFolder(async (folder, path) => {
    const gone = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
    await gone.status;
    const manifest = (runnerPid: number) =>
      Deno.writeTextFile(`${path}/manifest.json`, JSON.stringify({ runnerPid }));
    await manifest(gone.pid);
    assert.equal(await isOver(folder), false, "it was not judged");
    assert.equal(await hasDied(folder), true);
    await Deno.writeTextFile(`${path}/verdict.json`, "{}");
    assert.equal(await isOver(folder), true);
    await manifest(Deno.pid);
    assert.equal(await isOver(folder), false, "it is being drawn");
  });
});

Deno.test("isRunnerThere() says that it does not know of a run of before", async () => {
  await withFolder(async (folder, path) => {
    await Deno.writeTextFile(`${path}/manifest.json`, "{}");
    assert.equal(await isRunnerThere(folder), undefined);
    assert.equal(await hasDied(folder), false);
  });
});
