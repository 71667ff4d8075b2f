/**
 * Starts without a network, from a cache that `deno task prefetch` has filled: `deno task test:offline`.
 *
 * The cache is one of its own, in .data/offline-cache, so that nothing of this machine's helps; the first time it is downloaded.
 */
import assert from "node:assert/strict";
import { taskCall } from "../task_flags.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const CACHE = `${ROOT}/.data/offline-cache`;
const DENO = Deno.execPath();

interface Ended {
  readonly code: number;
  readonly text: string;
}

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_DIR: CACHE, ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

type Runner = (args: readonly string[]) => Promise<Ended>;

/** A network with nothing in it but the loopback address. */
const UNSHARED = ["--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"'];

async function denied(): Promise<{ how: string; runner: Runner }> {
  const tried = await run("unshare", [...UNSHARED, "true"]).catch((error) => ({
    code: -1,
    text: String(error),
  }));
  if (tried.code === 0) {
    return {
      how: "in a network of its own, with loopback only",
      runner: (args) => run("unshare", [...UNSHARED, DENO, ...args]),
    };
  }
  const proxy = "http://127.0.0.1:1";
  return {
    how: `with a proxy that refuses: CANNOT UNSHARE the network here (${tried.text.trim()})`,
    runner: (args) =>
      run(DENO, args, { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: "127.0.0.1" }),
  };
}

/** A run that fails says a lot; the reason is at its end. */
function lastLines(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").slice(-40).join("\n");
}

async function step(name: string, check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    console.log(`ok      ${name}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${name}\n${lastLines(error)}`);
    return false;
  }
}

taskCall({
  name: "test:offline",
  help: `Starts without a network, from a cache that \`deno task prefetch\` has filled.

  deno task test:offline

The cache lies in .data/offline-cache; the first time it is downloaded.`,
  table: {},
});
console.log(`filling ${CACHE}`);
const filled = await run(DENO, ["task", "prefetch", "--cache", CACHE]);
assert.equal(filled.code, 0, filled.text);
const { how, runner } = await denied();
console.log(how);

const outcomes = [
  await step("there is no network: a package that is not in the cache does not come", async () => {
    const { code, text } = await runner(["cache", "--no-lock", "npm:snappyjs@0.6.1"]);
    assert.notEqual(code, 0, text);
  }),
  await step("bench50k carries its messages through", async () => {
    const flags = ["--duration=3s", "--rate=2000", "--time-scale=60", "--json"];
    const { code, text } = await runner(["task", "bench50k", ...flags]);
    // VOID is what a machine says that is busy with something else; the data are whole all the same.
    assert.ok(code === 0 || code === 3, text);
    assert.match(text, /"verdict": "(?:PASS|VOID)"/);
    assert.match(text, /"acked": 6000,[^}]*"lost": 0,\s*"duplicated": 0/);
    assert.doesNotMatch(text, /download/i);
  }),
  await step("everything is there to check jobs, library and tests", async () => {
    const { code, text } = await runner(["check", "--quiet", "lib", "jobs", "infra", "tests"]);
    assert.equal(code, 0, text);
  }),
  await step("a test with packages of its own runs", async () => {
    const file = "tests/avro/encoder_test.ts";
    const { code, text } = await runner(["test", "--quiet", "--allow-all", file]);
    assert.equal(code, 0, text);
  }),
];
Deno.exit(outcomes.every(Boolean) ? 0 : 1);
