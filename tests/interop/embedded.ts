/** The embedded broker as a runner starts it: `jobs/broker.ts`, in a process of its own. */
import { join } from "node:path";
import { SUPERVISED_VARIABLE } from "../../lib/run/mod.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

/** A broker that runs; it ends, and its data go, when it is disposed of. */
export class EmbeddedBroker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #dataDir: string;

  private constructor(
    child: Deno.ChildProcess,
    dataDir: string,
    readonly serviceUrl: string,
    readonly adminUrl: string,
  ) {
    this.#child = child;
    this.#dataDir = dataDir;
  }

  /** Starts one with these flags and waits until it is ready. */
  static async start(...flags: string[]): Promise<EmbeddedBroker> {
    const dataDir = await Deno.makeTempDir();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", join(ROOT, "jobs", "broker.ts")],
        ...["--port", "0", "--admin-port", "0", "--data", dataDir, ...flags],
      ],
      cwd: ROOT,
      env: { [SUPERVISED_VARIABLE]: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const ready = await firstLine(child.stdout);
    const { url, adminUrl } = JSON.parse(ready);
    return new EmbeddedBroker(child, dataDir, url, adminUrl);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A broker ends with its input.
    await this.#child.stdin.close();
    await this.#child.stdout.cancel();
    await this.#child.status;
    await Deno.remove(this.#dataDir, { recursive: true });
  }
}

/** The first line of what a process says; the rest is left in the stream. */
export async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("Cannot start the embedded broker: it ended before it was ready");
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
  return text.split("\n", 1)[0]!;
}
