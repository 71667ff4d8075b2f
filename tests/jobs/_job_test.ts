import assert from "node:assert/strict";
import { exitCodeOf, type Job, type RunOptions } from "../../jobs/_job.ts";
import { UsageError, WeirError } from "../../lib/base/mod.ts";

const TABLE = { "word": { kind: "text", default: "none", help: "what to say" } } as const;

/** What a job wrote to standard error, and its exit code. */
async function run(
  body: Job<typeof TABLE>["run"],
  options: RunOptions,
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const { error } = console;
  console.error = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    const usage = { command: "deno task demo", summary: "Demo." };
    return { code: await exitCodeOf({ usage, table: TABLE, run: body }, options), lines };
  } finally {
    console.error = error;
  }
}

const nothing = () => Promise.resolve(0);
const failing = (error: unknown) => () => Promise.reject(error);

Deno.test("exitCodeOf() refuses too old a Deno in one line with the cure", async () => {
  for (const denoVersion of ["2.8.1", "2.8.99", "1.46.3"]) {
    assert.deepEqual(await run(nothing, { args: [], denoVersion }), {
      code: 2,
      lines: [
        `demo: Cannot run on Deno ${denoVersion}: at least 2.9.0 is needed; run \`npx -y deno@2.9.6 task …\` or \`deno upgrade\``,
      ],
    });
  }
  for (const denoVersion of ["2.9.0", "2.10.0", "3.0.0"]) {
    assert.deepEqual(await run(nothing, { args: [], denoVersion }), { code: 0, lines: [] });
  }
});

Deno.test("exitCodeOf() tells what a person can change from what is a bug", async () => {
  const cases: [unknown, number, string][] = [
    [new UsageError("Cannot go on: it is full", "free some space"), 2, "it is full; free some"],
    [new WeirError("Cannot go on: no answer", { code: "x" }), 2, "demo: Cannot go on: no answer"],
    [new TypeError("x is not a function"), 1, "demo: x is not a function"],
  ];
  for (const [error, code, text] of cases) {
    const ended = await run(failing(error), { args: [] });
    assert.deepEqual([ended.code, ended.lines.length], [code, 1]);
    assert.ok(ended.lines[0]!.includes(text));
  }
});

Deno.test("exitCodeOf() shows where an error came from only with --verbose", async () => {
  const error = new TypeError("broken");
  const { lines } = await run(failing(error), { args: ["--verbose"] });
  assert.ok(lines.join("\n").includes("_job_test.ts"));
});
