import assert from "node:assert/strict";
import fc from "fast-check";
import { decompressBlock } from "lz4js";
import { hexOf, utf8 } from "../../../lib/base/mod.ts";
import { compress, decompress, PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { compressLz4Block, decompressLz4Block } from "../../../lib/pulsar/wire/lz4_block.ts";
import { SEED } from "./oracle.ts";

/** Bytes with repetitions, as messages have them, and without. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.constantFrom("temperature", "source-7", "ok", "0"), { maxLength: 400 })
    .map((words) => utf8(words.join(","))),
);

for (
  const [name, type] of [["NONE", 0], ["LZ4", 1], ["ZLIB", 2], ["ZSTD", 3], ["SNAPPY", 4]] as const
) {
  Deno.test(`decompress() gives back what compress() took: ${name}`, () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const packed = compress(type, bytes);
        assert.equal(hexOf(decompress(type, packed, bytes.length, 1 << 20)), hexOf(bytes));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  Deno.test(`decompress() gives a typed error or bytes of the announced size for damaged ones: ${name}`, () => {
    const bytes = utf8("temperature 21.5, temperature 21.6, ".repeat(20));
    const packed = compress(type, bytes);
    for (let bit = 0; bit < packed.length * 8; bit += 3) {
      const flipped = packed.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        assert.equal(decompress(type, flipped, bytes.length, 1 << 20).length, bytes.length);
      } catch (error) {
        assert.ok(
          error instanceof PulsarError && error.code === "decompression_failed",
          `${error}`,
        );
      }
    }
  });
}

for (const type of [1, 2, 3, 4]) {
  Deno.test(`decompress() refuses a bomb of type ${type} before it takes memory`, () => {
    const packed = compress(type as 1, new Uint8Array(4 << 20));
    assert.throws(() => decompress(type, packed, 4 << 20, 1 << 20), {
      code: "decompression_failed",
    });
    // One that lies about its size is refused as well.
    assert.throws(() => decompress(type, packed, 1000, 1 << 20), { code: "decompression_failed" });
  });
}

Deno.test("decompress() refuses a type that it does not know", () => {
  assert.throws(() => decompress(9, new Uint8Array(3), 3, 10), { code: "unsupported_compression" });
});

Deno.test("decompressLz4Block() agrees with lz4js, and lz4js with compressLz4Block()", () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const block = compressLz4Block(bytes);
      const target = new Uint8Array(bytes.length);
      decompressBlock(block, target, 0, block.length, 0);
      assert.equal(hexOf(target), hexOf(bytes));
      decompressLz4Block(block, target.fill(0));
      assert.equal(hexOf(target), hexOf(bytes));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("decompressLz4Block() gives a value or a typed error for random bytes, in bounded time", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (block, size) => {
      try {
        decompressLz4Block(block, new Uint8Array(size));
      } catch (error) {
        assert.ok(error instanceof PulsarError && error.code === "malformed");
      }
    }),
    { seed: SEED, numRuns: 5000 },
  );
});
