import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bytesOfHex,
  concatBytes,
  equalBytes,
  hexOf,
  readUint32,
  textOf,
  utf8,
  writeUint32,
} from "../../lib/base/bytes.ts";

const SEED = 11;
const byteArrays = fc.uint8Array({ maxLength: 40 });

Deno.test("textOf() gives back the text of utf8(), a byte order mark included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const wellFormed = text.toWellFormed();
      assert.equal(textOf(utf8(wellFormed)), wellFormed);
    }),
    { seed: SEED },
  );
  assert.equal(textOf(utf8("\ufeffa")), "\ufeffa");
});

Deno.test("textOf() refuses what is not UTF-8", () => {
  for (const bytes of [[0xff], [0xc3], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    assert.throws(() => textOf(Uint8Array.from(bytes)), TypeError);
  }
});

Deno.test("bytesOfHex() gives back the bytes of hexOf(), which is in lower case", () => {
  fc.assert(
    fc.property(byteArrays, (bytes) => {
      assert.deepEqual([...bytesOfHex(hexOf(bytes))], [...bytes]);
      assert.match(hexOf(bytes), /^([0-9a-f]{2})*$/);
    }),
    { seed: SEED },
  );
  assert.deepEqual([...bytesOfHex("0Aff")], [10, 255]);
});

Deno.test("bytesOfHex() refuses an odd length and other characters", () => {
  for (const hex of ["0", "0g", "zz", " 00", "0x00"]) {
    assert.throws(() => bytesOfHex(hex), SyntaxError);
  }
});

Deno.test("concatBytes() joins in order and copies", () => {
  fc.assert(
    fc.property(fc.array(byteArrays), (parts) => {
      assert.deepEqual([...concatBytes(parts)], parts.flatMap((part) => [...part]));
    }),
    { seed: SEED },
  );
  const part = Uint8Array.of(1);
  const joined = concatBytes([part]);
  part[0] = 2;
  assert.equal(joined[0], 1);
});

Deno.test("equalBytes() is true for the same bytes alone", () => {
  fc.assert(
    fc.property(byteArrays, byteArrays, (a, b) => {
      assert.equal(equalBytes(a, b), hexOf(a) === hexOf(b));
      assert.ok(equalBytes(a, a.slice()));
    }),
    { seed: SEED },
  );
  for (let bit = 0; bit < 24; bit++) {
    const other = new Uint8Array(3);
    other[bit >> 3] = 1 << (bit & 7);
    assert.ok(!equalBytes(new Uint8Array(3), other));
  }
});

Deno.test("readUint32() reads what writeUint32() wrote, big-endian and unsigned", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
      const bytes = new Uint8Array(6);
      writeUint32(bytes, 1, value);
      assert.equal(readUint32(bytes, 1), value);
      assert.equal(new DataView(bytes.buffer).getUint32(1), value);
      assert.deepEqual([bytes[0], bytes[5]], [0, 0]);
    }),
    { seed: SEED },
  );
});
