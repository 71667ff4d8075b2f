import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import {
  assertCompatible,
  COMPATIBILITY,
} from "../../../../lib/pulsar/broker/schema/compatibility.ts";
import type { Compatibility } from "../../../../lib/pulsar/broker/schema/compatibility.ts";
import { schemaTypeName, schemaTypeOf } from "../../../../lib/pulsar/broker/schema/schema_type.ts";
import type { SchemaInfo } from "../../../../lib/pulsar/broker/schema/schema_type.ts";
import { SchemaType } from "../../../../lib/pulsar/wire/mod.ts";

const record = (...fields: unknown[]): SchemaInfo => ({
  type: SchemaType.Avro,
  data: utf8(JSON.stringify({ type: "record", name: "R", fields })),
  properties: {},
});
const A = { name: "a", type: "int" };
const B = { name: "b", type: "string" };
const B_DEFAULT = { name: "b", type: "string", default: "" };

async function allowed(candidate: SchemaInfo, existing: SchemaInfo[]): Promise<Compatibility[]> {
  const passed: Compatibility[] = [];
  for (const strategy of COMPATIBILITY) {
    try {
      await assertCompatible(candidate, existing, strategy);
      passed.push(strategy);
    } catch (error) {
      assert.equal((error as { code: string }).code, "incompatible_schema");
    }
  }
  return passed;
}

Deno.test("assertCompatible() lets a field with a default come and go both ways", async () => {
  const both = COMPATIBILITY.filter((one) => one !== "ALWAYS_INCOMPATIBLE");
  assert.deepEqual(await allowed(record(A, B_DEFAULT), [record(A)]), both);
  assert.deepEqual(await allowed(record(A), [record(A, B_DEFAULT)]), both);
});

Deno.test("assertCompatible() does not look at names of records, wherever they stand, as Java's library", async () => {
  const both = COMPATIBILITY.filter((one) => one !== "ALWAYS_INCOMPATIBLE");
  const named = (version: string, inner: unknown[]): SchemaInfo => ({
    type: SchemaType.Avro,
    data: utf8(JSON.stringify({
      type: "record",
      name: `Order${version}`,
      namespace: `shop.${version}`,
      fields: [
        A,
        { name: "one", type: ["null", { type: "record", name: `Item${version}`, fields: inner }] },
        { name: "all", type: { type: "array", items: `Item${version}` } },
        { name: "next", type: ["null", `Order${version}`] },
      ],
    })),
    properties: {},
  });
  assert.deepEqual(await allowed(named("V2", [A, B_DEFAULT]), [named("V1", [A])]), both);
  assert.ok(!(await allowed(named("V2", [A, B]), [named("V1", [A])])).includes("BACKWARD"));
  // Enumerations and fixed bytes do have names.
  const suit = (name: string) => ({ name: "s", type: { type: "enum", name, symbols: ["A"] } });
  assert.ok(!(await allowed(record(suit("S2")), [record(suit("S1"))])).includes("FULL"));
});

Deno.test("assertCompatible() knows which side must read which", async () => {
  // A new field without default: old readers pass over it, new ones miss it in old data.
  assert.deepEqual(await allowed(record(A, B), [record(A)]), [
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "ALWAYS_COMPATIBLE",
  ]);
  assert.deepEqual(await allowed(record(A), [record(A, B)]), [
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "ALWAYS_COMPATIBLE",
  ]);
});

Deno.test("assertCompatible() looks at all versions only where the strategy is transitive", async () => {
  const versions = [record(A), record(A, B_DEFAULT)];
  const passed = await allowed(record(A, B), versions);
  assert.ok(passed.includes("BACKWARD"));
  assert.ok(!passed.includes("BACKWARD_TRANSITIVE"));
});

Deno.test("assertCompatible() refuses another type and what is no schema", async () => {
  const text: SchemaInfo = { type: SchemaType.String, data: new Uint8Array(), properties: {} };
  assert.deepEqual(await allowed(text, [record(A)]), ["ALWAYS_COMPATIBLE"]);
  const broken = { ...record(), data: utf8("{") };
  assert.deepEqual(await allowed(broken, []), []);
});

Deno.test("schemaTypeName() and schemaTypeOf() are Pulsar's names both ways", () => {
  assert.equal(schemaTypeName(SchemaType.KeyValue), "KEY_VALUE");
  assert.equal(schemaTypeName(SchemaType.LocalDateTime), "LOCAL_DATE_TIME");
  assert.equal(schemaTypeName(SchemaType.Bool), "BOOLEAN");
  assert.equal(schemaTypeOf("BYTES"), SchemaType.None);
  for (const type of Object.values(SchemaType)) {
    const name = schemaTypeName(type);
    if (type < SchemaType.AutoConsume) assert.equal(schemaTypeOf(name), type);
    else assert.throws(() => schemaTypeOf(name), { code: "invalid" }, "kept nowhere");
  }
});

/** A PROTOBUF_NATIVE schema: its data as Java's client registers them. */
function protobufNative(rootMessageTypeName: string, descriptors: readonly number[] = [1]) {
  const fileDescriptorSet = new Uint8Array(descriptors).toBase64();
  const parts = { fileDescriptorSet, rootMessageTypeName, rootFileDescriptorName: "a.proto" };
  const data = utf8(JSON.stringify(parts));
  return { type: SchemaType.ProtobufNative, data, properties: {} };
}

Deno.test("assertCompatible() lets a PROTOBUF_NATIVE schema change as long as it is about the same message, as Pulsar does", async () => {
  const first = protobufNative("shop.Order");
  const others = COMPATIBILITY.filter((one) => one !== "ALWAYS_INCOMPATIBLE");
  assert.deepEqual(await allowed(protobufNative("shop.Order", [1, 2]), [first]), others);
  assert.deepEqual(await allowed(first, [first]), [...COMPATIBILITY]);
  assert.deepEqual(await allowed(protobufNative("shop.Item"), [first]), ["ALWAYS_COMPATIBLE"]);
  const refused = assertCompatible(protobufNative("shop.Item"), [first], "FULL");
  await assert.rejects(
    refused,
    /under the 'FULL' strategy. Original message name: 'shop.Order', n/,
  );
  const broken = [
    utf8("{"),
    utf8("{}"),
    utf8('{"fileDescriptorSet":"","rootMessageTypeName":"a"}'),
    utf8('{"fileDescriptorSet":"!","rootMessageTypeName":"a"}'),
    utf8('{"fileDescriptorSet":"AQ=="}'),
  ];
  for (const data of broken) assert.deepEqual(await allowed({ ...first, data }, []), []);
});
