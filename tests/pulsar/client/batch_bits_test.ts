import assert from "node:assert/strict";
import fc from "fast-check";
import { BatchBits } from "../../../lib/pulsar/client/batch_bits.ts";

function membersOf(bits: BatchBits): number[] {
  return Array.from({ length: bits.length }, (_, i) => i).filter((i) => bits.has(i));
}

/** The naive version. */
function modelOf(length: number): Set<number> {
  return new Set(Array.from({ length }, (_, i) => i));
}

Deno.test("BatchBits does as a set of numbers does", () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant("clear" as const), index: fc.nat(200) }),
    fc.record({ kind: fc.constant("upTo" as const), index: fc.integer({ min: -1, max: 200 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(action), (length, actions) => {
      const bits = BatchBits.full(length);
      const model = modelOf(length);
      for (const { kind, index } of actions) {
        if (kind === "clear") assert.equal(bits.clear(index), model.delete(index));
        else {
          bits.clearUpTo(index);
          for (let i = 0; i <= index; i++) model.delete(i);
        }
        assert.equal(bits.count, model.size);
      }
      assert.deepEqual(membersOf(bits), [...model]);
      const again = BatchBits.fromAckSet(bits.toAckSet(), length);
      assert.deepEqual(membersOf(again), [...model]);
      assert.equal(again.count, model.size);
    }),
    { seed: 20261121, numRuns: 500 },
  );
});

Deno.test("BatchBits.toAckSet() is Java's BitSet.toLongArray()", () => {
  const bits = BatchBits.full(4);
  assert.deepEqual(bits.toAckSet(), [15n]);
  bits.clear(1);
  assert.deepEqual(bits.toAckSet(), [13n]);
  assert.deepEqual(BatchBits.full(64).toAckSet(), [-1n]);
  assert.deepEqual(BatchBits.full(65).toAckSet(), [-1n, 1n]);
  const low = BatchBits.full(130);
  for (let i = 3; i < 130; i++) low.clear(i);
  assert.deepEqual(low.toAckSet(), [7n]);
});

Deno.test("BatchBits.fromAckSet() drops what lies beyond the batch, and takes missing words for zeros", () => {
  assert.deepEqual(membersOf(BatchBits.fromAckSet([-1n], 3)), [0, 1, 2]);
  assert.deepEqual(membersOf(BatchBits.fromAckSet([2n], 100)), [1]);
  assert.equal(BatchBits.fromAckSet([], 100).count, 0);
});
