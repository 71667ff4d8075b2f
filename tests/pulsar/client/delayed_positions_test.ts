import assert from "node:assert/strict";
import fc from "fast-check";
import { DelayedPositions } from "../../../lib/pulsar/client/delayed_positions.ts";

Deno.test("DelayedPositions gives each entry once, not before its time, and not much later", () => {
  const add = fc.record({ entryId: fc.nat(20), dueMs: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(add, { maxLength: 60 }), fc.array(fc.nat(20)), (adds, deletes) => {
      const delayed = new DelayedPositions(10);
      const model = new Map<number, number>();
      for (const { entryId, dueMs } of adds) {
        delayed.add({ ledgerId: 1, entryId }, dueMs);
        if (!model.has(entryId)) model.set(entryId, dueMs);
      }
      for (const entryId of deletes) {
        assert.equal(delayed.delete({ ledgerId: 1, entryId }), model.delete(entryId));
      }
      assert.equal(delayed.size, model.size);
      for (let nowMs = 0; nowMs <= 1010; nowMs += 5) {
        for (const { entryId } of delayed.takeDue(nowMs)) {
          const dueMs = model.get(entryId)!;
          assert.ok(nowMs >= dueMs && nowMs <= dueMs + 15, `due ${dueMs}, given at ${nowMs}`);
          model.delete(entryId);
        }
      }
      assert.equal(model.size, 0);
      assert.equal(delayed.nextDueMs(), undefined);
    }),
    { seed: 20261121, numRuns: 200 },
  );
});
