import assert from "node:assert/strict";
import { ByteReader } from "../../lib/stream/_byte_reader.ts";
import { ByteWriter } from "../../lib/stream/_byte_writer.ts";
import { StreamError } from "../../lib/stream/errors.ts";
import { LateLedger } from "../../lib/stream/late.ts";

const ONE = { windowStartMs: 60_000, sourceSlot: 0, low: 1, high: 0 };

Deno.test("LateLedger sums count and identity by window and source, with the carry", () => {
  const late = new LateLedger();
  late.add({ ...ONE, sourceSlot: 2, low: 0xffffffff, high: 0xffffffff });
  late.add({ ...ONE, sourceSlot: 2, low: 2, high: 0 });
  late.add({ ...ONE, windowStartMs: 0, low: 0xffffffff });
  late.add({ ...ONE, windowStartMs: 0 });
  assert.deepEqual(late.entries(), [
    { windowStartMs: 0, sourceSlot: 0, count: 2, identitySum: 1n << 32n },
    { windowStartMs: 60_000, sourceSlot: 2, count: 2, identitySum: 1n },
  ]);
  assert.equal(late.messageCount, 4);
});

Deno.test("LateLedger.read() gives back what write() wrote, and goes on from there", () => {
  const late = new LateLedger();
  late.add({ ...ONE, low: 0xffffffff });
  late.add({ ...ONE, windowStartMs: 120_000, sourceSlot: 1 });
  const writer = new ByteWriter();
  late.write(writer);
  const copy = LateLedger.read(new ByteReader(writer.written()), 2);
  assert.deepEqual([copy.entries(), copy.messageCount], [late.entries(), 2]);
  copy.add(ONE);
  assert.equal(copy.entries()[0]?.identitySum, 1n << 32n);
});

Deno.test("LateLedger says so rather than forget", () => {
  const late = new LateLedger({ entriesMax: 1 });
  late.add(ONE);
  late.add(ONE);
  assert.throws(
    () => late.add({ ...ONE, sourceSlot: 1 }),
    (error) => error instanceof StreamError && error.code === "late_ledger_full",
  );
});
