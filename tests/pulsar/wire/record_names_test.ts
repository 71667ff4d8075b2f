import assert from "node:assert/strict";
import avro from "avsc";
import { alignRecordNames } from "../../../lib/pulsar/wire/mod.ts";
import type { NamedType } from "../../../lib/pulsar/wire/mod.ts";

const point = (name: string) => ({ type: "record", name, fields: [{ name: "x", type: "int" }] });
const size = (name: string) => ({ type: "record", name, fields: [{ name: "w", type: "int" }] });

/** The types, the reader's with the writer's names. */
function aligned(readerSchema: unknown, writerSchema: unknown): [avro.Type, avro.Type] {
  const [reader, writer] = [readerSchema, writerSchema].map((one) =>
    avro.Type.forSchema(one as avro.Schema, { wrapUnions: true })
  );
  alignRecordNames(reader as unknown as NamedType, writer as unknown as NamedType);
  return [reader!, writer!];
}

Deno.test("alignRecordNames() finds the branch of a union by its name before its place", () => {
  const [reader, writer] = aligned(["null", size("B"), point("A")], ["null", point("A")]);
  const bytes = writer.toBuffer({ A: { x: 7 } });
  const value = reader.fromBuffer(bytes, reader.createResolver(writer));
  assert.deepEqual(JSON.parse(JSON.stringify(value)), { A: { x: 7 } });
});

Deno.test("alignRecordNames() goes into maps, arrays, unions and records that hold themselves", () => {
  const list = (name: string) => ({
    type: "record",
    name,
    fields: [
      { name: "next", type: ["null", name] },
      { name: "map", type: { type: "map", values: point(`${name}Point`) } },
    ],
  });
  const [reader, writer] = aligned(list("New"), list("Old"));
  const old = { next: { Old: { next: null, map: {} } }, map: { a: { x: 1 } } };
  const value = reader.fromBuffer(writer.toBuffer(old), reader.createResolver(writer));
  assert.deepEqual(JSON.parse(JSON.stringify(value)), {
    next: { New: { next: null, map: {} } },
    map: { a: { x: 1 } },
  });
});

Deno.test("alignRecordNames() leaves kinds that differ to be refused", () => {
  const [reader, writer] = aligned(point("A"), { type: "map", values: "int" });
  assert.throws(() => reader.createResolver(writer));
});
