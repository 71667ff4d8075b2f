/**
 * `deno task test:interop`: brings real servers up, runs the tests of this folder against them, ends the servers, and
 * then runs the matrix of clients and brokers (`matrix/run.ts`, by itself `deno task test:matrix`).
 *
 * Arguments go to `deno test`, e.g. `deno task test:interop --filter seek`; then the matrix is left out. Where the servers cannot run (no Java,
 * no Maven, no Python) it says so and fails, unless WEIR_INTEROP_ALLOW_SKIP=1 is set.
 */
import { join } from "node:path";
import { lineOf, UsageError } from "../../lib/base/mod.ts";
import { bringPython } from "../../infra/python.ts";
import { parseUp } from "../../infra/pulsar/options.ts";
import {
  bringPulsarDown,
  bringPulsarUp,
  type PulsarServer,
  whyNoPulsar,
} from "../../infra/pulsar/server.ts";
import type { InteropServers } from "./harness.ts";

import { taskCall } from "../task_flags.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const DATA_DIR = join(ROOT, ".data", "infra", "interop");
const EXIT_SKIPPED = 1;

async function bring(name: string, flags: string[], signal: AbortSignal): Promise<PulsarServer> {
  const dataDir = join(DATA_DIR, name);
  // What a run before this one has left behind, if it was killed.
  await end(name);
  const options = parseUp([
    ...["--port", "0", "--admin-port", "0", "--data", dataDir, "--heap", "512m"],
    ...["--conf", "backlogQuotaCheckIntervalInSeconds=1"],
    ...flags,
  ]);
  if (options === "help") throw new UsageError("Cannot start: no flags");
  return await bringPulsarUp(options, console.error, signal);
}

async function end(name: string): Promise<void> {
  const dataDir = join(DATA_DIR, name);
  await bringPulsarDown({ dataDir, deleteData: false, waitMs: 30_000 }, () => {});
  await Deno.remove(dataDir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function runTests(servers: InteropServers, signal: AbortSignal): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...Deno.args, "tests/interop/"],
    cwd: ROOT,
    env: { WEIR_INTEROP: JSON.stringify(servers) },
    signal,
  });
  return (await command.spawn().status).code;
}

/** Each client against each broker. */
async function runMatrix(signal: AbortSignal): Promise<number> {
  const script = join(import.meta.dirname!, "matrix", "run.ts");
  const args = ["run", "--allow-all", script];
  return (await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, signal }).spawn().status).code;
}

async function main(signal: AbortSignal): Promise<number> {
  await Deno.mkdir(DATA_DIR, { recursive: true });
  const lock = await Deno.open(join(DATA_DIR, "run.lock"), { create: true, write: true });
  if (!await lock.tryLock(true)) {
    throw new UsageError("Cannot run: another test:interop of this checkout is running");
  }
  try {
    const python = await bringPython(console.error);
    const plain = await bring("plain", [], signal);
    const secretFile = join(DATA_DIR, "token", "secret.key");
    const token = await bring("token", ["--token-secret", secretFile], signal);
    return await runTests({ plain, token, python }, signal);
  } finally {
    await end("plain");
    await end("token");
    lock.close();
  }
}

if (import.meta.main) {
  taskCall({
    name: "test:interop",
    help: `Tests against real servers, and then the matrix of clients and brokers.

  deno task test:interop [flags]

  --filter TEXT   only tests whose name holds TEXT
  --fail-fast     ends with the first that fails
  --help`,
    table: {
      filter: { kind: "text", help: "" },
      "fail-fast": { kind: "boolean", help: "" },
    },
  });
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => abort.abort(new UsageError(`Stopped by ${name}`)));
  }
  const why = await whyNoPulsar();
  if (why !== undefined) {
    console.error(`SKIPPED, nothing was tested against real servers: ${why}`);
    Deno.exit(Deno.env.get("WEIR_INTEROP_ALLOW_SKIP") === "1" ? 0 : EXIT_SKIPPED);
  }
  try {
    const code = await main(abort.signal);
    Deno.exit(code === 0 && Deno.args.length === 0 ? await runMatrix(abort.signal) : code);
  } catch (error) {
    console.error(`test:interop: ${lineOf(error)}`);
    Deno.exit(2);
  }
}
