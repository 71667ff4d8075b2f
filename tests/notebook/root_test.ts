import assert from "node:assert/strict";
import { ROOT, runsRoot } from "../../lib/notebook/root.ts";

Deno.test("runsRoot() is the project's, unless the environment names another", () => {
  assert.equal(runsRoot(() => undefined), `${ROOT}/runs`);
  assert.equal(runsRoot((name) => name === "WEIR_RUNS" ? "/srv/runs" : undefined), "/srv/runs");
});
