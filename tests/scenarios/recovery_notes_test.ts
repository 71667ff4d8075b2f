import assert from "node:assert/strict";
import type { RoleNote } from "../../lib/run/mod.ts";
import { type RecoveryNote, recoveryOf } from "../../lib/scenarios/recovery_notes.ts";

function said(name: string, { kind, data }: RecoveryNote): RoleNote {
  return { atMs: 0, name, kind, data };
}

const count = (kind: "dying" | "aggregated", messages: number) =>
  ({ kind, data: { messages } }) as const;

Deno.test("recoveryOf() counts each process once: the dead by their last words, the living by their last count", () => {
  const { aggregatedMessages } = recoveryOf([
    said("aggregate-1", count("aggregated", 10)),
    said("aggregate-1", count("dying", 70)),
    said("aggregate-2", count("aggregated", 500)),
    said("aggregate-1", count("aggregated", 20)),
    said("aggregate-1", count("aggregated", 40)),
  ]);
  assert.equal(aggregatedMessages, 70 + 500 + 40);
});

Deno.test("recoveryOf() adds up the deaths of one that died again", () => {
  const { aggregatedMessages } = recoveryOf([
    said("aggregate-1", count("dying", 7)),
    said("aggregate-1", count("dying", 8)),
    said("aggregate-1", count("aggregated", 9)),
  ]);
  assert.equal(aggregatedMessages, 24);
});

Deno.test("recoveryOf() lists the batches that were left over, and passes over what others say", () => {
  const batch = { batchId: "run:0:60000:0", rows: 3, insertedAgain: false };
  const { batches, aggregatedMessages } = recoveryOf([
    { atMs: 0, name: "produce", kind: "generator", data: { startWallMs: 1 } },
    { atMs: 0, name: "broker", kind: "ending", data: null },
    said("aggregate-1", { kind: "recovered", data: batch }),
  ]);
  assert.deepEqual(batches, [batch]);
  assert.equal(aggregatedMessages, 0);
});
