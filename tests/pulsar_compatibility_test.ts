import assert from "node:assert/strict";
import { BEHAVIOURS } from "./interop/matrix/behaviours.ts";
import { explanationOf, EXPLANATIONS } from "./interop/matrix/explained.ts";
import { formatMarkdown, PAGE_FILE, renderPage, RESULT_FILE } from "./interop/matrix/page.ts";
import {
  columnKey,
  differencesOf,
  formatResult,
  type MatrixResult,
  parseResult,
  readResult,
  withColumn,
} from "./interop/matrix/result.ts";

const result = await readResult(RESULT_FILE);

Deno.test("docs/pulsar-compatibility.md is what the last run of the matrix gave", async () => {
  const page = await formatMarkdown(renderPage(result));
  const cure = "run `deno task test:matrix`, or `deno task test:matrix --page` for the page alone";
  assert.equal(await Deno.readTextFile(PAGE_FILE), page, cure);
});

Deno.test("the matrix has a cell for each behaviour, client and broker", () => {
  const names = result.columns.map(columnKey).sort();
  const clients = ["go", "java", "python", "weir"];
  assert.deepEqual(names, clients.flatMap((one) => [`${one} × embedded`, `${one} × real`]));
  const ids = BEHAVIOURS.map(({ id }) => id).sort();
  for (const name of names) assert.deepEqual(Object.keys(result.cells[name]!).sort(), ids, name);
});

Deno.test("every difference of the matrix is explained, and nothing else is", () => {
  const differences = differencesOf(result);
  const open = differences.filter((difference) => explanationOf(difference) === undefined);
  assert.deepEqual(open, []);
  for (const { scenario } of EXPLANATIONS) {
    assert(differences.some((one) => one.scenario === scenario), `${scenario} does not differ`);
  }
});

const at = { title: "Go", clientVersion: "1", brokerVersion: "2", ranAt: "2026-01-01T00:00" };
const cell = {
  scenario: "single",
  status: "ok",
  detail: "",
  notes: { error: "Busy" },
  ms: 1,
} as const;

function sample(): MatrixResult {
  const none: MatrixResult = { columns: [], cells: {} };
  const real = withColumn(none, { ...at, client: "go", broker: "real" }, [cell]);
  const other = { ...cell, notes: { error: "Gone" } };
  return withColumn(real, { ...at, client: "go", broker: "embedded" }, [other]);
}

Deno.test("differencesOf() finds what the brokers say differently, and what failed", () => {
  assert.deepEqual(differencesOf(sample()).map(({ broker, got }) => [broker, got]), [
    ["embedded", 'error: "Gone"'],
  ]);
  const failed = { ...cell, status: "failed", detail: "it broke" } as const;
  const result = withColumn(sample(), { ...at, client: "go", broker: "real" }, [failed]);
  assert.deepEqual(differencesOf(result).map(({ broker, got }) => [broker, got]), [
    ["real", "it broke"],
  ]);
});

Deno.test("parseResult() reads what formatResult() writes", () => {
  assert.deepEqual(parseResult(formatResult(sample())), sample());
});
