import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import { isSameSchema } from "../../../../lib/pulsar/broker/schema/equality.ts";
import { SchemaType } from "../../../../lib/pulsar/wire/mod.ts";

const same = (a: unknown, b: unknown, type: SchemaType = SchemaType.Avro) =>
  isSameSchema(type, utf8(JSON.stringify(a)), utf8(JSON.stringify(b)));

const record = (fields: unknown[], more: object = {}) => ({
  type: "record",
  name: "R",
  namespace: "n",
  fields,
  ...more,
});

Deno.test("isSameSchema() looks through words, order of keys and ways to write a name", () => {
  const plain = record([{ name: "a", type: "int" }, { name: "r", type: ["null", "n.R"] }]);
  const reworded = {
    fields: [
      { doc: "a number", type: { type: "int" }, name: "a" },
      { type: ["null", "R"], name: "r", aliases: ["old"] },
    ],
    name: "n.R",
    type: "record",
    doc: "words",
  };
  assert.equal(same(plain, reworded), true);
});

Deno.test("isSameSchema() tells other types, names, defaults, orders and properties apart", () => {
  const base = record([{ name: "a", type: "int" }]);
  for (
    const other of [
      record([{ name: "a", type: "long" }]),
      record([{ name: "b", type: "int" }]),
      record([{ name: "a", type: "int", default: 0 }]),
      record([{ name: "a", type: { type: "int", logicalType: "date" } }]),
      record([{ name: "a", type: "int" }], { namespace: "m" }),
      record([{ name: "a", type: "int" }], { note: "n" }),
      record([{ name: "a", type: ["int", "null"] }]),
    ]
  ) assert.equal(same(base, other), false, JSON.stringify(other));
  const enumeration = (symbols: string[]) => ({ type: "enum", name: "E", symbols });
  assert.equal(same(enumeration(["A", "B"]), enumeration(["B", "A"])), false);
});

Deno.test("isSameSchema() compares what is no AVRO byte for byte", () => {
  assert.equal(same({ a: 1, b: 2 }, { b: 2, a: 1 }, SchemaType.ProtobufNative), false);
  assert.equal(isSameSchema(SchemaType.Avro, utf8("{"), utf8("{ ")), false);
});
