import assert from "node:assert/strict";
import { FrameBatch } from "../../../lib/pulsar/client/batch_buffer.ts";
import { splitBatch } from "../../../lib/pulsar/wire/mod.ts";

Deno.test("FrameBatch keeps values whatever their lengths, and grows", () => {
  const batch = new FrameBatch(0, 5, 1 << 24);
  const values = [0, 1, 127, 128, 200, 16_384, 3, 300_000, 0].map((size, i) =>
    new Uint8Array(size).fill(i + 1)
  );
  for (const value of values) {
    const at = batch.reserve(value.length + 7);
    batch.bytes.set(value, at);
    batch.commit(at + value.length);
  }
  assert.equal(batch.messageCount, values.length);
  const bounds = new Uint32Array(2 * values.length);
  splitBatch(batch.bytes, batch.payloadStart, batch.payloadEnd, values.length, bounds);
  values.forEach((value, i) =>
    assert.deepEqual(batch.bytes.subarray(bounds[2 * i], bounds[2 * i + 1]), value)
  );
  batch.clear();
  assert.equal(batch.byteLength, 0);
});

Deno.test("FrameBatch.commit() without reserve is a bug", () => {
  const batch = new FrameBatch(0, 5, 1000);
  assert.throws(() => batch.commit(300), { name: "AssertionError" });
});
