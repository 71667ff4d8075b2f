import assert from "node:assert/strict";
import fc from "fast-check";
import { AvroError } from "../../lib/avro/errors.ts";
import { LONG_MAX, readLong, skipLong, writeLong } from "../../lib/avro/_varint.ts";
import { SEED } from "./_arbitraries.ts";

/** The specification in bigint: zig-zag, then groups of seven bits. */
function plainVarint(value: bigint): number[] {
  let rest = value >= 0n ? 2n * value : -2n * value - 1n;
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

function target() {
  return { numbers: new Float64Array(3), slot: 1, field: "n" };
}

const EDGES = [0, 6, 7, 13, 14, 20, 21, 26, 27, 28, 29, 30, 31, 32, 34, 35, 41, 48, 52, 53]
  .flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1])
  .flatMap((value) => [value, -value, -value - 1])
  .filter((value) => Math.abs(value) <= LONG_MAX && !Object.is(value, -0))
  .concat(LONG_MAX, -LONG_MAX);

function assertRoundTrip(value: number): void {
  const bytes = new Uint8Array(14).fill(0xaa);
  const end = writeLong(bytes, 2, value);
  assert.deepEqual([...bytes.subarray(2, end)], plainVarint(BigInt(value)), String(value));
  assert.equal(bytes[end], 0xaa);
  const into = target();
  assert.equal(readLong(bytes, 2, end, into), end);
  assert.deepEqual([...into.numbers], [0, value, 0]);
  assert.equal(skipLong(bytes, 2, end, undefined), end);
}

Deno.test("writeLong() and readLong() agree with the specification at each power of two", () => {
  for (const value of EDGES) assertRoundTrip(value);
});

Deno.test("writeLong() and readLong() agree with the specification for random longs", () => {
  fc.assert(
    fc.property(fc.integer({ min: -LONG_MAX, max: LONG_MAX }), assertRoundTrip),
    { seed: SEED, numRuns: 2_000 },
  );
});

Deno.test("readLong() gives the value or a typed error for all that ten bytes can hold", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = Uint8Array.from(plainVarint(value));
      const into = target();
      if (value <= LONG_MAX && value >= -LONG_MAX) {
        readLong(bytes, 0, bytes.length, into);
        assert.equal(into.numbers[1], Number(value));
      } else {
        assert.throws(
          () => readLong(bytes, 0, bytes.length, into),
          (error) => error instanceof AvroError && error.code === "long_range",
        );
      }
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

Deno.test("readLong() and skipLong() refuse each truncation at the end of the bytes", () => {
  const bytes = Uint8Array.from(plainVarint(-(2n ** 63n)));
  assert.equal(bytes.length, 10);
  for (let length = 0; length < bytes.length; length++) {
    const isTruncated = (error: unknown) =>
      error instanceof AvroError && error.code === "truncated" && error.offset === length &&
      error.field === "n";
    assert.throws(() => readLong(bytes, 0, length, target()), isTruncated);
    assert.throws(() => skipLong(bytes, 0, length, "n"), isTruncated);
  }
});

Deno.test("readLong() and skipLong() stop after ten bytes", () => {
  const bytes = new Uint8Array(1000).fill(0x80);
  const isTooLong = (error: unknown) =>
    error instanceof AvroError && error.code === "varint_too_long" && error.offset === 3;
  assert.throws(() => readLong(bytes, 3, 1000, target()), isTooLong);
  assert.throws(() => skipLong(bytes, 3, 1000, "n"), isTooLong);
});
