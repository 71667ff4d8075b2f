import assert from "node:assert/strict";
import type { MessagePlan } from "../../lib/verdict/message_plan.ts";
import { settle } from "../../lib/verdict/presence.ts";

/** So many different messages, of one source in one partition. */
function planOf(messageCount: number): MessagePlan {
  return {
    partitionCount: 1,
    sourceNames: ["s"],
    measureNames: [],
    flagNames: [],
    walk(visit) {
      for (let i = 0; i < messageCount; i++) {
        visit({
          sourceIndex: 0,
          partition: 0,
          partitionIndex: i,
          sequence: i,
          eventTimeMs: i,
          measures: new Float64Array(0),
          flags: new Uint8Array(0),
          plantedLate: false,
          plantedDuplicate: false,
        });
      }
    },
  };
}

Deno.test("settle() takes as many batches without receipt as the count explains, and none on a tie", async () => {
  // Four messages have receipts; then come batches of two and of two.
  const ledger = [{
    partition: 0,
    acknowledged: [{ first: 0, until: 4 }],
    indeterminate: [{ first: 4, until: 6 }, { first: 6, until: 8 }],
  }];
  for (
    const [found, present] of [[3, 0], [4, 0], [5, 0], [6, 2], [7, 2], [8, 4], [9, 4]] as const
  ) {
    const { presentCount, absentCount } = await settle(planOf(8), ledger, new Map([[0, found]]));
    assert.deepEqual([presentCount, absentCount], [present, 4 - present], `${found} found`);
  }
});
