import assert from "node:assert/strict";
import { comparePositions } from "../../lib/stream/position.ts";

Deno.test("comparePositions() orders by ledger, then by entry", () => {
  const at = (ledgerId: number, entryId: number) => ({ ledgerId, entryId });
  const sorted = [at(2, 0), at(1, 9), at(1, -1), at(1, 0)].sort(comparePositions);
  assert.deepEqual(sorted, [at(1, -1), at(1, 0), at(1, 9), at(2, 0)]);
  assert.equal(comparePositions(at(3, 4), at(3, 4)), 0);
});
