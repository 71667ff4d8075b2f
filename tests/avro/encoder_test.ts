import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { createEncoder } from "../../lib/avro/encoder.ts";
import { AvroError, type AvroErrorCode } from "../../lib/avro/errors.ts";
import { parseAvroSchema } from "../../lib/avro/schema.ts";
import { flatSample, nestedSample, type Sample, SEED } from "./_arbitraries.ts";

function assertEqualToAvsc({ schema, records }: Sample, isCompiled: boolean): void {
  const type = parseAvroSchema(JSON.stringify(schema));
  const encoder = createEncoder(type);
  assert.equal(encoder.isCompiled, isCompiled);
  for (const record of records) {
    const expected = type.toBuffer(record);
    const bytes = new Uint8Array(expected.length + 9);
    const end = encoder.encode(record, bytes, 5);
    assert.equal(end, 5 + expected.length);
    assert.deepEqual(Buffer.from(bytes.subarray(5, end)), expected);
    assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 0, 0]);
  }
}

function encoderOf(...fields: readonly Record<string, unknown>[]) {
  return createEncoder(parseAvroSchema(JSON.stringify({ type: "record", name: "R", fields })));
}

function assertFails(action: () => unknown, code: AvroErrorCode, offset: number): void {
  assert.throws(
    action,
    (error) => error instanceof AvroError && error.code === code && error.offset === offset,
  );
}

Deno.test("createEncoder() writes flat records as avsc does, byte for byte", () => {
  fc.assert(
    fc.property(flatSample, (sample) => assertEqualToAvsc(sample, true)),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("createEncoder() hands records that are not flat to avsc", () => {
  fc.assert(
    fc.property(nestedSample, (sample) => assertEqualToAvsc(sample, false)),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("encode() says that there is no room instead of writing past the end", () => {
  fc.assert(
    fc.property(flatSample, ({ schema, records }) => {
      const type = parseAvroSchema(JSON.stringify(schema));
      const encoder = createEncoder(type);
      const length = type.toBuffer(records[0]).length;
      const around = new Uint8Array(length + 8);
      for (let room = 0; room < length; room++) {
        const bytes = around.subarray(0, room);
        assert.throws(
          () => encoder.encode(records[0], bytes, 0),
          (error) => error instanceof AvroError && error.code === "no_room",
        );
      }
      assert.deepEqual([...around.subarray(length)], [0, 0, 0, 0, 0, 0, 0, 0]);
      assert.equal(encoder.encode(records[0], around.subarray(0, length), 0), length);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("encode() refuses values that the schema does not allow, with the field's name", () => {
  const cases: readonly [unknown, readonly unknown[]][] = [
    ["null", [0, "", undefined]],
    ["boolean", [0, 1, "true", null]],
    ["int", [1.5, 2 ** 31, -(2 ** 31) - 1, NaN, "1", null, 1n]],
    ["long", [1.5, 2 ** 53, -(2 ** 53), NaN, Infinity, "1", null, 1n]],
    ["float", ["1", null, undefined, 1n]],
    ["double", ["1", null, undefined, true]],
    ["string", [1, null, undefined, {}]],
    ["bytes", ["abc", [1], null]],
    [{ type: "fixed", name: "F", size: 2 }, [new Uint8Array(1), new Uint8Array(3), "ab"]],
    [{ type: "enum", name: "E", symbols: ["A", "B"] }, ["C", 0, null, "toString"]],
    [["null", "int"], ["1", 1.5, undefined]],
  ];
  for (const [type, values] of cases) {
    const encoder = encoderOf({ name: "wanted", type });
    for (const value of values) {
      assert.throws(
        () => encoder.encode({ wanted: value }, new Uint8Array(32), 0),
        (error) =>
          error instanceof AvroError && error.code === "invalid_value" &&
          error.field === "wanted" && error.message.startsWith('Cannot encode field "wanted": '),
        `${JSON.stringify(type)} takes ${String(value)}`,
      );
    }
  }
});

Deno.test("encode() refuses what is no record", () => {
  const encoder = encoderOf({ name: "n", type: "int" });
  for (const value of [undefined, null, 1, "x"]) {
    assertFails(() => encoder.encode(value, new Uint8Array(8), 2), "invalid_value", 2);
  }
});

Deno.test("encode() refuses invalid values and missing room through avsc as well", () => {
  const encoder = encoderOf({ name: "list", type: { type: "array", items: "int" } });
  assertFails(() => encoder.encode({ list: ["x"] }, new Uint8Array(8), 1), "invalid_value", 1);
  assertFails(() => encoder.encode({ list: [1, 2, 3] }, new Uint8Array(4), 1), "no_room", 1);
});

Deno.test("encode() takes the schema's default for a field that is missing", () => {
  const encoder = encoderOf(
    { name: "a", type: ["null", "int"], default: null },
    { name: "b", type: "string", default: "zz" },
  );
  const bytes = new Uint8Array(8);
  assert.deepEqual([...bytes.subarray(0, encoder.encode({}, bytes, 0))], [0, 4, 0x7a, 0x7a]);
});

Deno.test("encode() takes a string as its UTF-8 bytes", () => {
  const encoder = encoderOf({ name: "s", type: "string" });
  const fromText = new Uint8Array(16);
  const fromBytes = new Uint8Array(16);
  const end = encoder.encode({ s: "grün" }, fromText, 0);
  assert.equal(encoder.encode({ s: new TextEncoder().encode("grün") }, fromBytes, 0), end);
  assert.deepEqual(fromBytes, fromText);
});

Deno.test("encode() keeps buffers that take turns apart", () => {
  const encoder = encoderOf({ name: "d", type: "double" });
  // More buffers than views are kept.
  const buffers = Array.from({ length: 20 }, () => new Uint8Array(16));
  for (let turn = 0; turn < 3; turn++) {
    buffers.forEach((bytes, i) => encoder.encode({ d: i + turn }, bytes, 4));
    buffers.forEach((bytes, i) => {
      assert.equal(new DataView(bytes.buffer).getFloat64(4, true), i + turn);
    });
  }
});
