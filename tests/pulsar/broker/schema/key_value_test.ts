import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import { assertCompatible } from "../../../../lib/pulsar/broker/schema/compatibility.ts";
import {
  keyValueData,
  keyValueText,
  splitKeyValueSchema,
} from "../../../../lib/pulsar/broker/schema/key_value.ts";
import type { SchemaInfo } from "../../../../lib/pulsar/broker/schema/schema_type.ts";
import { SchemaType } from "../../../../lib/pulsar/wire/mod.ts";

/** A KEY_VALUE schema as Java's KeyValueSchemaInfo lays it out. */
function keyValue(key: unknown, value: unknown, valueType = "AVRO"): SchemaInfo {
  const parts = [key, value].map((one) => utf8(JSON.stringify(one)));
  const data = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(data.buffer).setUint32(at, part.length);
    data.set(part, at + 4);
    at += 4 + part.length;
  }
  const properties = {
    "key.schema.type": "AVRO",
    "key.schema.properties": '{"k":"1"}',
    "value.schema.type": valueType,
    "kv.encoding.type": "INLINE",
  };
  return { type: SchemaType.KeyValue, data, properties };
}

const record = (...fields: unknown[]) => ({ type: "record", name: "R", fields });
const A = { name: "a", type: "int" };
const B = { name: "b", type: "string" };
const B_DEFAULT = { ...B, default: "" };

Deno.test("splitKeyValueSchema() gives both schemas with their types and properties", () => {
  const { key, value } = splitKeyValueSchema(keyValue(record(A), record(B)));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(key.data)), record(A));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(value.data)), record(B));
  assert.deepEqual([key.type, value.type], [SchemaType.Avro, SchemaType.Avro]);
  assert.deepEqual(key.properties, { k: "1" });
});

Deno.test("keyValueText() and keyValueData() are the admin interface's form, as Pulsar 4.2.4 has it", () => {
  const schema = keyValue(record(A), record(B));
  const text = keyValueText(schema);
  assert.equal(text, `{"key":${JSON.stringify(record(A))},"value":${JSON.stringify(record(B))}}`);
  assert.deepEqual(keyValueData(text), schema.data);
  const bare = keyValueData('{"key":"","value":""}');
  assert.deepEqual(bare, new Uint8Array(8));
  assert.equal(keyValueText({ ...schema, data: bare }), '{"key":"","value":""}');
  assert.throws(() => keyValueData("{"), { code: "invalid" });
});

Deno.test("splitKeyValueSchema() refuses what is torn at any byte", () => {
  const whole = keyValue(record(A), record(B));
  for (let length = 0; length < whole.data.length; length++) {
    const torn = { ...whole, data: whole.data.subarray(0, length) };
    assert.throws(() => splitKeyValueSchema(torn), { code: "incompatible_schema" });
  }
  const noJson = { ...whole, properties: { ...whole.properties, "key.schema.properties": "{" } };
  assert.throws(() => splitKeyValueSchema(noJson), { code: "incompatible_schema" });
});

Deno.test("assertCompatible() looks at key and value of a KEY_VALUE schema", async () => {
  const before = [keyValue(record(A), record(A))];
  await assertCompatible(keyValue(record(A), record(A, B_DEFAULT)), before, "FULL");
  await assertCompatible(keyValue(record(A, B_DEFAULT), record(A)), before, "FULL");
  const incompatible = { code: "incompatible_schema" };
  for (
    const candidate of [
      keyValue(record(A), record(A, B)),
      keyValue(record(A, B), record(A)),
      keyValue(record(A), "", "STRING"),
    ]
  ) await assert.rejects(assertCompatible(candidate, before, "FULL"), incompatible);
});
