/**
 * Packages into a virtual environment, with progress.
 *
 * @module
 */
import { systemClock, UsageError } from "../../lib/base/mod.ts";

/** What is installed, and where. */
export interface InstallOptions {
  /** Interpreter of the environment. */
  readonly python: string;
  readonly requirements: string;
  readonly constraints: string;
  readonly variables: Readonly<Record<string, string>>;
  /** How many packages there are in all, about. */
  readonly packageCount: number;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

const SAY_EVERY_MS = 3_000;

/** Reads what pip prints, in whatever pieces it comes. */
export class PipProgress {
  /** Packages whose files pip has looked at. */
  collectedCount = 0;
  isInstalling = false;
  /** The last line that pip marks as an error. */
  lastError: string | undefined;
  #rest = "";

  add(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("Collecting ")) this.collectedCount++;
      else if (line.startsWith("Installing collected packages")) this.isInstalling = true;
      else if (line.startsWith("ERROR:")) this.lastError = line.slice("ERROR:".length).trim();
    }
  }
}

/**
 * Installs pinned packages as wheels; nothing is built.
 *
 * @throws {UsageError} with pip's reason
 */
export async function installPackages(options: InstallOptions): Promise<void> {
  const { python, requirements, constraints, variables, packageCount, say, signal } = options;
  const child = new Deno.Command(python, {
    args: [
      ...["-m", "pip", "install", "--no-input", "--progress-bar=off", "--only-binary=:all:"],
      ...["--disable-pip-version-check", "-r", requirements, "-c", constraints],
    ],
    // A pip.conf that says `user = true` would install into the home folder.
    env: { ...variables, PIP_USER: "0", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(signal === undefined ? {} : { signal }),
  }).spawn();
  const progress = new PipProgress();
  say(`installing about ${packageCount} Python packages into .venv`);
  const stopSaying = systemClock.every(SAY_EVERY_MS, () => {
    say(
      progress.isInstalling
        ? "  unpacking them"
        : `  ${progress.collectedCount} of about ${packageCount} found`,
    );
  });
  try {
    await Promise.all([read(child.stdout, progress), read(child.stderr, progress)]);
    const { success } = await child.status;
    signal?.throwIfAborted();
    if (success) return;
  } finally {
    stopSaying();
  }
  throw new UsageError(
    `Cannot install Python packages: ${progress.lastError ?? "pip failed"}`,
    "check network and proxy (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT) and try again",
  );
}

async function read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, progress: PipProgress) {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) progress.add(text);
}
