/**
 * Runs every notebook through a real Deno kernel and looks at what its cells show: `deno task notebooks`.
 *
 * The kernel and what drives it live in `.venv`, made here; nothing is written to the user's home.
 */
import assert from "node:assert/strict";
import { type Cell, notebookNames, readNotebook, shown } from "./_cells.ts";
import { EXPECTATIONS } from "./expectations.ts";
import { ensureJupyter } from "../../infra/jupyter/environment.ts";
import { taskCall } from "../task_flags.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const EXECUTED = `${ROOT}/.data/notebooks`;
const CELL_LIMIT_SEC = 180;

const NOTEBOOKS = notebookNames(`${ROOT}/notebooks`);
const { chosen: names } = taskCall({
  name: "notebooks",
  help: `Runs notebooks through a real Deno kernel and looks at what their cells show.

  deno task notebooks [NAME …]

A NAME is a part of a notebook's name; all are run without one:
${NOTEBOOKS.map((name) => `  ${name}`).join("\n")}`,
  table: {},
  names: NOTEBOOKS,
});
const jupyter = await ensureJupyter({ root: ROOT, packages: "kernel", say: console.error });

function assertNoErrors(cells: readonly Cell[]): void {
  cells.forEach((cell, i) => {
    const error = cell.outputs?.find((output) => output.output_type === "error");
    assert.equal(error, undefined, `cell ${i}: ${error?.ename}: ${error?.evalue}`);
  });
}

function assertExpected(name: string): void {
  const { cells } = readNotebook(`${EXECUTED}/${name}`);
  assertNoErrors(cells);
  const expectations = EXPECTATIONS[name];
  assert.ok(
    expectations,
    `${name} has no expectations: add them to tests/notebooks/expectations.ts`,
  );
  for (const { source, mimeType, matches } of expectations) {
    const index = cells.findIndex((cell) =>
      cell.cell_type === "code" && [cell.source].flat().join("").includes(source)
    );
    assert.ok(index >= 0, `no cell holds ${JSON.stringify(source)}`);
    const found = shown(cells[index]!, mimeType);
    assert.ok(
      found.some((text) => matches.test(text)),
      `cell ${index} shows no ${mimeType} that matches ${matches}; it shows ${
        JSON.stringify(found).slice(0, 600)
      }`,
    );
  }
}

async function execute(name: string): Promise<void> {
  const { success, stdout } = await new Deno.Command(jupyter.python, {
    args: [
      `${ROOT}/infra/jupyter/execute.py`,
      `--cell-limit=${CELL_LIMIT_SEC}`,
      `--out=${EXECUTED}`,
      `--cwd=${ROOT}/notebooks`,
      `${ROOT}/notebooks/${name}`,
    ],
    env: { ...jupyter.variables, WEIR_RUNS: runsFolder },
    stderr: "inherit",
  }).output();
  const outcome = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  if (!success) throw new Error(outcome.error);
}

// Their runs are looked at here, and by nobody afterwards.
await Deno.mkdir(`${ROOT}/.data`, { recursive: true });
const runsFolder = await Deno.makeTempDir({ dir: `${ROOT}/.data`, prefix: "notebook-runs-" });
let failed = 0;
for (const name of names) {
  const begunMs = performance.now();
  try {
    await execute(name);
    assertExpected(name);
    console.log(`${name} ok (${((performance.now() - begunMs) / 1000).toFixed(0)} s)`);
  } catch (error) {
    failed++;
    console.log(`${name} FAILED: ${error instanceof Error ? error.message : error}`);
  }
}
if (failed === 0) await Deno.remove(runsFolder, { recursive: true });
else console.log(`the runs are kept in ${runsFolder}`);
console.log(`${names.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
