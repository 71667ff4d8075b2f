import assert from "node:assert/strict";
import fc from "fast-check";
import { QueryError } from "../../../../lib/sinks/clickhouse/embedded/errors.ts";
import {
  FORMAT_NAMES,
  formatOf,
  insertableData,
} from "../../../../lib/sinks/clickhouse/embedded/formats.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const code = (error: unknown) => error instanceof QueryError ? error.code : error;

Deno.test("formatOf() knows its formats in any case and by their other names", () => {
  for (const name of FORMAT_NAMES) assert.equal(formatOf(name.toLowerCase()).name, name);
  assert.equal(formatOf("tsv").name, "TabSeparated");
  assert.equal(formatOf("NDJSON").name, "JSONEachRow");
});

Deno.test("formatOf() refuses others as ClickHouse does", () => {
  for (const name of ["Nonsense", "CapnProto", "constructor", ""]) {
    assert.throws(() => formatOf(name), (error) => code(error) === 73);
  }
});

Deno.test("insertableData() passes data without an empty line as they are", () => {
  const data = bytes('{"a":"x"}\n{"a":"y"}\n');
  assert.equal(insertableData("JSONEachRow", data), data);
});

Deno.test("insertableData() keeps the values of JSON and leaves no line end", () => {
  const data = bytes('{"a":"x\n\ny\\"\\\\"}\n\n\n{"a":"\\n"}');
  assert.equal(text(insertableData("JSONEachRow", data)), '{"a":"x\\n\\ny\\"\\\\"}   {"a":"\\n"}');
});

Deno.test("insertableData() keeps every JSON value, whatever its texts", () => {
  const row = fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.constant("\n\n")),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1 }), (rows) => {
      const data = bytes(rows.map((one) => JSON.stringify(one, null, 1)).join("\n\n"));
      const written = text(insertableData("JSONEachRow", data));
      assert.ok(!written.includes("\n\n"));
      const lines = written.includes("\n") ? [written] : splitValues(written);
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)),
        rows.map((one) => JSON.parse(JSON.stringify(one))),
      );
    }),
    { seed: 5 },
  );
});

/** Values that follow one another, by counting braces outside of texts. */
function splitValues(written: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let start = 0;
  for (const match of written.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (match[0] === "{" && depth++ === 0) start = match.index;
    if (match[0] === "}" && --depth === 0) values.push(written.slice(start, match.index + 1));
  }
  return values;
}

Deno.test("insertableData() refuses an empty line where it has a meaning, and formats that it cannot send", () => {
  assert.throws(
    () => insertableData("TabSeparated", bytes("a\n\nb")),
    (error) => code(error) === 48,
  );
  assert.throws(() => insertableData("CSV", bytes('"a\n\nb"')), (error) => code(error) === 48);
  assert.throws(() => insertableData("RowBinary", bytes("a")), (error) => code(error) === 48);
});
