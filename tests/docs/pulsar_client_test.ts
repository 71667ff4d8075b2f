/** The examples of docs/pulsar-client.md: checked, and run one after the other against an embedded broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startBroker } from "../../lib/pulsar/mod.ts";

const ROOT = new URL("../../", import.meta.url);
const BY_DEFAULT = "pulsar://127.0.0.1:6650";

/** Blocks of TypeScript that are not marked `ignore`. */
function examplesOf(page: string): string[] {
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
}

async function deno(...args: string[]): Promise<string> {
  const config = new URL("deno.json", ROOT).pathname;
  const [command, ...rest] = args;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [command!, "--config", config, ...rest],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, err);
  return out!;
}

Deno.test("docs/pulsar-client.md has examples that run", async () => {
  const page = await Deno.readTextFile(new URL("docs/pulsar-client.md", ROOT));
  const folder = await Deno.makeTempDir();
  try {
    await using broker = await startBroker({ folder: join(folder, "broker") });
    const files: string[] = [];
    for (const [i, code] of examplesOf(page).entries()) {
      const file = join(folder, `example_${i}.ts`);
      const module = new URL("lib/pulsar/mod.ts", ROOT).href;
      const here = code.replace("./lib/pulsar/mod.ts", module).replaceAll(BY_DEFAULT, broker.url);
      await Deno.writeTextFile(file, here);
      files.push(file);
    }
    assert.ok(files.length >= 4);
    await deno("check", ...files);
    const main = join(folder, "main.ts");
    await Deno.writeTextFile(main, files.map((file) => `await import("${file}");\n`).join(""));
    const out = await deno("run", "--allow-all", main);
    assert.match(out, /^table-7 hello\n/);
    assert.match(out, /^\d+:\d+:-1.* 2000$/m);
    assert.match(out, /^producer_fenced$/m);
    assert.match(out, /^tea$/m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
