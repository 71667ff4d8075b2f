import assert from "node:assert/strict";
import fc from "fast-check";
import { mix32, type Random, seededRandom, systemRandom } from "../../lib/base/random.ts";

const SEED = 23;

/** First draws of seed 1: simulations are replayed by their seed. */
const GOLDEN = [1580013426, 350525680, 3524174333, 3011703609];

Deno.test("seededRandom() repeats itself for a seed and not for another", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, () => random.uint32());
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.deepEqual(draw(7), draw(7 + 2 ** 32));
  assert.deepEqual(draw(1).slice(0, 4), GOLDEN);
});

for (
  const [name, random] of [
    ["seededRandom()", seededRandom(1)],
    ["systemRandom", systemRandom],
  ] as readonly [string, Random][]
) {
  Deno.test(`${name} stays within its bounds and reaches all of them`, () => {
    const seen = new Set<number>();
    for (let i = 0; i < 2_000; i++) {
      const word = random.uint32();
      assert.ok(Number.isInteger(word) && word >= 0 && word <= 0xffffffff);
      const float = random.float();
      assert.ok(float >= 0 && float < 1);
      seen.add(random.below(7));
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(random.below(1), 0);
  });
}

Deno.test("seededRandom() spreads evenly", () => {
  const random = seededRandom(3);
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) counts[random.below(16)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
});

Deno.test("mix32() can be undone: no two inputs share a value", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 200_000; i++) seen.add(mix32(i));
  for (let i = 0; i < 200_000; i++) seen.add(mix32(-1 - i));
  assert.equal(seen.size, 400_000);
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      assert.equal(mix32(a) === mix32(b), a === b);
    }),
    { seed: SEED },
  );
});
