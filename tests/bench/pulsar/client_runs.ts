/** Our client as a process under measurement: started, let go, and read when it is done. */
import { join } from "node:path";
import { LineReader } from "./line_reader.ts";
import type { ClientEvent, ClientTask } from "./protocol.ts";

const HERE = import.meta.dirname!;

/** Nothing is measured, and why. */
export class NotMeasured extends Error {
  override readonly name = "NotMeasured";
}

/** A client process between `ready` and its end. */
export class ClientRun implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = new LineReader(child.stdout);
    this.#input = child.stdin.getWriter();
  }

  /**
   * Starts one and waits until it has warmed up.
   *
   * @throws {NotMeasured} when its client is not there
   */
  static async start(task: ClientTask, options: { readonly ffi: boolean }): Promise<ClientRun> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-net", "--allow-read", "--allow-env"],
        ...(options.ffi || task.client === "native" ? ["--allow-ffi", "--allow-sys"] : []),
        ...[join(HERE, "client_process.ts"), JSON.stringify(task)],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const run = new ClientRun(child);
    await run.#expect("ready");
    return run;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async go(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("go\n"));
  }

  /** Waits until it says that it has done its work. */
  async done(): Promise<{ readonly messageCount: number; readonly elapsedMs: number }> {
    return await this.#expect("done");
  }

  async #expect<Name extends "ready" | "done">(
    name: Name,
  ): Promise<Extract<ClientEvent, { event: Name }>> {
    const line = await this.#lines.next();
    if (line === undefined) throw new Error(`the client has ended before it was ${name}`);
    const event = JSON.parse(line) as ClientEvent;
    if (event.event === "missing") throw new NotMeasured(event.why);
    if (event.event !== name) throw new Error(`the client says ${line} instead of ${name}`);
    return event as Extract<ClientEvent, { event: Name }>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {/* it has ended already */});
    await this.#child.status;
    await this.#lines.cancel();
  }
}
