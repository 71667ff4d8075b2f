import assert from "node:assert/strict";
import { openRunFolder, readControlAddress } from "../../lib/run/mod.ts";
import { attach } from "../../lib/notebook/start.ts";
import { changesRun } from "../../lib/notebook/spawn_runner.ts";
import { rolePids, survivors } from "../jobs/_bench.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** What a kernel does in a cell: starts a run, and lives on. */
const KERNEL = `
  import * as weir from "weir";
  const [runsFolder] = Deno.args;
  const run = await weir.start("bench50k", {
    rate: 200, duration: "4s", partitions: 2, sources: 20, timeScale: 60, seed: 7, runsFolder,
    thresholds: ["rate>=1%"],
  });
  console.log(run.path);
  await run.chart();
  setInterval(() => {}, 1000);
`;

/** A process in a session of its own, whose variables point somewhere else. */
function startKernel(runsFolder: string): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", `--config=${ROOT}/deno.json`, "-", runsFolder],
    env: { PULSAR_URL: "pulsar://127.0.0.1:1", CLICKHOUSE_URL: "http://127.0.0.1:1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
  }).spawn();
  return child;
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const path = /^\/.*$/m.exec(text)?.[0];
    if (path !== undefined && text.includes(`${path}\n`)) return path;
  }
  throw new Error(`it ended: ${text}`);
}

Deno.test("a run outlives its kernel and everything of the kernel's session, is judged, and leaves no process", async () => {
  const runsFolder = await Deno.makeTempDir();
  const kernel = startKernel(runsFolder);
  try {
    const input = kernel.stdin.getWriter();
    await input.write(new TextEncoder().encode(KERNEL));
    await input.close();
    const path = await firstLine(kernel.stdout);
    const pids = Object.values(await rolePids(path));
    const runner = (await readControlAddress(await openRunFolder(path)))!.pid;
    // As a closed terminal does it: the whole group, and not to be caught.
    Deno.kill(-kernel.pid, "SIGKILL");
    await kernel.status;
    assert.deepEqual((await survivors([kernel.pid])).length, 0);
    const run = await attach(path);
    const { messages, rows, verdict, systems } = await run.result();
    assert.notEqual(verdict, "FAIL");
    assert.equal(messages.acked, 800);
    assert.deepEqual([messages.lost, messages.duplicated, rows.missing], [0, 0, 0]);
    // What the shell that started the kernel had in mind is not what the cell says.
    assert.match(systems.broker, /^embedded/);
    assert.match(systems.clickhouse, /embedded/);
    assert.deepEqual(await survivors([runner, ...pids]), []);
  } finally {
    try {
      kernel.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Deno.remove(runsFolder, { recursive: true });
  }
});

Deno.test("changesRun() lets secrets and users through, and nothing that stands in for a flag", () => {
  const kept = ["CLICKHOUSE_PASSWORD", "CLICKHOUSE_USER", "PATH", "HOME", "HTTPS_PROXY"];
  const left = ["PULSAR_URL", "CLICKHOUSE_URL", "WEIR_RATE", "WEIR_PULSAR_TOKEN_FILE"];
  assert.deepEqual([...kept, ...left].filter(changesRun), left);
});
