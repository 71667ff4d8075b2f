import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { endProcess, freePort, isProcess, lastLines, startDetached } from "../../infra/process.ts";
import { untilTrue } from "../until_true.ts";

const MARK = "weir-process-test";

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A shell that lives until it is ended, its mark among its arguments. */
function start(script: string, outputFile: string): Promise<Deno.ChildProcess> {
  return startDetached("sh", ["-c", script, MARK], outputFile);
}

/** Waits until the process has said that it is there. */
async function untilSaid(file: string, word: string): Promise<void> {
  await untilTrue(
    `the process says ${word}`,
    async () => (await Deno.readTextFile(file)).includes(word),
  );
}

const LIVES = "echo there; while :; do read line </dev/zero; done";

Deno.test("startDetached() starts a process of its own session, endProcess() ends it", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/out.log`;
    const { pid } = await start(`echo there; echo trouble >&2; exec sleep 1000`, file);
    await untilSaid(file, "trouble");
    await untilTrue("the shell has become sleep", () => isProcess(pid, "1000"));
    // exec has put `sleep 1000` in place of the shell and its mark.
    assert.equal(await isProcess(pid, MARK), false);
    assert.equal(await endProcess({ pid, mark: MARK, waitMs: 1_000 }), "absent");
    assert.equal(await isProcess(pid, "1000"), true);
    if (Deno.build.os === "linux") {
      const session = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(" ")[5];
      assert.equal(Number(session), pid);
    }
    assert.equal(await endProcess({ pid, mark: "1000", waitMs: 10_000 }), "ended");
    assert.equal(await isProcess(pid, "1000"), false);
  });
});

Deno.test("endProcess() kills what does not end by itself", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/out.log`;
    const { pid } = await start(`trap '' TERM; ${LIVES}`, file);
    await untilSaid(file, "there");
    assert.equal(await endProcess({ pid, mark: MARK, waitMs: 100 }), "killed");
    assert.equal(await isProcess(pid, MARK), false);
  });
});

Deno.test("endProcess() leaves a process alone that is not the one that was meant", async () => {
  assert.equal(await endProcess({ pid: Deno.pid, mark: MARK, waitMs: 0 }), "absent");
});

Deno.test("freePort() finds a free port and names one that is taken", async () => {
  const port = await freePort(0, "port");
  assert(port > 0);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = listener.addr.port;
  try {
    await assert.rejects(freePort(taken, "admin-port"), (error) => {
      assert(error instanceof UsageError);
      assert.equal(error.message, `Cannot start: port ${taken} is taken`);
      assert.equal(error.cure, "give another one with --admin-port");
      return true;
    });
  } finally {
    listener.close();
  }
});

Deno.test("freePort() waits a moment for a port that is just being given up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const found = freePort(port, "port");
  listener.close();
  assert.equal(await found, port);
});

Deno.test("lastLines() gives the end of a file, and nothing for none", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/log`, "one\ntwo\n\nthree\n");
    assert.deepEqual(await lastLines(`${folder}/log`, 2), ["two", "three"]);
    assert.deepEqual(await lastLines(`${folder}/none`, 2), []);
  });
});
