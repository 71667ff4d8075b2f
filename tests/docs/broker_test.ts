/** The example and the flags of docs/broker.md. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const PAGE = await Deno.readTextFile(new URL("docs/broker.md", ROOT));

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("docs/broker.md has an example that runs", async () => {
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(PAGE)!;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const module = new URL("lib/pulsar/mod.ts", ROOT).href;
  await Deno.writeTextFile(file, code!.replace("./lib/pulsar/mod.ts", module));
  const config = new URL("deno.json", ROOT).pathname;
  assert.equal(
    await deno("run", "--allow-all", "--check", "--config", config, file),
    '["standalone"]\n',
  );
  await Deno.remove(file);
});

Deno.test("docs/broker.md names only flags that there are", async () => {
  const help = await deno("run", "--allow-all", "jobs/broker.ts", "--help");
  const known = new Set([...help.matchAll(/^ {2}(--[a-z][a-z-]*)/gm)].map(([, flag]) => flag));
  const named = new Set([...PAGE.matchAll(/(?<![\w-])(--[a-z][a-z-]*)/g)].map(([, flag]) => flag!));
  const ofDeno = new Set([
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-ffi",
  ]);
  assert.deepEqual([...named].filter((flag) => !known.has(flag) && !ofDeno.has(flag)), []);
});
