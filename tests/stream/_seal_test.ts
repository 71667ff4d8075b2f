import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import { seal, unseal } from "../../lib/stream/_seal.ts";

Deno.test("unseal() gives back what was sealed, the empty payload too", () => {
  for (const text of ["", "payload"]) {
    assert.deepEqual(new Uint8Array(unseal(seal(utf8(text)))!), utf8(text));
  }
});

Deno.test("unseal() knows every truncation, every flipped bit and bytes too many", () => {
  const sealed = seal(utf8("a payload"));
  for (let length = 0; length < sealed.length; length++) {
    assert.equal(unseal(sealed.subarray(0, length)), undefined);
  }
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    const damaged = sealed.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(unseal(damaged), undefined, `bit ${bit}`);
  }
  assert.equal(unseal(new Uint8Array([...sealed, 0])), undefined);
});
