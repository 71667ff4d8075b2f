import assert from "node:assert/strict";
import { comparePositions } from "../../../lib/pulsar/client/positions.ts";

Deno.test("comparePositions() orders by ledger, then entry", () => {
  const at = (ledgerId: number, entryId: number) => ({ ledgerId, entryId });
  assert.ok(comparePositions(at(1, 9), at(2, 0)) < 0);
  assert.ok(comparePositions(at(2, 1), at(2, 0)) > 0);
  assert.equal(comparePositions(at(2, 1), at(2, 1)), 0);
});
