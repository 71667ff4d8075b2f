import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../lib/stream/_byte_reader.ts";
import { ByteWriter } from "../../lib/stream/_byte_writer.ts";
import { StreamError } from "../../lib/stream/errors.ts";

const isCorrupt = (error: unknown) =>
  error instanceof StreamError && error.code === "corrupt_checkpoint" &&
  /offset \d+/.test(error.message);

Deno.test("ByteReader gives back any values that ByteWriter wrote", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          uint8: fc.nat(255),
          uint32: fc.nat(0xffffffff),
          float64: fc.double(),
          varint: fc.maxSafeNat(),
          text: fc.string({ unit: "binary" }),
          bytes: fc.uint8Array({ maxLength: 9_000 }),
        }),
        { maxLength: 20 },
      ),
      (records) => {
        const writer = new ByteWriter();
        for (const record of records) {
          writer.uint8(record.uint8);
          writer.uint32(record.uint32);
          writer.float64(record.float64);
          writer.varint(record.varint);
          writer.text(record.text);
          writer.bytes(record.bytes);
        }
        const reader = new ByteReader(writer.written());
        for (const record of records) {
          assert.equal(reader.uint8(), record.uint8);
          assert.equal(reader.uint32(), record.uint32);
          assert(Object.is(reader.float64(), record.float64));
          assert.equal(reader.varint(), record.varint);
          assert.equal(reader.text(), record.text);
          assert.deepEqual(reader.bytes(), new Uint8Array(record.bytes));
        }
        reader.end();
      },
    ),
    { seed: 20_260_106, numRuns: 100 },
  );
});

Deno.test("ByteWriter.varint() refuses what is no whole number of 0 to 2^53 - 1", () => {
  for (const value of [-1, 0.5, 2 ** 53, NaN]) {
    assert.throws(() => new ByteWriter().varint(value), RangeError);
  }
});

Deno.test("ByteReader refuses to read beyond the end, endless numbers, huge counts and what is left", () => {
  const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes));
  assert.throws(() => reader().uint8(), isCorrupt);
  assert.throws(() => reader(1, 2, 3).uint32(), isCorrupt);
  assert.throws(() => reader(1).float64(), isCorrupt);
  assert.throws(() => reader(5, 1).bytes(), isCorrupt);
  assert.throws(() => reader(...Array(9).fill(255)).varint(), isCorrupt);
  assert.throws(() => reader(255, 255, 255, 127).count(1), isCorrupt);
  assert.throws(() => reader(1, 0xff).text(), isCorrupt);
  assert.throws(() => reader(1).end(), isCorrupt);
});
