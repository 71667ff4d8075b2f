/** `jobs/broker.ts` as a process, for tests of what outlives it. */
import assert from "node:assert/strict";

const JOB = new URL("../../../jobs/broker.ts", import.meta.url).pathname;

/** The broker in a process of its own, that can be killed. */
export class BrokerProcess {
  private constructor(
    readonly child: Deno.ChildProcess,
    readonly port: number,
    readonly adminUrl: string,
  ) {}

  static async start(folder: string): Promise<BrokerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", JOB, "--port", "0", "--admin-port", "0", "--data", folder],
      env: { WEIR_SUPERVISED: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      assert(!done, "the broker ended before it was ready");
      text += value;
    }
    await reader.cancel();
    const { url, adminUrl } = JSON.parse(text.split("\n")[0]!);
    return new BrokerProcess(child, Number(new URL(url).port), adminUrl);
  }

  async admin(method: string, path: string): Promise<string> {
    const answer = await fetch(`${this.adminUrl}/admin/v2/${path}`, { method });
    const text = await answer.text();
    assert.equal(answer.ok, true, `${method} ${path}: ${text}`);
    return text;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
    await this.child.stdin.close().catch(() => {});
  }
}
