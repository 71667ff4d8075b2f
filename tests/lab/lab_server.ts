import { UsageError } from "../../lib/base/mod.ts";
import { until } from "./until.ts";

const READY_WITHIN_MS = 300_000;
const ENDS_WITHIN_MS = 30_000;

/** Copies the notebooks, so that JupyterLab saves no outputs into the project's own. */
export async function copyNotebooks(from: string, to: string): Promise<void> {
  await Deno.remove(to, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** What {@link LabServer.start} starts. */
export interface LabOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder to show. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** `deno task lab`, as a person starts it, but for the browser. */
export class LabServer implements AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, address: URL) {
    this.#child = child;
    this.url = address.origin;
    this.token = address.searchParams.get("token")!;
  }

  /** @throws {UsageError} with its last words when it does not come up */
  static async start({ root, folder, signal }: LabOptions): Promise<LabServer> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", "jobs/lab.ts"],
        ...["--no-browser", "--port=0", `--root=${folder}`],
      ],
      cwd: root,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "";
    let hasEnded = false;
    void child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (text) => void (said += text) }),
    ).then(() => hasEnded = true);
    try {
      const address = await until("JupyterLab is up", () => {
        signal.throwIfAborted();
        if (hasEnded) throw new UsageError(`Cannot start JupyterLab: ${said.trim()}`);
        return /http:\/\/127\.0\.0\.1:\d+\/\S*token=\w+/.exec(said)?.[0];
      }, READY_WITHIN_MS);
      return new LabServer(child, new URL(address));
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  /** Ends it and its kernels. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}

async function end(child: Deno.ChildProcess): Promise<void> {
  const ended = child.status;
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended by itself.
  }
  const insist = setTimeout(() => child.kill("SIGKILL"), ENDS_WITHIN_MS);
  await ended;
  clearTimeout(insist);
}
