import assert from "node:assert/strict";
import {
  Deduplication,
  notePushed,
  noteSettled,
} from "../../../lib/pulsar/broker/deduplication.ts";

Deno.test("Deduplication counts an entry from its staging, and takes it back when it was not stored", () => {
  const known = new Deduplication().of("p");
  notePushed(known, 5);
  assert.deepEqual([known.pushed, known.stored], [5, -1]);
  let woken = 0;
  known.waiting.push(() => woken++);
  noteSettled(known);
  assert.deepEqual([known.pushed, known.stored, woken], [-1, -1, 1]);
});

Deno.test("Deduplication keeps what was stored when a later entry fails", () => {
  const known = new Deduplication().of("p");
  notePushed(known, 1);
  notePushed(known, 2);
  noteSettled(known, 1);
  assert.deepEqual([known.pushed, known.stored], [2, 1]);
  noteSettled(known);
  assert.deepEqual([known.pushed, known.stored], [1, 1]);
});

Deno.test("Deduplication.state() leaves out names that stored nothing", () => {
  const deduplication = new Deduplication();
  deduplication.of("silent");
  deduplication.recover("a", 7);
  deduplication.recover("a", 3);
  assert.deepEqual(deduplication.state({ ledgerId: 4, entryId: 2 }), {
    position: [4, 2],
    producers: [["a", 7]],
  });
});

Deno.test("Deduplication forgets the name that was not used for longest beyond its bound, but none in flight", () => {
  const deduplication = new Deduplication();
  notePushed(deduplication.of("busy"), 1);
  deduplication.recover("old", 1);
  for (let i = 0; i < 10_000; i++) deduplication.recover(`n${i}`, 1);
  assert.equal(deduplication.of("old").stored, -1);
  assert.equal(deduplication.of("busy").inFlight, 1);
});
