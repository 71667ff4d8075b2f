import assert from "node:assert/strict";
import { ByteReader } from "../../lib/stream/_byte_reader.ts";
import { ByteWriter } from "../../lib/stream/_byte_writer.ts";
import { Watermark } from "../../lib/stream/watermark.ts";

Deno.test("Watermark stands at minus infinity before the first message", () => {
  assert.equal(new Watermark(0).currentMs, -Infinity);
});

Deno.test("Watermark is the highest event time less the out-of-orderness and never goes back", () => {
  const watermark = new Watermark(5_000);
  const seen = [10_000, 30_000, 12_000, 30_001].map((eventTimeMs) => {
    watermark.advance(eventTimeMs);
    return watermark.currentMs;
  });
  assert.deepEqual(seen, [5_000, 25_000, 25_000, 25_001]);
});

Deno.test("Watermark.follow() goes along with others, only forward", () => {
  const watermark = new Watermark(0);
  watermark.advance(100);
  assert.equal(watermark.follow(50), false);
  assert.equal(watermark.follow(-Infinity), false);
  assert.equal(watermark.follow(Infinity), false);
  assert.equal(watermark.follow(200), true);
  assert.deepEqual([watermark.currentMs, watermark.followedMs], [200, 200]);
  watermark.advance(150);
  assert.equal(watermark.currentMs, 200);
  watermark.advance(250);
  assert.equal(watermark.currentMs, 250);
});

Deno.test("Watermark.end() leaves nothing to wait for", () => {
  const watermark = new Watermark(0);
  watermark.end();
  watermark.advance(1);
  assert.deepEqual([watermark.currentMs, watermark.ended], [Infinity, true]);
});

Deno.test("Watermark.read() gives back what write() wrote", () => {
  const states = [
    () => {},
    (watermark: Watermark) => watermark.advance(77),
    (watermark: Watermark) => watermark.follow(99),
    (watermark: Watermark) => watermark.end(),
  ];
  const watermark = new Watermark(10);
  for (const change of states) {
    change(watermark);
    const writer = new ByteWriter();
    watermark.write(writer);
    assert.deepEqual(Watermark.read(new ByteReader(writer.written()), 10), watermark);
  }
});

Deno.test("Watermark refuses an out-of-orderness below 0", () => {
  assert.throws(() => new Watermark(-1), RangeError);
  assert.throws(() => new Watermark(NaN), RangeError);
});
