import assert from "node:assert/strict";
import { concatBytes, utf8 } from "../../../lib/base/mod.ts";
import { SinkError } from "../../../lib/sinks/clickhouse/errors.ts";
import { rowFields } from "../../../lib/sinks/clickhouse/row_fields.ts";
import { expectedColumns } from "../../../lib/sinks/clickhouse/table.ts";

function text(value: string): Uint8Array {
  const bytes = utf8(value);
  return concatBytes([new Uint8Array([bytes.length]), bytes]);
}

function eightBytes(write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(8);
  write(new DataView(bytes.buffer));
  return bytes;
}

const VALUES: Readonly<Record<string, readonly [bytes: Uint8Array, text: string]>> = {
  "DateTime64(3, 'UTC')": [
    eightBytes((view) => view.setBigInt64(0, 1_700_000_000_123n, true)),
    "2023-11-14T22:13:20.123Z",
  ],
  "String": [text("sensor-1"), '"sensor-1"'],
  "LowCardinality(String)": [text("run"), '"run"'],
  "UInt32": [new Uint8Array([1, 2, 0, 0]), "513"],
  "UInt64": [
    eightBytes((view) => view.setBigUint64(0, 2n ** 64n - 1n, true)),
    "18446744073709551615",
  ],
  "Float64": [eightBytes((view) => view.setFloat64(0, 17.71, true)), "17.71"],
};

function rowOf(columns: readonly { readonly name: string; readonly type: string }[]): Uint8Array {
  return concatBytes([
    new Uint8Array([columns.length]),
    ...columns.map(({ name }) => text(name)),
    ...columns.map(({ type }) => text(type)),
    ...columns.map(({ type }) => VALUES[type]![0]),
  ]);
}

Deno.test("rowFields() reads every type of the table, and leaves no byte of the row out", () => {
  const columns = expectedColumns();
  const { row, fields } = rowFields(rowOf(columns));
  assert.deepEqual(fields.map(({ name, type }) => ({ name, type })), columns);
  let at = 0;
  for (const { name, start, end, type, text } of fields) {
    assert.equal(start, at, name);
    assert.deepEqual(row.subarray(start, end), VALUES[type]![0], name);
    assert.equal(text, VALUES[type]![1], name);
    at = end;
  }
  assert.equal(at, row.length);
});

Deno.test("rowFields() refuses no row, half a row, more than one, and an unknown type", () => {
  const columns = [{ name: "a", type: "UInt64" }];
  const whole = rowOf(columns);
  const refused = { name: "SinkError", code: "unreadable_row" };
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => rowFields(whole.subarray(0, length)), SinkError, `${length}`);
  }
  assert.throws(() => rowFields(concatBytes([whole, VALUES["UInt64"]![0]])), refused);
  const map = concatBytes([new Uint8Array([1]), text("a"), text("Map(String, String)")]);
  assert.throws(() => rowFields(map), refused);
  const endless = new Uint8Array(9).fill(0xff);
  assert.throws(() => rowFields(endless), refused);
});
