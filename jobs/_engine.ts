import { formatDurationMs, messageOf, systemClock, UsageError } from "../lib/base/mod.ts";
import { engineLockPath, type EnginePackage, enginePackage } from "../lib/sinks/mod.ts";

const SAY_EVERY_MS = 5_000;
const CURE =
  "check network and proxy (HTTPS_PROXY; DENO_TLS_CA_STORE=system for a company's certificate), or use a server: --clickhouse http://HOST:8123";

/** Where Deno keeps what it has downloaded. */
export interface CacheFolders {
  readonly denoDir: string;
  /** Of npm packages, one folder for each registry. */
  readonly npmCache: string;
}

/** Asks this Deno where its cache is. */
export async function cacheFolders(): Promise<CacheFolders> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stderr: "null",
  }).output();
  const { denoDir, npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  return { denoDir, npmCache };
}

/**
 * The folder that holds an engine's package, from whichever registry it came. Deno unpacks beside it and renames: what is there is whole.
 *
 * @returns undefined when it is not in the cache
 */
export async function cachedEngineFolder(
  engine: EnginePackage,
  npmCache: string,
): Promise<string | undefined> {
  try {
    for await (const registry of Deno.readDir(npmCache)) {
      const folder = `${npmCache}/${registry.name}/${engine.name}/${engine.version}`;
      if (await Deno.stat(folder).then((info) => info.isDirectory, () => false)) return folder;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return undefined;
}

/** What Deno says went wrong, on one line: its error, and the cause behind all causes where the error does not hold it. */
export function lastCause(errorText: string): string {
  const lines = errorText.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const end = lines.findIndex((line) => line.startsWith("Stack backtrace"));
  const said = end < 0 ? lines : lines.slice(0, end);
  const error = said.find((line) => line.startsWith("error: ")) ?? said.at(-1) ??
    "nothing was said";
  const last = (said.at(-1) ?? "").replace(/^\d+: /, "");
  const plain = error.replace("error: ", "");
  return error.includes(last) ? plain : `${plain}: ${last}`;
}

/** How a download is told and ended. */
export interface DownloadOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly say: (text: string) => void;
  /** On a terminal Deno draws its own progress, with bytes. */
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** Variables of the process that downloads, beside those of this one. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Downloads with Deno, which checks what comes against a lock file. */
export async function download(
  specifiers: readonly string[],
  lock: string,
  { root, say, isTerminal, signal, environment = {} }: DownloadOptions,
): Promise<void> {
  signal.throwIfAborted();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["cache", `--config=${root}/deno.json`, `--lock=${lock}`, ...specifiers],
    env: isTerminal ? environment : { NO_COLOR: "1", ...environment },
    stdin: "null",
    stdout: "null",
    stderr: isTerminal ? "inherit" : "piped",
    signal,
  }).spawn();
  const beganUs = systemClock.monoUs();
  const stopSaying = systemClock.every(SAY_EVERY_MS, () => {
    if (isTerminal) return;
    say(`still downloading, ${formatDurationMs((systemClock.monoUs() - beganUs) / 1000)} so far`);
  });
  try {
    const said = isTerminal ? "see above" : lastCause(await new Response(child.stderr).text());
    const { success } = await child.status;
    signal.throwIfAborted();
    if (!success) throw new Error(said);
  } finally {
    stopSaying();
  }
}

/**
 * Sees to it that the embedded ClickHouse is in Deno's cache, before a process is given a limit of time to start it.
 *
 * @throws {UsageError} when it cannot be downloaded
 * @throws {EmbeddedError} unsupported_platform
 */
export async function ensureEngine(options: DownloadOptions): Promise<void> {
  const engine = enginePackage();
  const { npmCache } = await cacheFolders();
  if (await cachedEngineFolder(engine, npmCache) !== undefined) return;
  const beganUs = systemClock.monoUs();
  options.say(
    "downloading the embedded ClickHouse (130 MB, 566 MB unpacked), once for this machine",
  );
  try {
    await download(
      [engine.specifier, `${options.root}/jobs/clickhouse.ts`],
      engineLockPath(options.root),
      options,
    );
  } catch (error) {
    if (options.signal.aborted) throw error;
    throw new UsageError(
      `Cannot download the embedded ClickHouse: ${messageOf(error)}`,
      CURE,
      error,
    );
  }
  options.say(`downloaded in ${formatDurationMs((systemClock.monoUs() - beganUs) / 1000)}`);
}
