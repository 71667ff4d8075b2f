import assert from "node:assert/strict";
import fc from "fast-check";
import { DelayTracker } from "../../../../lib/pulsar/broker/dispatch/delay_tracker.ts";

Deno.test("DelayTracker gives what is due, earliest first, and within a time in the order of the log", () => {
  const entry = fc.record({ dueMs: fc.nat(50), place: fc.nat(1000) });
  const step = fc.oneof(entry, fc.record({ nowMs: fc.nat(60) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const tracker = new DelayTracker();
      let model: { dueMs: number; place: number }[] = [];
      for (const one of steps) {
        if ("dueMs" in one) {
          tracker.add(one.dueMs, one.place, one.place + 1);
          model.push(one);
          continue;
        }
        const due = model.filter(({ dueMs }) => dueMs <= one.nowMs)
          .sort((a, b) => a.dueMs - b.dueMs || a.place - b.place);
        model = model.filter(({ dueMs }) => dueMs > one.nowMs);
        for (const { place } of due) {
          assert.deepEqual(tracker.takeDue(one.nowMs), { place, hash: place + 1 });
        }
        assert.equal(tracker.takeDue(one.nowMs), undefined);
        assert.equal(tracker.size, model.length);
        assert.equal(tracker.nextDueMs, Math.min(Infinity, ...model.map(({ dueMs }) => dueMs)));
      }
    }),
    { seed: 6, numRuns: 500 },
  );
});
