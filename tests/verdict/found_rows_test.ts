import assert from "node:assert/strict";
import { foundNumber, foundTimeMs, foundUint64 } from "../../lib/verdict/found_rows.ts";

Deno.test("foundTimeMs() reads the forms in which ClickHouse writes an instant, as UTC", () => {
  const expected = Date.UTC(2026, 10, 21, 14, 30, 5, 250);
  assert.equal(foundTimeMs("2026-11-21 14:30:05.250"), expected);
  assert.equal(foundTimeMs("2026-11-21T14:30:05.250Z"), expected);
  assert.equal(foundTimeMs("2026-11-21 14:30:05"), expected - 250);
  assert.equal(foundTimeMs("2026-11-21 14:30:05.250000"), expected);
  assert.equal(foundTimeMs(String(expected)), expected);
  assert.equal(foundTimeMs(expected), expected);
});

Deno.test("foundTimeMs() is NaN for what is no instant", () => {
  for (const value of ["", "yesterday", null, undefined, {}, "2026-11-21"]) {
    assert.ok(Number.isNaN(foundTimeMs(value)), String(value));
  }
});

Deno.test("foundNumber() reads numbers and their text, and nothing else", () => {
  assert.equal(foundNumber(1.5), 1.5);
  assert.equal(foundNumber("-12"), -12);
  for (const value of ["", " ", "1x", null, undefined, true, []]) {
    assert.ok(Number.isNaN(foundNumber(value)), String(value));
  }
});

Deno.test("foundUint64() keeps all 64 bits, and refuses what was rounded on its way", () => {
  assert.equal(foundUint64("18446744073709551615"), 2n ** 64n - 1n);
  assert.equal(foundUint64(7), 7n);
  for (const value of [2 ** 60, -1.5, "1e3", "-1", "", null, "123456789012345678901"]) {
    assert.equal(foundUint64(value), undefined, String(value));
  }
});
