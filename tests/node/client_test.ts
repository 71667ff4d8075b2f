/** The client as Node and Bun run it: bundled into one file, against the embedded broker, over TLS, with its connections cut on the way. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startBroker } from "../../lib/pulsar/mod.ts";
import { openTlsGate } from "./tls_gate.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TLS = join(ROOT, "tests/pulsar/client/tls");
/** The oldest major version that is tried of each. */
const RUNTIMES = { node: 20, bun: 1 } as const;

async function majorOf(runtime: keyof typeof RUNTIMES): Promise<number> {
  try {
    const { stdout } = await new Deno.Command(runtime, { args: ["--version"] }).output();
    return Number(/^v?(\d+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function bundle(folder: string): Promise<string> {
  const file = join(folder, "scenario.mjs");
  const args = ["bundle", "--quiet", "--platform", "deno", "--external", "@node-rs/crc32"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--output", file, join(ROOT, "tests/node/scenario.ts")],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return file;
}

interface Word {
  readonly word: "cut" | "done";
  readonly consumed?: number;
  readonly runtime?: string;
}

/** Runs the scenario; `onCut` is called when it asks for it. */
async function run(
  runtime: string,
  args: string[],
  onCut: () => void,
): Promise<Word | undefined> {
  const child = new Deno.Command(runtime, { args, stdout: "piped", stderr: "piped" }).spawn();
  const failed = new Response(child.stderr).text();
  let last: Word | undefined;
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      last = JSON.parse(line) as Word;
      if (last.word === "cut") onCut();
    }
  }
  const { code } = await child.status;
  assert.equal(code, 0, await failed);
  assert.equal(await failed, "");
  return last;
}

async function assertWorksIn(runtime: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const scenario = await bundle(folder);
    await using broker = await startBroker({ folder: join(folder, "broker") });
    const read = (name: string) => Deno.readTextFile(join(TLS, name));
    await using gate = openTlsGate({
      port: broker.port,
      cert: await read("server.pem"),
      key: await read("server_key.pem"),
    });
    let cuts = 0;
    const url = `pulsar+ssl://localhost:${gate.port}`;
    const args = [scenario, url, join(TLS, "ca.pem")];
    const last = await run(runtime, args, () => cuts += gate.cut());
    assert.equal(last?.word, "done");
    assert.equal(last?.consumed, 2000);
    assert.match(last!.runtime!, /v\d/);
    assert.equal(cuts, 1, "producer and consumer share one connection");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const runtime of ["node", "bun"] as const) {
  const least = RUNTIMES[runtime];
  const isMissing = await majorOf(runtime) < least;
  if (isMissing) {
    console.warn(
      `SKIPPED: the client was not tried in ${runtime}: version ${least} or newer is missing`,
    );
  }
  Deno.test({
    name: `the client produces, consumes and reconnects over TLS in ${runtime}`,
    ignore: isMissing,
    fn: () => assertWorksIn(runtime),
  });
}
