import { dirname } from "node:path";
import { ensureJupyter, type JupyterEnvironment } from "../infra/jupyter/environment.ts";
import { freePort } from "../infra/process.ts";
import { lineOf, systemClock } from "../lib/base/mod.ts";
import { ensureEngine } from "./_engine.ts";
import type { FlagTable, FlagValues } from "./_flags.ts";
import { EXIT, runJob } from "./_job.ts";

const ROOT = dirname(import.meta.dirname!);
const STOP_GRACE_MS = 10_000;

const TABLE = {
  "port": {
    kind: "count",
    default: "8888",
    min: 0,
    max: 65_535,
    help: "port on 127.0.0.1; the next free one when it is taken, any free one for 0",
  },
  "root": { kind: "text", help: "folder to show, with one named notebooks; the project's own" },
  "no-browser": { kind: "boolean", help: "print the address, open no browser" },
} as const satisfies FlagTable;

function say(text: string): void {
  console.error(text);
}

/** Ctrl-C and SIGTERM: asks JupyterLab to end, which ends its kernels; insists when it does not. */
function endOnSignals(child: Deno.ChildProcess): void {
  let isEnding = false;
  const send = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  };
  const end = async () => {
    if (isEnding) return send("SIGKILL");
    isEnding = true;
    say("ending JupyterLab and its kernels; runs go on by themselves (Ctrl-C again ends at once)");
    send("SIGTERM");
    await systemClock.sleep(STOP_GRACE_MS);
    send("SIGKILL");
  };
  Deno.addSignalListener("SIGINT", end);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", end);
}

async function startLab(
  { python, variables }: JupyterEnvironment,
  flags: FlagValues<typeof TABLE>,
): Promise<Deno.ChildProcess> {
  // Given 0, JupyterLab takes a free port and prints an address with port 0.
  const port = flags.port === 0 ? await freePort(0, "port") : flags.port;
  return new Deno.Command(python, {
    args: [
      ...["-m", "jupyterlab", `--ServerApp.root_dir=${flags.root ?? ROOT}`],
      "--ServerApp.ip=127.0.0.1",
      `--ServerApp.port=${port}`,
      `--ServerApp.open_browser=${flags["no-browser"] ? "False" : "True"}`,
      "--LabApp.default_url=/lab/tree/notebooks",
      // Only Deno: a notebook that is opened with Python by mistake explains nothing.
      "--KernelSpecManager.ensure_native_kernel=False",
      "--KernelSpecManager.allowed_kernelspecs=deno",
      "--MultiKernelManager.default_kernel_name=deno",
      // Charts that grow send more than the default of a megabyte a second at once.
      "--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=50000000",
      // The other one asks PyPI and npm, which are away in a room without network.
      "--LabApp.extension_manager=readonly",
      "--log-level=WARN",
      // In a container one is root; the server is on loopback and asks for its token.
      ...(Deno.uid() === 0 ? ["--allow-root"] : []),
    ],
    cwd: ROOT,
    // JupyterLab asks npm for its version, and npm would keep a log of that in the home folder.
    env: { ...variables, npm_config_logs_max: "0" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

/** Notebooks work without the embedded engine where they are given a server: no reason not to open. */
async function tryEngine(signal: AbortSignal): Promise<void> {
  try {
    await ensureEngine({ root: ROOT, say, isTerminal: Deno.stderr.isTerminal(), signal });
  } catch (error) {
    signal.throwIfAborted();
    say(`lab: ${lineOf(error)}`);
  }
}

async function run({ flags }: { flags: FlagValues<typeof TABLE> }): Promise<number> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  Deno.addSignalListener("SIGINT", stop);
  let jupyter: JupyterEnvironment;
  try {
    const { signal } = stopping;
    jupyter = await ensureJupyter({ root: ROOT, packages: "lab", say, signal });
    await tryEngine(signal);
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
  }
  say("starting JupyterLab; Ctrl-C ends it");
  const child = await startLab(jupyter, flags);
  endOnSignals(child);
  const { code, signal } = await child.status;
  return signal === null && code !== 0 ? EXIT.fail : EXIT.pass;
}

await runJob({
  usage: {
    command: "deno task lab",
    summary:
      "Opens the notebooks in JupyterLab, which is installed into .venv of the project the first time (Python 3.9 or newer is needed).",
    examples: ["deno task lab", "deno task lab --no-browser --port 8890"],
  },
  table: TABLE,
  run,
});
