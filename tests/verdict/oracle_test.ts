import assert from "node:assert/strict";
import fc from "fast-check";
import { sourceHash, utf8 } from "../../lib/base/mod.ts";
import { messageIdentity } from "../../lib/verdict/explain.ts";
import type { MessagePlan, PlannedMessage } from "../../lib/verdict/message_plan.ts";
import { type Expectation, expectRows } from "../../lib/verdict/oracle.ts";
import { Presence, Repeats, settle } from "../../lib/verdict/presence.ts";

const SEED = 20_260_906;

interface Sent {
  readonly at: number;
  readonly source?: number;
  readonly sequence?: number;
  readonly value?: number;
  readonly planted?: boolean;
}

/** Messages of one partition, in order; sequences count up unless given. */
function planOf(sent: readonly Sent[]): MessagePlan {
  const next = new Map<number, number>();
  const messages: PlannedMessage[] = sent.map((one, partitionIndex) => {
    const sourceIndex = one.source ?? 0;
    const sequence = one.sequence ?? next.get(sourceIndex) ?? 0;
    next.set(sourceIndex, Math.max(sequence + 1, next.get(sourceIndex) ?? 0));
    return {
      sourceIndex,
      partition: 0,
      partitionIndex,
      sequence,
      eventTimeMs: one.at,
      measures: Float64Array.of(one.value ?? 0),
      flags: Uint8Array.of(1),
      plantedLate: one.planted ?? false,
      plantedDuplicate: one.sequence !== undefined,
    };
  });
  return {
    partitionCount: 1,
    sourceNames: ["a", "b"],
    measureNames: ["m"],
    flagNames: ["f"],
    walk: (visit) => messages.forEach(visit),
  };
}

const RULE = { windowMs: 60_000, outOfOrdernessMs: 5_000, allowedLatenessMs: 0 };

function expect(
  sent: readonly Sent[],
  rule = RULE,
  untilIndex = sent.length,
): Promise<Expectation> {
  const ranges = [{ first: 0, until: untilIndex }];
  return expectRows(planOf(sent), new Presence([{ partition: 0, ranges }]), rule);
}

Deno.test("expectRows() puts a message at a window's first ms into it, at its end into the next", async () => {
  const { rows } = await expect([{ at: 59_999 }, { at: 60_000 }, { at: 119_999 }, { at: 120_000 }]);
  assert.equal(rows.length, 3);
  assert.deepEqual([0, 1, 2].map((i) => [rows.row(i).windowStartMs, rows.row(i).messageCount]), [
    [0, 1],
    [60_000, 2],
    [120_000, 1],
  ]);
});

Deno.test("expectRows() aligns windows to 1970, before it too", async () => {
  const { rows } = await expect([{ at: -1 }, { at: 0 }]);
  assert.deepEqual([0, 1].map((i) => rows.row(i).windowStartMs), [-60_000, 0]);
});

Deno.test("expectRows() adds up every column of a row", async () => {
  const { rows, hashes } = await expect([
    { at: 10, value: 3 },
    { at: 30, value: -1 },
    { at: 20, value: NaN },
  ]);
  assert.equal(rows.length, 1);
  const hash = sourceHash(utf8("a"));
  assert.equal(hashes[0], hash);
  assert.deepEqual(rows.row(0), {
    partition: 0,
    windowStartMs: 0,
    sourceIndex: 0,
    messageCount: 3,
    identitySum: BigInt.asUintN(
      64,
      messageIdentity(hash, 0) + messageIdentity(hash, 1) + messageIdentity(hash, 2),
    ),
    firstEventTimeMs: 10,
    lastEventTimeMs: 30,
    minSequence: 0,
    maxSequence: 2,
    flagCounts: [3],
    measures: [{ count: 2, sum: 2, min: -1, max: 3 }],
  });
});

Deno.test("expectRows() adds identities modulo 2^64, as bigints would", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(59_999), { minLength: 1, maxLength: 300 }), async (times) => {
      const { rows } = await expect(times.map((at) => ({ at })));
      const hash = sourceHash(utf8("a"));
      const sum = times.reduce((total, _, sequence) => total + messageIdentity(hash, sequence), 0n);
      assert.equal(rows.row(0).identitySum, BigInt.asUintN(64, sum));
    }),
    { seed: SEED },
  );
});

Deno.test("expectRows() closes a window when the highest time less the out-of-orderness reaches its end", async () => {
  const justOpen = await expect([{ at: 64_999 }, { at: 59_999 }]);
  assert.equal(justOpen.lateCount, 0);
  const justClosed = await expect([{ at: 65_000 }, { at: 59_999, planted: true }]);
  assert.equal(justClosed.lateCount, 1);
  assert.equal(justClosed.rows.length, 1);
  assert.deepEqual(justClosed.late[0], {
    partition: 0,
    windowStartMs: 0,
    sourceIndex: 0,
    messageCount: 1,
    identitySum: messageIdentity(sourceHash(utf8("a")), 1),
    minSequence: 1,
    maxSequence: 1,
  });
});

Deno.test("expectRows() waits the allowed lateness longer", async () => {
  const rule = { ...RULE, allowedLatenessMs: 1_000 };
  assert.equal((await expect([{ at: 65_999 }, { at: 59_999 }], rule)).lateCount, 0);
  assert.equal((await expect([{ at: 66_000 }, { at: 59_999 }], rule)).lateCount, 1);
});

Deno.test("expectRows() tells lateness that nobody planted apart", async () => {
  const sent = [{ at: 200_000 }, { at: 1, planted: true }, { at: 2, planted: false }];
  const expectation = await expect(sent);
  assert.equal(expectation.lateCount, 2);
  assert.equal(expectation.unplannedLateCount, 1);
  assert.deepEqual(expectation.unplannedLate, [{ sourceIndex: 0, sequence: 2 }]);
});

Deno.test("expectRows() drops repeats before it looks at lateness", async () => {
  // The copy of message 0 comes when its window has closed: it is a duplicate, not late.
  const expectation = await expect([{ at: 1 }, { at: 200_000 }, { at: 1, sequence: 0 }]);
  assert.equal(expectation.duplicateCount, 1);
  assert.equal(expectation.lateCount, 0);
  assert.equal(expectation.inRowsCount, 2);
  assert.equal(expectation.presentCount, 3);
});

Deno.test("expectRows() takes only what is in the log", async () => {
  const expectation = await expect([{ at: 1 }, { at: 2 }, { at: 900_000 }, { at: 3 }], RULE, 2);
  assert.equal(expectation.presentCount, 2);
  assert.equal(expectation.rows.length, 1);
  assert.deepEqual([...expectation.maxSequences], [1, -1]);
});

Deno.test("Repeats finds repeats in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(30))), (sequence) => {
      const repeats = new Repeats(2);
      const seen = new Set<string>();
      for (const [source, number] of sequence) {
        assert.equal(repeats.isRepeat(source, number), seen.has(`${source}:${number}`));
        seen.add(`${source}:${number}`);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("Presence.has() knows ranges that are apart, per partition, and again after rewind()", () => {
  const presence = new Presence([
    { partition: 1, ranges: [{ first: 10, until: 12 }, { first: 3, until: 5 }] },
    { partition: 0, ranges: [] },
  ]);
  const all = () => Array.from({ length: 14 }, (_, i) => i).filter((i) => presence.has(1, i));
  assert.deepEqual(all(), [3, 4, 10, 11]);
  presence.rewind();
  assert.deepEqual(all(), [3, 4, 10, 11]);
  assert.equal(presence.has(0, 0), false);
  assert.equal(presence.has(7, 0), false);
});

Deno.test("settle() takes the prefix of batches that the count tells", async () => {
  const plan = planOf(Array.from({ length: 100 }, (_, i) => ({ at: i })));
  const ledger = [{
    partition: 0,
    acknowledged: [{ first: 0, until: 70 }],
    indeterminate: [{ first: 70, until: 80 }, { first: 80, until: 95 }],
  }];
  const presentFor = async (found: number) =>
    (await settle(plan, ledger, new Map([[0, found]]))).presentCount;
  assert.deepEqual(await Promise.all([70, 80, 95].map(presentFor)), [0, 10, 25]);
  // A few lost messages do not make a batch absent.
  assert.deepEqual(await Promise.all([69, 71, 79, 82, 94].map(presentFor)), [0, 0, 10, 10, 25]);
  const { absentCount } = await settle(plan, ledger, new Map([[0, 80]]));
  assert.equal(absentCount, 15);
});
