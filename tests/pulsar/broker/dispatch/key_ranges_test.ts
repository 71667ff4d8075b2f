import assert from "node:assert/strict";
import type { Consumer } from "../../../../lib/pulsar/broker/dispatch/consumer.ts";
import { KeyRanges } from "../../../../lib/pulsar/broker/dispatch/key_ranges.ts";

const consumer = (...ranges: [number, number][]) =>
  ({
    name: "c",
    keyShared: {
      keySharedMode: 1,
      hashRanges: ranges.map(([start, end]) => ({ start, end })),
    },
  }) as unknown as Consumer;

Deno.test("KeyRanges gives hashes to who asked for them, and what nobody wants to nobody", () => {
  const ranges = new KeyRanges();
  const low = consumer([0, 99], [200, 299]);
  const high = consumer([100, 199]);
  ranges.add(low);
  ranges.add(high);
  for (
    const [hash, owner] of [[0, low], [99, low], [100, high], [199, high], [299, low]] as const
  ) {
    assert(ranges.select(hash) === owner, `${hash}`);
  }
  assert.equal(ranges.select(300), undefined);
  ranges.remove(low);
  assert.equal(ranges.select(0), undefined);
});

Deno.test("KeyRanges names who is in the way, at each end of a range", () => {
  const ranges = new KeyRanges();
  const holder = consumer([100, 199]);
  ranges.add(holder);
  for (const wanted of [[0, 100], [199, 300], [120, 130], [0, 65_535]] as [number, number][]) {
    assert(ranges.conflictWith(consumer(wanted)) === holder, `${wanted}`);
  }
  assert.equal(ranges.conflictWith(consumer([0, 99], [200, 300])), undefined);
});

Deno.test("KeyRanges refuses no ranges, ranges that end before they start, and ranges that overlap", () => {
  const ranges = new KeyRanges();
  for (const wrong of [[], [[5, 4]], [[1, 4], [4, 9]], [[4, 9], [1, 4]]] as [number, number][][]) {
    assert.throws(() => ranges.conflictWith(consumer(...wrong)), { code: "consumer_assign" });
  }
});

Deno.test("KeyRanges.hashOf() stays below 65536 and is never 0, which means none", () => {
  const ranges = new KeyRanges();
  assert.deepEqual([0, 65_536, 65_535, 7].map((hash) => ranges.hashOf(hash)), [1, 1, 65_535, 7]);
});
