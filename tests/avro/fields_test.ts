import assert from "node:assert/strict";
import fc from "fast-check";
import { AvroError } from "../../lib/avro/errors.ts";
import { recordFields } from "../../lib/avro/fields.ts";
import { parseAvroSchema } from "../../lib/avro/schema.ts";
import { flatSample, nestedSample, SEED } from "./_arbitraries.ts";

const schema = parseAvroSchema(JSON.stringify({
  type: "record",
  name: "R",
  fields: [
    { name: "n", type: "long" },
    { name: "s", type: ["null", "string"] },
    { name: "e", type: { type: "enum", name: "E", symbols: ["A", "B"] } },
    { name: "f", type: "float" },
    { name: "list", type: { type: "array", items: "int" } },
  ],
}));
const bytes = new Uint8Array(
  schema.toBuffer({ n: 300, s: "hi", e: "B", f: 0.1, list: [1, 2] }),
);

Deno.test("recordFields() names each field with its bytes, its type and its value", () => {
  const fields = recordFields(schema, bytes);
  assert.deepEqual(
    fields.map(({ name, start, end, type, text }) => [name, start, end, type, text]),
    [
      ["n", 0, 2, "long", "300"],
      ["s", 2, 6, "null or string", '"hi"'],
      ["e", 6, 7, "enum", '"B"'],
      ["f", 7, 11, "float", "0.1"],
      ["list", 11, 15, "array", "[1,2]"],
    ],
  );
});

Deno.test("recordFields() counts from the first byte of the array, wherever the record lies", () => {
  const inside = new Uint8Array(bytes.length + 9);
  inside.set(bytes, 4);
  const fields = recordFields(schema, inside, 4, 4 + bytes.length);
  assert.equal(fields[0]?.start, 4);
  assert.equal(fields.at(-1)?.end, 4 + bytes.length);
});

Deno.test("recordFields() leaves no byte of any record out", () => {
  fc.assert(
    fc.property(fc.oneof(flatSample, nestedSample), ({ schema, records }) => {
      const type = parseAvroSchema(JSON.stringify(schema));
      for (const record of records) {
        const encoded = new Uint8Array(type.toBuffer(record));
        let at = 0;
        for (const { start, end } of recordFields(type, encoded)) {
          assert.equal(start, at);
          at = end;
        }
        assert.equal(at, encoded.length);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("recordFields() refuses what is not one whole record", () => {
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => recordFields(schema, bytes.subarray(0, length)), AvroError, `${length}`);
  }
  const longer = new Uint8Array([...bytes, 0]);
  assert.throws(() => recordFields(schema, longer), { code: "trailing_bytes" });
  assert.throws(() => recordFields(parseAvroSchema('"int"'), bytes), { code: "schema" });
});
