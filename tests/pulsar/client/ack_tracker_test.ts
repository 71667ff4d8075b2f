import assert from "node:assert/strict";
import fc from "fast-check";
import { AckTracker } from "../../../lib/pulsar/client/ack_tracker.ts";
import { BatchBits } from "../../../lib/pulsar/client/batch_bits.ts";

/** Entries of one ledger, each a batch of its own size; 1 for a message in an entry of its own. */
const SIZES = [1, 3, 1, 40, 2, 70];

type Step =
  | { readonly kind: "one"; readonly entryId: number; readonly index: number }
  | { readonly kind: "cumulative"; readonly entryId: number; readonly index: number }
  | { readonly kind: "send" }
  | { readonly kind: "lose" }
  | { readonly kind: "reconnect" };

const position = fc.integer({ min: 0, max: SIZES.length - 1 }).chain((entryId) =>
  fc.record({
    entryId: fc.constant(entryId),
    index: fc.integer({ min: 0, max: SIZES[entryId]! - 1 }),
  })
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: position.map((at) => ({ kind: "one" as const, ...at })) },
  { weight: 1, arbitrary: position.map((at) => ({ kind: "cumulative" as const, ...at })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>({ kind: "send" }, { kind: "lose" }, { kind: "reconnect" }),
  },
);

function idOf(entryId: number, index: number) {
  const isBatch = SIZES[entryId]! > 1;
  const batchMessageCount = SIZES[entryId]!;
  return { ledgerId: 1, entryId, batchIndex: isBatch ? index : -1, batchMessageCount };
}

/** A broker that only keeps what it was told, message by message. */
class Model {
  /** What the application has acknowledged. */
  readonly wanted = SIZES.map((size) => new Array<boolean>(size).fill(false));
  /** What the broker takes for acknowledged. */
  readonly noted = SIZES.map((size) => new Array<boolean>(size).fill(false));

  take({ cumulative, individual }: ReturnType<AckTracker["take"]>): void {
    if (cumulative !== undefined) {
      for (let i = 0; i < cumulative.entryId; i++) this.noted[i]!.fill(true);
      if (cumulative.entryId >= 0) this.#note(cumulative.entryId, cumulative.ackSet);
    }
    for (const { entryId, ackSet } of individual) this.#note(entryId, ackSet);
  }

  #note(entryId: number, ackSet: readonly bigint[] | undefined): void {
    const size = SIZES[entryId]!;
    const left = ackSet === undefined ? undefined : BatchBits.fromAckSet(ackSet, size);
    for (let i = 0; i < size; i++) {
      if (left === undefined || !left.has(i)) this.noted[entryId]![i] = true;
    }
  }
}

function run(steps: readonly Step[], sendsBatchIndexes: boolean): void {
  const tracker = new AckTracker({ sendsBatchIndexes });
  const model = new Model();
  for (const one of steps) {
    if (one.kind === "send") model.take(tracker.take());
    else if (one.kind === "lose") tracker.restore(tracker.take());
    else if (one.kind === "reconnect") tracker.sessionBegins();
    else if (one.kind === "one") {
      tracker.acknowledge(idOf(one.entryId, one.index));
      model.wanted[one.entryId]![one.index] = true;
    } else {
      tracker.acknowledgeCumulative(idOf(one.entryId, one.index));
      for (let i = 0; i < one.entryId; i++) model.wanted[i]!.fill(true);
      model.wanted[one.entryId]!.fill(true, 0, one.index + 1);
    }
  }
  model.take(tracker.take());
  assert.equal(tracker.pendingCount, 0);
  const noted = JSON.stringify(model.noted);
  const tooMuch = model.noted.some((entry, i) => entry.some((is, j) => is && !model.wanted[i]![j]));
  assert.ok(!tooMuch, `the broker forgets what nobody has acknowledged: ${noted}`);
  const reconnected = steps.some(({ kind }) => kind === "reconnect");
  if (reconnected) return;
  for (const [i, entry] of model.wanted.entries()) {
    // Without places in batches, a batch is told when it is complete.
    const isTold = sendsBatchIndexes || entry.every((is) => is);
    if (isTold) assert.deepEqual(model.noted[i], entry, `entry ${i} of ${noted}`);
  }
}

for (const sendsBatchIndexes of [false, true]) {
  const kind = sendsBatchIndexes ? "with places in batches" : "of whole entries";
  Deno.test(`AckTracker ${kind} tells the broker all that was acknowledged, and nothing else`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => run(steps, sendsBatchIndexes)),
      { seed: 20261121, numRuns: 400 },
    );
  });
}

Deno.test("AckTracker.acknowledge() says when the whole entry is dealt with", () => {
  const tracker = new AckTracker({ sendsBatchIndexes: false });
  assert.equal(tracker.acknowledge(idOf(1, 0)), false);
  assert.equal(tracker.acknowledge(idOf(1, 0)), false);
  assert.equal(tracker.acknowledge(idOf(1, 2)), false);
  assert.equal(tracker.pendingCount, 0);
  assert.equal(tracker.isPartial({ ledgerId: 1, entryId: 1 }), true);
  assert.equal(tracker.acknowledge(idOf(1, 1)), true);
  assert.equal(tracker.acknowledge(idOf(0, 0)), true);
  assert.deepEqual(tracker.take(), {
    cumulative: undefined,
    individual: [{ ledgerId: 1, entryId: 1 }, { ledgerId: 1, entryId: 0 }],
  });
});

Deno.test("AckTracker.unacknowledged() knows what came again although it is dealt with", () => {
  const tracker = new AckTracker({ sendsBatchIndexes: false });
  const at = (entryId: number) => tracker.unacknowledged({ ledgerId: 1, entryId });
  tracker.acknowledge(idOf(2, 0));
  tracker.acknowledge(idOf(1, 1));
  assert.equal(at(2), "none");
  assert.equal(at(0), undefined);
  assert.equal(at(4), undefined);
  const bits = at(1);
  assert.ok(bits instanceof BatchBits);
  assert.deepEqual([0, 1, 2].map((i) => bits.has(i)), [true, false, true]);
  // Sent, and maybe lost: the broker decides what comes.
  tracker.take();
  tracker.sessionBegins();
  assert.equal(at(2), undefined);
  assert.equal(at(1), undefined);
  tracker.acknowledgeCumulative(idOf(2, 0));
  assert.deepEqual([0, 1, 2, 3].map(at), ["none", "none", "none", undefined]);
});

Deno.test("AckTracker writes acknowledgements as Java's client does", () => {
  // As recorded from it: batches of 4, in tests/golden/pulsar/java_ack_receipt.json.
  const tracker = new AckTracker({ sendsBatchIndexes: true });
  const id = (entryId: number, batchIndex: number) => {
    return { ledgerId: 9, entryId, batchIndex, batchMessageCount: 4 };
  };
  tracker.acknowledge(id(0, 1));
  assert.deepEqual(tracker.take().individual, [{ ledgerId: 9, entryId: 0, ackSet: [13n] }]);
  tracker.acknowledgeCumulative(id(1, 1));
  assert.deepEqual(tracker.take().cumulative, { ledgerId: 9, entryId: 1, ackSet: [12n] });
  tracker.acknowledgeCumulative(id(1, 3));
  assert.deepEqual(tracker.take().cumulative, { ledgerId: 9, entryId: 1 });
  for (const [index, left] of [[0, 14n], [1, 12n], [2, 8n]] as const) {
    tracker.acknowledge(id(2, index));
    assert.deepEqual(tracker.take().individual, [{ ledgerId: 9, entryId: 2, ackSet: [left] }]);
  }
  tracker.acknowledge(id(2, 3));
  assert.deepEqual(tracker.take().individual, [{ ledgerId: 9, entryId: 2 }]);
});

Deno.test("AckTracker keeps what was not sent over a new session, also places in a batch", () => {
  const tracker = new AckTracker({ sendsBatchIndexes: true });
  tracker.acknowledge(idOf(1, 1));
  tracker.acknowledge(idOf(0, 0));
  tracker.sessionBegins();
  assert.deepEqual(tracker.take().individual, [
    { ledgerId: 1, entryId: 0 },
    { ledgerId: 1, entryId: 1, ackSet: [5n] },
  ]);
});

Deno.test("AckTracker.clear() forgets batches that are acknowledged in part, too", () => {
  const tracker = new AckTracker({ sendsBatchIndexes: true });
  tracker.acknowledge(idOf(1, 0));
  tracker.acknowledge(idOf(0, 0));
  tracker.clear();
  assert.equal(tracker.pendingCount, 0);
  assert.equal(tracker.isPartial({ ledgerId: 1, entryId: 1 }), false);
  assert.equal(tracker.unacknowledged({ ledgerId: 1, entryId: 1 }), undefined);
  tracker.acknowledge(idOf(1, 1));
  assert.deepEqual(tracker.take().individual, [{ ledgerId: 1, entryId: 1, ackSet: [5n] }]);
});

Deno.test("AckTracker.acknowledgeCumulative() forgets batches before it, and goes on within its own", () => {
  const tracker = new AckTracker({ sendsBatchIndexes: true });
  tracker.acknowledge(idOf(1, 1));
  tracker.acknowledgeCumulative(idOf(3, 4));
  assert.equal(tracker.isPartial({ ledgerId: 1, entryId: 1 }), false);
  assert.equal(tracker.pendingCount, 1);
  tracker.acknowledgeCumulative(idOf(3, 9));
  const left = BatchBits.full(40);
  left.clearUpTo(9);
  assert.deepEqual(tracker.take(), {
    cumulative: { ledgerId: 1, entryId: 3, ackSet: left.toAckSet() },
    individual: [],
  });
});
