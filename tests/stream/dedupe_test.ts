import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../lib/stream/_byte_reader.ts";
import { ByteWriter } from "../../lib/stream/_byte_writer.ts";
import { Dedupe } from "../../lib/stream/dedupe.ts";
import { StreamError } from "../../lib/stream/errors.ts";

function copyOf(dedupe: Dedupe, sourceCount: number): Dedupe {
  const writer = new ByteWriter();
  dedupe.write(writer, sourceCount);
  const reader = new ByteReader(writer.written());
  const copy = Dedupe.read(reader, sourceCount);
  reader.end();
  return copy;
}

/** Near ones, so that they repeat; far ones, so that they leave the bitmap's reach. */
const sequences = fc.oneof(
  fc.nat(40),
  fc.nat(3_000),
  fc.integer({ min: 1_000_000, max: 1_003_000 }),
  fc.integer({ min: 2 ** 40, max: 2 ** 40 + 1_500 }),
);

Deno.test("Dedupe.isFirst() agrees with a set over any sequences, over restarts too", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), sequences, fc.nat(30)), { maxLength: 200 }),
      (steps) => {
        let dedupe = new Dedupe();
        const seen = new Set<string>();
        let duplicates = 0;
        for (const [slot, sequence, dice] of steps) {
          const key = `${slot}:${sequence}`;
          assert.equal(dedupe.isFirst(slot, sequence), !seen.has(key), `${key} of ${steps.length}`);
          duplicates += seen.has(key) ? 1 : 0;
          seen.add(key);
          if (dice === 0) dedupe = copyOf(dedupe, 4);
        }
        assert.equal(dedupe.duplicateCount, duplicates);
      },
    ),
    { seed: 20_260_101, numRuns: 500 },
  );
});

Deno.test("Dedupe.isFirst() agrees with a set over whole runs in any order", () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(Array.from({ length: 2_500 }, (_, i) => i), { minLength: 2_000 }),
      (order) => {
        const dedupe = new Dedupe();
        assert(order.every((sequence) => dedupe.isFirst(0, sequence)));
        assert(order.every((sequence) => !dedupe.isFirst(0, sequence)));
      },
    ),
    { seed: 20_260_102, numRuns: 30 },
  );
});

Deno.test("Dedupe moves its low-water mark over what has come in a row", () => {
  const dedupe = new Dedupe();
  for (const sequence of [0, 2, 3, 5]) dedupe.isFirst(0, sequence);
  assert.equal(dedupe.lowWaterOf(0), 1);
  dedupe.isFirst(0, 1);
  assert.equal(dedupe.lowWaterOf(0), 4);
});

Deno.test("Dedupe remembers what is missing below the mark, so that it is no duplicate when it comes", () => {
  const dedupe = new Dedupe();
  dedupe.isFirst(0, 0);
  dedupe.isFirst(0, 10_000);
  assert(dedupe.lowWaterOf(0) > 5);
  assert.equal(dedupe.isFirst(0, 5), true);
  assert.equal(dedupe.isFirst(0, 5), false);
  assert.equal(dedupe.isFirst(0, 0), false);
  assert.equal(dedupe.gapCount, 2);
});

Deno.test("Dedupe counts duplicates by source", () => {
  const dedupe = new Dedupe();
  for (const [slot, sequence] of [[0, 0], [1, 0], [1, 0], [1, 0]] as const) {
    dedupe.isFirst(slot, sequence);
  }
  assert.deepEqual([dedupe.duplicatesOf(0), dedupe.duplicatesOf(1), dedupe.duplicatesOf(9)], [
    0,
    2,
    0,
  ]);
  assert.equal(copyOf(dedupe, 2).duplicatesOf(1), 2);
});

Deno.test("Dedupe says so when more gaps are open than it may remember", () => {
  const dedupe = new Dedupe({ gapsMax: 2 });
  dedupe.isFirst(0, 5_000);
  dedupe.isFirst(0, 10_000);
  assert.throws(
    () => dedupe.isFirst(0, 15_000),
    (error) => error instanceof StreamError && error.code === "dedupe_reach",
  );
});

Deno.test("Dedupe refuses what cannot be a sequence", () => {
  for (const sequence of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(
      () => new Dedupe().isFirst(0, sequence),
      (error) => error instanceof StreamError && error.code === "unreadable_message",
    );
  }
});

Deno.test("Dedupe keeps a source in order in a few bytes", () => {
  const dedupe = new Dedupe();
  for (let sequence = 0; sequence < 100_000; sequence++) dedupe.isFirst(0, sequence);
  const writer = new ByteWriter();
  dedupe.write(writer, 1);
  assert(writer.written().length <= 6, `${writer.written().length} bytes`);
});
