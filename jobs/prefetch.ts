import { dirname } from "node:path";
import { formatBytes, lineOf, messageOf, UsageError } from "../lib/base/mod.ts";
import { cacheFolders, download, ensureEngine } from "./_engine.ts";
import { EXIT, runJob } from "./_job.ts";

const ROOT = dirname(import.meta.dirname!);
/** What is run from these; the rest is imported by them. */
const FOLDERS = ["jobs", "infra", "tests", "lib"];

async function* codeFiles(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* codeFiles(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** Bytes of all files under a folder, as they are read. */
async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) bytes += await folderBytes(path);
    else if (entry.isFile) bytes += (await Deno.lstat(path)).size;
  }
  return bytes;
}

function say(text: string): void {
  console.error(text);
}

async function fetchPackages(signal: AbortSignal): Promise<void> {
  say("packages of the main job, tests, notebooks and reports");
  const files: string[] = [];
  for (const folder of FOLDERS) {
    files.push(...await Array.fromAsync(codeFiles(`${ROOT}/${folder}`)));
  }
  const isTerminal = Deno.stderr.isTerminal();
  try {
    await download(files, `${ROOT}/deno.lock`, { root: ROOT, say, isTerminal, signal });
  } catch (error) {
    throw new UsageError(
      `Cannot download the packages: ${messageOf(error)}`,
      "check network and proxy (HTTPS_PROXY; DENO_TLS_CA_STORE=system for a company's certificate)",
      error,
    );
  }
}

/**
 * Runs bench50k for a second: it shows that everything is there, and Deno asks the registry for the descriptions of packages only when a program that uses them runs. Without those,
 * a start on a network that swallows its packets waits for answers.
 */
async function tryRun(signal: AbortSignal): Promise<void> {
  say("trying it: a run of a second");
  const folder = await Deno.makeTempDir({ prefix: "weir-prefetch-" });
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", `--config=${ROOT}/deno.json`, `${ROOT}/jobs/bench.ts`],
        ...["--rate=1000", "--duration=1s", "--time-scale=60", `--out=${folder}/run`],
      ],
      env: { NO_COLOR: "1" },
      signal,
    }).output();
    signal.throwIfAborted();
    // A machine that is busy makes it VOID, which says nothing against the cache.
    if (code === EXIT.pass || code === EXIT.void) return;
    const words = new TextDecoder().decode(stderr).trim().split("\n").slice(-20).join("\n");
    throw new UsageError(`Cannot run bench50k with what was downloaded:\n${words}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** How the cache gets to others who have the same system and processor. */
function copyText(cache: string): string[] {
  return [
    "",
    `Other machines with ${Deno.build.os} on ${Deno.build.arch} need no download:`,
    `  tar -C ${cache} -czf weir-cache.tar.gz .        # here`,
    "  mkdir -p weir-cache && tar -C weir-cache -xzf weir-cache.tar.gz   # there",
    "  export DENO_DIR=$PWD/weir-cache                  # there, for every command",
    `They need this Deno, too: one file, ${Deno.execPath()}`,
  ];
}

/** A cache that other projects use, too, holds more than a run needs. */
async function report(denoDir: string): Promise<void> {
  console.log(`cache   ${denoDir}, ${formatBytes(await folderBytes(denoDir))}`);
  for (const line of copyText(denoDir)) console.log(line);
}

await runJob({
  usage: {
    command: "deno task prefetch",
    summary:
      "Downloads everything that runs, tests, notebooks and reports need into Deno's cache, so that they start without a network.",
    examples: [
      "deno task prefetch",
      "deno task prefetch --cache /media/stick/weir-cache   # a cache with nothing else in it, to copy",
    ],
  },
  table: { "cache": { kind: "text", help: "folder of the cache (default: Deno's own, DENO_DIR)" } },
  async run({ flags }) {
    if (flags.cache !== undefined) {
      await Deno.mkdir(flags.cache, { recursive: true });
      // Read by every Deno that is started from here.
      Deno.env.set("DENO_DIR", await Deno.realPath(flags.cache));
    }
    const stopping = new AbortController();
    Deno.addSignalListener("SIGINT", () => stopping.abort());
    const { signal } = stopping;
    try {
      await fetchPackages(signal);
      await ensureEngine({ root: ROOT, say, isTerminal: Deno.stderr.isTerminal(), signal });
      await tryRun(signal);
    } catch (error) {
      if (signal.aborted) return EXIT.interrupted;
      console.error(`prefetch: ${lineOf(error)}`);
      return EXIT.usage;
    }
    await report((await cacheFolders()).denoDir);
    return EXIT.pass;
  },
});
