import assert from "node:assert/strict";
import fc from "fast-check";
import { Cursor } from "../../../../lib/pulsar/broker/dispatch/cursor.ts";
import type { Position } from "../../../../lib/pulsar/broker/log/position.ts";

/** Three ledgers of these many entries. */
const LEDGERS = [[2, 5], [4, 3], [9, 8]] as const;
const ENTRIES: readonly Position[] = LEDGERS.flatMap(([ledgerId, count]) =>
  Array.from({ length: count }, (_, entryId) => ({ ledgerId, entryId }))
);

const log = {
  nextPosition({ ledgerId, entryId }: Position): Position {
    const at = LEDGERS.findIndex(([id]) => id === ledgerId);
    const isInside = at >= 0 && (entryId + 1 < LEDGERS[at]![1] || at === LEDGERS.length - 1);
    if (isInside) return { ledgerId, entryId: entryId + 1 };
    const behind = LEDGERS.find(([id]) => id > ledgerId);
    return behind === undefined
      ? { ledgerId, entryId: entryId + 1 }
      : { ledgerId: behind[0], entryId: 0 };
  },
};

const START = { ledgerId: 2, entryId: -1 };
const acks = fc.array(
  fc.record({
    kind: fc.constantFrom("cumulative", "individual", "partial"),
    at: fc.integer({ min: 0, max: ENTRIES.length - 1 }),
    bits: fc.integer({ min: 0, max: 15 }),
  }),
  { maxLength: 30 },
);

Deno.test("Cursor acknowledges what a set of messages acknowledges, and survives being written", () => {
  fc.assert(
    fc.property(acks, (actions) => {
      let cursor = new Cursor(log, START);
      /** Bits of the messages that are left, four an entry. */
      const left = ENTRIES.map(() => 15);
      for (const { kind, at, bits } of actions) {
        const position = ENTRIES[at]!;
        if (kind === "cumulative") {
          cursor.ackCumulative(position);
          left.fill(0, 0, at + 1);
        } else if (kind === "individual") {
          cursor.ackIndividual(position);
          left[at] = 0;
        } else {
          cursor.ackPartial(position, [BigInt(bits)]);
          left[at]! &= bits;
        }
        cursor = Cursor.restore(log, JSON.parse(JSON.stringify(cursor.state())));
        ENTRIES.forEach(({ ledgerId, entryId }, i) => {
          assert.equal(cursor.isAcked(ledgerId, entryId), left[i] === 0, `entry ${i}`);
          const expected = left[i] === 0 || left[i] === 15 ? undefined : left[i];
          const words = cursor.ackSet(ledgerId, entryId);
          if (expected !== undefined) assert.deepEqual(words, [BigInt(expected)]);
        });
        const marked = ENTRIES.filter(({ ledgerId, entryId }) =>
          ledgerId < cursor.markDelete.ledgerId ||
          (ledgerId === cursor.markDelete.ledgerId && entryId <= cursor.markDelete.entryId)
        ).length;
        const firstLeft = left.findIndex((bit) =>
          bit !== 0
        );
        assert.equal(
          marked,
          firstLeft < 0 ? ENTRIES.length : firstLeft,
          "mark-delete is as far as it can be",
        );
        assert.equal(cursor.ackedRanges().length, cursor.ackedRangeCount);
        assert.equal(cursor.ackedBehind, left.slice(marked).filter((bit) => bit === 0).length);
      }
    }),
    { seed: 11, numRuns: 500 },
  );
});

Deno.test("Cursor.reset() forgets acknowledgements behind the new place", () => {
  const cursor = new Cursor(log, START);
  cursor.ackIndividual({ ledgerId: 9, entryId: 4 });
  cursor.ackCumulative({ ledgerId: 4, entryId: 1 });
  cursor.reset(START, { ledgerId: 2, entryId: 0 }, [6n]);
  assert.equal(cursor.isAcked(2, 0), false);
  assert.equal(cursor.isAcked(9, 4), false);
  assert.deepEqual(cursor.ackSet(2, 0), [6n]);
});

Deno.test("Cursor forgets the places of a batch with the whole of it, however that is acknowledged", () => {
  fc.assert(
    fc.property(acks, (actions) => {
      const cursor = new Cursor(log, START);
      for (const { kind, at, bits } of actions) {
        const position = ENTRIES[at]!;
        if (kind === "cumulative") cursor.ackCumulative(position);
        else if (kind === "individual") cursor.ackIndividual(position);
        else cursor.ackPartial(position, [BigInt(bits)]);
        for (const [ledgerId, entryId] of cursor.state().partial) {
          assert.equal(cursor.isAcked(ledgerId, entryId), false, `${ledgerId}:${entryId}`);
        }
      }
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});
