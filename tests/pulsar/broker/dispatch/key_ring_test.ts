import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../../../lib/base/mod.ts";
import type { Consumer } from "../../../../lib/pulsar/broker/dispatch/consumer.ts";
import { KeyRing } from "../../../../lib/pulsar/broker/dispatch/key_ring.ts";
import { murmur3 } from "../../../../lib/pulsar/wire/murmur3.ts";

const consumer = (name: string) => ({ name }) as Consumer;

function ownerOf(ring: KeyRing, key: string): Consumer | undefined {
  return ring.select(ring.hashOf(murmur3(utf8(key))));
}

Deno.test("KeyRing chooses as the recorded Pulsar 4.2.4 did, also between consumers of one name", () => {
  const ring = new KeyRing();
  const consumers = ["a", "b", "b", "something longer"].map(consumer);
  for (const one of consumers) ring.add(one);
  const owners = Array.from(
    { length: 30 },
    (_, i) => consumers.indexOf(ownerOf(ring, `key ${i}`)!),
  );
  assert.equal(owners.join(""), "232102222331031211113100132121");
});

const NAMES = ["a", "b", "c", "same", "same", "same"];

Deno.test("KeyRing moves only keys of who comes or goes, and its ranges say what it chooses", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(NAMES.length - 1), { maxLength: 12 }), (toggles) => {
      const ring = new KeyRing();
      const all = NAMES.map(consumer);
      const there = new Set<Consumer>();
      for (const index of toggles) {
        const moving = all[index]!;
        const before = HASHES.map((hash) => ring.select(hash));
        if (there.delete(moving)) ring.remove(moving);
        else {
          there.add(moving);
          ring.add(moving);
        }
        HASHES.forEach((hash, i) => {
          const now = ring.select(hash);
          const hasMoved = now !== before[i] && now !== moving && before[i] !== moving;
          assert(!hasMoved, `${hash} went from ${before[i]?.name} to ${now?.name}`);
        });
        assertRanges(ring);
      }
    }),
    { seed: 3, numRuns: 40 },
  );
});

const HASHES = Array.from({ length: 500 }, (_, i) => 1 + i * 131);

function assertRanges(ring: KeyRing): void {
  const ranges = [...ring.ranges()].flatMap(([owner, own]) =>
    own.map(([start, end]) => ({ owner, start, end }))
  ).sort((a, b) => a.start - b.start);
  if (ring.select(1) === undefined) return assert.deepEqual(ranges, []);
  assert.deepEqual([ranges[0]?.start, ranges.at(-1)?.end], [1, 65_535]);
  for (const [i, { owner, start, end }] of ranges.entries()) {
    assert.equal(ranges[i + 1]?.start ?? end + 1, end + 1);
    for (const hash of [start, end]) assert(ring.select(hash) === owner, `who has ${hash}`);
  }
}

Deno.test("KeyRing gives each of equal consumers its part", () => {
  const ring = new KeyRing();
  const all = Array.from({ length: 4 }, () => consumer("same"));
  for (const one of all) ring.add(one);
  const counts = all.map((one) =>
    Array.from({ length: 65_535 }, (_, i) => i + 1).filter((hash) => ring.select(hash) === one)
      .length
  );
  for (const count of counts) assert(count > 10_000 && count < 24_000, `${counts}`);
});
