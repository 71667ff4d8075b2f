import assert from "node:assert/strict";
import { AvroError } from "../../lib/avro/errors.ts";
import { flatFieldsOf, parseAvroSchema } from "../../lib/avro/schema.ts";

function fieldsOf(...types: readonly unknown[]) {
  const fields = types.map((type, i) => ({ name: `f${i}`, type }));
  return flatFieldsOf(parseAvroSchema(JSON.stringify({ type: "record", name: "R", fields })));
}

Deno.test("parseAvroSchema() refuses what is no JSON and what is no schema", () => {
  for (const text of ["", "{", '{"type":"record"}', '"unknown"', '{"type":"enum","name":"E"}']) {
    assert.throws(
      () => parseAvroSchema(text),
      (error) =>
        error instanceof AvroError && error.code === "schema" &&
        error.message.startsWith("Cannot parse AVRO schema: "),
    );
  }
});

Deno.test("flatFieldsOf() describes kinds, nullability, symbols, sizes and defaults", () => {
  const schema = parseAvroSchema(JSON.stringify({
    type: "record",
    name: "R",
    fields: [
      { name: "a", type: ["null", "string"], default: null },
      { name: "b", type: [{ type: "enum", name: "E", symbols: ["X", "Y"] }, "null"] },
      { name: "c", type: { type: "fixed", name: "F", size: 3 } },
      { name: "d", type: { type: "long", logicalType: "timestamp-millis" }, default: 7 },
    ],
  }));
  const none = { nullIndex: -1, symbols: [], sizeBytes: 0, defaultValue: undefined };
  assert.deepEqual(flatFieldsOf(schema), [
    { ...none, name: "a", kind: "string", nullIndex: 0, defaultValue: null },
    { ...none, name: "b", kind: "enum", nullIndex: 1, symbols: ["X", "Y"] },
    { ...none, name: "c", kind: "fixed", sizeBytes: 3 },
    { ...none, name: "d", kind: "long", defaultValue: 7 },
  ]);
});

Deno.test("flatFieldsOf() leaves what is not flat to avsc", () => {
  assert.equal(flatFieldsOf(parseAvroSchema('"int"')), undefined);
  for (
    const type of [
      { type: "array", items: "int" },
      { type: "map", values: "int" },
      { type: "record", name: "Inner", fields: [] },
      ["null"],
      ["int", "string"],
      ["null", "int", "string"],
      ["null", { type: "array", items: "int" }],
    ]
  ) assert.equal(fieldsOf("int", type), undefined, JSON.stringify(type));
  assert.deepEqual(fieldsOf(), []);
});
