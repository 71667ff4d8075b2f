import assert from "node:assert/strict";
import { parseRows } from "../../lib/notebook/run_database.ts";

Deno.test("parseRows() keeps every digit of a 64-bit integer", () => {
  const text = '{"identity_sum":13406728658954983711,"n":71,"low":-9007199254740993}\n';
  assert.deepEqual(parseRows(text), [
    { identity_sum: 13406728658954983711n, n: 71, low: -9007199254740993n },
  ]);
});

Deno.test("parseRows() leaves texts, fractions and powers of ten as they are", () => {
  const text =
    '{"name":"13406728658954983711","share":0.25,"big":1e300,"none":null}\n{"name":"b"}\n';
  assert.deepEqual(parseRows(text), [
    { name: "13406728658954983711", share: 0.25, big: 1e300, none: null },
    { name: "b" },
  ]);
});

Deno.test("parseRows() gives no rows for no text", () => assert.deepEqual(parseRows(""), []));
