import assert from "node:assert/strict";
import fc from "fast-check";
import { dateTimeText, encodeBatch, encodeRow } from "../../../lib/sinks/clickhouse/rows.ts";
import { expectedColumns } from "../../../lib/sinks/mod.ts";
import { someBatch } from "./_batches.ts";

Deno.test("dateTimeText() writes every instant with its milliseconds, in UTC", () => {
  assert.equal(dateTimeText(0), "1970-01-01 00:00:00.000");
  assert.equal(dateTimeText(Date.parse("2026-02-28T23:59:59.999Z")), "2026-02-28 23:59:59.999");
});

Deno.test("encodeRow() keeps doubles and texts, and writes instants as text", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), (value, text) => {
      const parsed = JSON.parse(encodeRow({ window_start: 1, value, text }));
      assert.equal(parsed.value, value === 0 ? 0 : value);
      assert.equal(parsed.text, text);
      assert.equal(parsed.window_start, "1970-01-01 00:00:00.001");
    }),
    { seed: 11 },
  );
});

Deno.test("encodeBatch() writes one line a row, and refuses a row that lacks a column", () => {
  const columns = expectedColumns().map(({ name }) => name);
  const batch = someBatch({ rowCount: 3 });
  const lines = encodeBatch(batch, columns).split("\n");
  assert.equal(lines.length, 4);
  assert.deepEqual(Object.keys(JSON.parse(lines[0]!)).sort(), [...columns].sort());
  const { emitted_at: _, ...row } = batch.rows[0]!;
  assert.throws(() => encodeBatch({ ...batch, rows: [row] }, columns), /lacks emitted_at/);
});
