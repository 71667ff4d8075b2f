import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32cPortable, loadCrc32c } from "../../lib/base/crc32c.ts";
import { utf8 } from "../../lib/base/bytes.ts";

/** The definition, one bit at a time: the oracle of both implementations. */
function plainCrc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i++) {
    crc ^= bytes[i]!;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return ~crc >>> 0;
}

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

/** RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
const VECTORS: readonly [string, Uint8Array, number][] = [
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 ascending", ascending, 0x46dd794e],
  ["32 descending", ascending.toReversed(), 0x113fdb5c],
  ["123456789", utf8("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
];

/** An iSCSI READ (10) command; RFC 3720 shows its CRC as the bytes 56 3a 96 d9, lowest first. */
const ISCSI_READ = Uint8Array.fromHex(
  "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000",
);

const native = await loadCrc32c();

for (
  const [name, crc32c] of [["crc32cPortable()", crc32cPortable], ["loadCrc32c()", native]] as const
) {
  Deno.test(`${name} gives the published values`, () => {
    for (const [what, bytes, expected] of VECTORS) {
      assert.equal(crc32c(bytes, 0, bytes.length), expected, what);
    }
    assert.equal(crc32c(ISCSI_READ, 0, ISCSI_READ.length), 0xd9963a56);
  });

  Deno.test(`${name} agrees with the plain loop on any part of any bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length);
        const end = Math.min(Math.max(a, b), bytes.length);
        assert.equal(crc32c(bytes, start, end), plainCrc32c(bytes, start, end));
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  Deno.test(`${name} reads the view's own bytes where its buffer begins before it`, () => {
    const whole = Uint8Array.from({ length: 64 }, (_, i) => i * 7);
    const view = whole.subarray(13, 50);
    assert.equal(crc32c(view, 2, 30), plainCrc32c(whole, 15, 43));
  });
}

Deno.test("loadCrc32c() uses the native addon where this process may", () => {
  assert.notEqual(native, crc32cPortable);
});

Deno.test({
  name: "loadCrc32c() falls back to the portable one without FFI",
  permissions: { ffi: false, read: true, env: true },
  fn: async () => assert.equal(await loadCrc32c(), crc32cPortable),
});
