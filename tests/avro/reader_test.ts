import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { AvroError, type AvroErrorCode } from "../../lib/avro/errors.ts";
import type { RecordReader } from "../../lib/avro/codec.ts";
import { createReader } from "../../lib/avro/reader.ts";
import { parseAvroSchema } from "../../lib/avro/schema.ts";
import { flatSample, nestedSample, type Sample, SEED } from "./_arbitraries.ts";

function readerOf(
  fields: readonly Record<string, unknown>[],
  names: readonly string[],
): RecordReader {
  return createReader(
    parseAvroSchema(JSON.stringify({ type: "record", name: "R", fields })),
    names,
  );
}

/** Bytes and Buffers alike. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}

function namesOf(sample: Sample): string[] {
  return (sample.schema.fields as { name: string }[]).map((field) => field.name);
}

/** The sample, and which of its fields are read, in what order. */
function projected(samples: fc.Arbitrary<Sample>): fc.Arbitrary<[Sample, string[]]> {
  return samples.chain((sample) =>
    fc.tuple(fc.constant(sample), fc.shuffledSubarray(namesOf(sample)))
  );
}

function assertEqualToAvsc([sample, names]: [Sample, string[]], isCompiled: boolean): void {
  const type = parseAvroSchema(JSON.stringify(sample.schema));
  const reader = createReader(type, names);
  assert.equal(reader.isCompiled, isCompiled);
  for (const record of sample.records) {
    const encoded = type.toBuffer(record);
    const expected = type.fromBuffer(encoded) as Record<string, unknown>;
    const bytes = new Uint8Array(encoded.length + 7).fill(0xff);
    bytes.set(encoded, 3);
    reader.read(bytes, 3, 3 + encoded.length);
    names.forEach((name, slot) => {
      const want = expected[name];
      assert.deepEqual(plain(reader.value(slot)), plain(want));
      assert.equal(reader.isNull[slot], want === null ? 1 : 0);
      if (typeof want === "number") assert.equal(reader.numbers[slot], want);
      if (typeof want === "boolean") assert.equal(reader.numbers[slot], want ? 1 : 0);
      if (want === null) assert.ok(Number.isNaN(reader.numbers[slot]));
      if (want instanceof Uint8Array) {
        const part = reader.bytes.subarray(reader.starts[slot], reader.ends[slot]);
        assert.deepEqual([...part], [...want]);
      }
    });
  }
}

/** What reading gives: the values, or the typed error's code; anything else that is thrown passes through. */
function outcomeOf(reader: RecordReader, bytes: Uint8Array, start: number, end: number): unknown {
  try {
    reader.read(bytes, start, end);
    return reader.fieldNames.map((_, slot) => plain(reader.value(slot)));
  } catch (error) {
    if (!(error instanceof AvroError)) throw error;
    assert.ok(error.offset >= start && error.offset <= end, `offset ${error.offset}`);
    assert.match(error.message, /^Cannot decode .*[^.]$/);
    return error.code;
  }
}

/** Reads with three surroundings: what lies outside of the record must not matter. */
function assertReadsInside(reader: RecordReader, record: Uint8Array): unknown {
  const [first, ...others] = [0x00, 0x7f, 0xff].map((filler) => {
    const bytes = new Uint8Array(record.length + 24).fill(filler);
    bytes.set(record, 8);
    return outcomeOf(reader, bytes, 8, 8 + record.length);
  });
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual(outcomeOf(reader, record, 0, record.length), first);
  return first;
}

function assertSurvivesDamage([sample, names]: [Sample, string[]]): void {
  const type = parseAvroSchema(JSON.stringify(sample.schema));
  const reader = createReader(type, names);
  const encoded = new Uint8Array(type.toBuffer(sample.records[0]));
  for (let length = 0; length < encoded.length; length++) {
    const outcome = assertReadsInside(reader, encoded.slice(0, length));
    assert.equal(typeof outcome, "string", `cut to ${length} of ${encoded.length}`);
  }
  for (let bit = 0; bit < 8 * encoded.length; bit++) {
    const damaged = encoded.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assertReadsInside(reader, damaged);
  }
  assert.equal(assertReadsInside(reader, Uint8Array.of(...encoded, 0)), "trailing_bytes");
}

Deno.test("createReader() reads flat records as avsc does, value for value", () => {
  fc.assert(
    fc.property(projected(flatSample), (projection) => assertEqualToAvsc(projection, true)),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("createReader() reads records that are not flat through avsc", () => {
  fc.assert(
    fc.property(projected(nestedSample), (projection) => assertEqualToAvsc(projection, false)),
    { seed: SEED, numRuns: 150 },
  );
});

Deno.test("read() gives a typed error or a value for each truncation and each bit flip", () => {
  fc.assert(fc.property(projected(flatSample), assertSurvivesDamage), {
    seed: SEED,
    numRuns: 40,
  });
});

Deno.test("read() through avsc gives a typed error or a value for each truncation and bit flip", () => {
  fc.assert(fc.property(projected(nestedSample), assertSurvivesDamage), {
    seed: SEED,
    numRuns: 25,
  });
});

Deno.test("read() gives a typed error or a value for random bytes", () => {
  fc.assert(
    fc.property(
      projected(fc.oneof(flatSample, nestedSample)),
      fc.uint8Array({ maxLength: 100 }),
      ([sample, names], bytes) => {
        const reader = createReader(parseAvroSchema(JSON.stringify(sample.schema)), names);
        assertReadsInside(reader, bytes);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

const NINES = new Array(9).fill(0xff);
const enumType = { type: "enum", name: "E", symbols: ["A", "B"] };

const DAMAGED: readonly [string, unknown, readonly number[], AvroErrorCode, number][] = [
  ["an int that ends within", "int", [0x80], "truncated", 2],
  ["an int of eleven bytes", "int", [...NINES, 0xff, 0x01], "varint_too_long", 1],
  ["an int of 33 bits", "int", [0x80, 0x80, 0x80, 0x80, 0x10], "int_range", 6],
  ["a long beyond 2^53", "long", [...NINES.slice(2), 0x7f], "long_range", 1],
  ["a long of 64 bits", "long", [...NINES, 0x01], "long_range", 1],
  ["a long of eleven bytes", "long", [...NINES, 0x80, 0x00], "varint_too_long", 1],
  ["a float that ends within", "float", [0, 0, 0], "truncated", 1],
  ["a double that ends within", "double", [0, 0, 0, 0, 0, 0, 0], "truncated", 1],
  ["a boolean of 2", "boolean", [2], "boolean", 1],
  ["a string of length −1", "string", [1], "negative_length", 2],
  ["a string longer than the rest", "string", [6, 0x61, 0x61], "truncated", 2],
  ["a string of 2^34 bytes", "string", [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], "truncated", 7],
  ["bytes of a negative long length", "bytes", [0x81, 0x01], "negative_length", 3],
  ["a branch that is not there", ["null", "int"], [4, 0], "union_index", 1],
  ["a negative branch", ["int", "null"], [1, 0], "union_index", 1],
  ["a branch of two bytes", ["null", "int"], [0x80, 0x01, 0], "union_index", 1],
  ["a symbol that is not there", enumType, [4], "enum_index", 2],
  ["a negative symbol", enumType, [1], "enum_index", 2],
  ["a fixed that ends within", { type: "fixed", name: "F", size: 3 }, [1, 2], "truncated", 1],
  ["nothing", "boolean", [], "truncated", 1],
];

for (const [what, type, bytes, code, offset] of DAMAGED) {
  Deno.test(`read() refuses ${what}`, () => {
    const fields = [{ name: "first", type: "boolean" }, { name: "damaged", type }];
    const reader = readerOf(fields, ["damaged"]);
    assert.throws(
      () => reader.read(Uint8Array.of(1, ...bytes), 0, 1 + bytes.length),
      (error) => {
        assert.ok(error instanceof AvroError);
        assert.deepEqual([error.code, error.field], [code, "damaged"]);
        assert.equal(error.offset, offset);
        return true;
      },
    );
  });
}

Deno.test("read() takes overlong integers, as avsc does", () => {
  const reader = readerOf([{ name: "n", type: "long" }], ["n"]);
  reader.read(Uint8Array.of(0x8e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00), 0, 10);
  assert.equal(reader.numbers[0], 7);
});

Deno.test("read() refuses bounds outside of the bytes", () => {
  const reader = readerOf([{ name: "n", type: "int" }], ["n"]);
  for (const [start, end] of [[-1, 1], [0, 3], [2, 1], [NaN, 1]] as const) {
    assert.throws(() => reader.read(new Uint8Array(2), start, end), AvroError);
  }
});

Deno.test("createReader() refuses a field that the record has not, compiled or not", () => {
  const flat = { name: "n", type: "int" };
  const nested = { name: "n", type: { type: "array", items: "int" } };
  for (const field of [flat, nested]) {
    assert.throws(
      () => readerOf([field], ["n", "other"]),
      (error) => error instanceof AvroError && error.code === "schema" && error.field === "other",
    );
  }
});

Deno.test("createReader() refuses a schema that is no record", () => {
  assert.throws(
    () => createReader(parseAvroSchema('"int"'), []),
    (error) => error instanceof AvroError && error.code === "schema",
  );
});

Deno.test("read() stops at damaged block counts that avsc would follow for hours", () => {
  const list = (items: unknown) =>
    readerOf([{ name: "list", type: { type: "array", items } }], ["list"]);
  const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.equal(outcomeOf(list("int"), Uint8Array.of(...huge), 0, 8), "truncated");
  assert.equal(outcomeOf(list("null"), Uint8Array.of(...huge, 0), 0, 9), "too_large");
  // A block of −1 items that says it takes 3 bytes where its item takes 1.
  assert.equal(outcomeOf(list("int"), Uint8Array.of(1, 6, 2, 0), 0, 4), "block_size");
  assert.deepEqual(outcomeOf(list("int"), Uint8Array.of(1, 2, 2, 0), 0, 4), [[1]]);
});

Deno.test("read() stops at nesting too deep for the stack", () => {
  const fields = [{ name: "next", type: ["null", "R"] }];
  const reader = readerOf(fields, ["next"]);
  assert.equal(reader.isCompiled, false);
  assert.equal(outcomeOf(reader, new Uint8Array(50_000).fill(2), 0, 50_000), "too_large");
  assert.notEqual(outcomeOf(reader, Uint8Array.of(2, 2, 0), 0, 3), "too_large");
});

Deno.test("value() replaces what is not UTF-8, as avsc does", () => {
  const reader = readerOf([{ name: "s", type: "string" }], ["s"]);
  reader.read(Uint8Array.of(4, 0xc3, 0x28), 0, 3);
  assert.equal(reader.value(0), Buffer.from([0xc3, 0x28]).toString());
});
