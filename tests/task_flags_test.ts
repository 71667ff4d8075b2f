import assert from "node:assert/strict";
import { UsageError } from "../lib/base/mod.ts";
import { readCall } from "./task_flags.ts";

const TASKS: readonly (readonly [string, string])[] = [
  ["simulation/simulate.ts", "--seeds=x"],
  ["chaos/run.ts", "nobody"],
  ["notebooks/run.ts", "nobody"],
  ["bench/broker_idle.ts", "--topics=x"],
  ["thirty/run.ts", "x"],
  ["offline/run.ts", "x"],
  ["terminal/run.ts", "nobody"],
  ["lab/run.ts", "x"],
  ["interop/run.ts", "x"],
  ["bench/pulsar/run.ts", "--minutes=x"],
  ["fuzz/fuzz.ts", "--frames=x"],
  ["interop/matrix/run.ts", "--workers=x"],
  ["fuzz/differential/run.ts", "--sequences=x"],
];

async function call(file: string, argument: string) {
  const script = new URL(file, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, argument],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr).trimEnd() };
}

for (const [file, nonsense] of TASKS) {
  Deno.test(`tests/${file} explains itself, and refuses what it does not know in one line`, async () => {
    const help = await call(file, "--help");
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, /\n {2}deno task /);
    assert.deepEqual(help.stdout.split("\n").filter((line) => line.length > 80), []);
    for (const argument of ["--frob", nonsense]) {
      const { code, stdout, stderr } = await call(file, argument);
      assert.deepEqual([code, stdout, stderr.split("\n").length], [2, "", 1], stderr);
    }
  });
}

Deno.test("readCall() chooses by parts of names, and lists the names where none has the part", () => {
  const task = { name: "demo", help: "", table: {}, names: ["one cat", "two cats", "dog"] };
  assert.deepEqual(readCall(task, []).chosen, task.names);
  assert.deepEqual(readCall(task, ["cat"]).chosen, ["one cat", "two cats"]);
  assert.throws(
    () => readCall(task, ["cat", "cow"]),
    (error) =>
      error instanceof UsageError && error.message === 'Cannot find "cow": no name has it' &&
      error.cure === 'known are "one cat", "two cats", "dog"',
  );
});
