import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import type { Position } from "../../../lib/contract.ts";
import type { ReceivedEntry, ReceivedMessage } from "../../../lib/pulsar/client/received_entry.ts";
import { Redelivery } from "../../../lib/pulsar/client/redelivery.ts";

/** What redelivery looks at of a message: a place, and how often it came. */
function messageOf(entry: ReceivedEntry, batchIndex = 0): ReceivedMessage<unknown> {
  const { redeliveryCount } = entry;
  return { entry, batchIndex, redeliveryCount } as unknown as ReceivedMessage<unknown>;
}

function entryOf(entryId: number, redeliveryCount = 0): ReceivedEntry {
  return { ledgerId: 1, entryId, redeliveryCount } as unknown as ReceivedEntry;
}

/** Notes what is done at which time. */
function scene({ ackTimeoutMs, maxRedeliverCount }: {
  readonly ackTimeoutMs?: number;
  readonly maxRedeliverCount?: number;
} = {}) {
  const clock = new FakeClock(0);
  const startUs = clock.monoUs();
  const done: [what: string, entryId: number, atMs: number][] = [];
  const note = (what: string, entryId: number) =>
    done.push([what, entryId, Math.round((clock.monoUs() - startUs) / 1000)]);
  const redelivery = new Redelivery(clock, {
    ackTimeoutBackoff: ackTimeoutMs === undefined ? undefined : () => ackTimeoutMs,
    negativeAckBackoff: () => 1000,
    maxRedeliverCount,
  }, {
    redeliver: (positions: readonly Position[]) => {
      for (const { entryId } of positions) note("again", entryId);
    },
    deadLetter: ({ entry }) => {
      note("buried", entry.entryId);
      return Promise.resolve();
    },
    housekeeping: () => {},
  });
  return { clock, redelivery, done };
}

/** What was done, and whether each came in its time: up to a twentieth late. */
function assertDone(
  done: readonly (readonly [string, number, number])[],
  expected: readonly (readonly [string, number, number])[],
): void {
  assert.deepEqual(done.map(([what, id]) => [what, id]), expected.map(([what, id]) => [what, id]));
  done.forEach(([what, id, atMs], i) => {
    const dueMs = expected[i]![2];
    assert.ok(atMs >= dueMs && atMs <= dueMs * 1.1, `${what} ${id} at ${atMs}, not ${dueMs} ms`);
  });
}

Deno.test("Redelivery counts an entry's time from its first message that was taken", async () => {
  const { clock, redelivery, done } = scene({ ackTimeoutMs: 100 });
  const entry = entryOf(5);
  redelivery.taken(messageOf(entry, 0));
  await clock.advance(80);
  redelivery.taken(messageOf(entry, 1));
  await clock.advance(500);
  assertDone(done, [["again", 5, 100]]);
});

Deno.test("Redelivery lets a negative acknowledgement take the place of the timeout", async () => {
  const { clock, redelivery, done } = scene({ ackTimeoutMs: 100 });
  redelivery.taken(messageOf(entryOf(5)));
  redelivery.later({ ledgerId: 1, entryId: 5 });
  await clock.advance(3000);
  assertDone(done, [["again", 5, 1000]]);
});

Deno.test("Redelivery forgets what is acknowledged, alone or up to a place", async () => {
  const { clock, redelivery, done } = scene({ ackTimeoutMs: 100 });
  for (const entryId of [1, 2, 3, 4]) redelivery.taken(messageOf(entryOf(entryId)));
  redelivery.acknowledgedUpTo({ ledgerId: 1, entryId: 2 });
  redelivery.acknowledged({ ledgerId: 1, entryId: 4, batchIndex: -1 }, true);
  redelivery.acknowledged({ ledgerId: 1, entryId: 3, batchIndex: 0 }, false);
  await clock.advance(500);
  assertDone(done, [["again", 3, 100]]);
});

Deno.test("Redelivery buries a message that has come again as often as it may, when it fails once more", async () => {
  const { clock, redelivery, done } = scene({ maxRedeliverCount: 2 });
  for (const redeliveryCount of [0, 1, 2, 3]) {
    const entry = entryOf(redeliveryCount, redeliveryCount);
    assert.equal(redelivery.isSpent(entry), redeliveryCount === 3);
    if (redeliveryCount === 3) continue;
    redelivery.taken(messageOf(entry));
    redelivery.later(entry, redeliveryCount);
  }
  await clock.advance(3000);
  assertDone(done.toSorted(([, a], [, b]) => a - b), [
    ["again", 0, 1000],
    ["again", 1, 1000],
    ["buried", 2, 1000],
  ]);
  assert.equal(redelivery.deadLetterCount, 1);
});

Deno.test("Redelivery buries nothing that was acknowledged in time, and does nothing once it is closed", async () => {
  const { clock, redelivery, done } = scene({ maxRedeliverCount: 0, ackTimeoutMs: 100 });
  redelivery.taken(messageOf(entryOf(1)));
  redelivery.acknowledged({ ledgerId: 1, entryId: 1, batchIndex: -1 }, true);
  redelivery.taken(messageOf(entryOf(2)));
  redelivery.close();
  redelivery.later({ ledgerId: 1, entryId: 2 });
  await clock.advance(3000);
  assert.deepEqual(done, []);
  assert.equal(clock.pending, 0);
});
