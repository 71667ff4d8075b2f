import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { murmur3 } from "../../../lib/pulsar/wire/murmur3.ts";

Deno.test("murmur3() gives the published values, without the sign bit", () => {
  // Reference values of MurmurHash3_x86_32 with seed 0.
  assert.equal(murmur3(utf8("")), 0);
  assert.equal(murmur3(utf8("test")), 0xba6bd213 & 0x7fffffff);
  assert.equal(murmur3(utf8("Hello, world!")), 0xc0363e43 & 0x7fffffff);
  assert.equal(
    murmur3(utf8("The quick brown fox jumps over the lazy dog")),
    0x2e4ff723 & 0x7fffffff,
  );
});

Deno.test("murmur3() of a part is that of a copy", () => {
  const bytes = utf8("The quick brown fox");
  for (let start = 0; start < 6; start++) {
    for (let end = start; end <= bytes.length; end++) {
      assert.equal(murmur3(bytes, start, end), murmur3(bytes.slice(start, end)));
    }
  }
});
