import assert from "node:assert/strict";
import fc from "fast-check";
import { Thinned } from "../../lib/notebook/thinned.ts";

Deno.test("add() keeps everything up to the bound", () => {
  const thinned = new Thinned<number>(5);
  for (let i = 0; i < 10; i++) thinned.add(i);
  assert.deepEqual(thinned.items, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("add() keeps at least the bound and at most twice as many, evenly spaced from the first", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 5000 }),
      (max, count) => {
        const thinned = new Thinned<number>(max);
        for (let i = 0; i < count; i++) thinned.add(i);
        const { items } = thinned;
        assert.equal(thinned.count, count);
        assert.ok(
          items.length <= 2 * max && items.length >= Math.min(count, max),
          `${items.length}`,
        );
        const step = (items[1] ?? 1) - (items[0] ?? 0);
        assert.deepEqual(items, items.map((_, i) => i * step));
        assert.ok(count - 1 - (items.at(-1) ?? -1) < Math.max(step, 1));
      },
    ),
    { seed: 23 },
  );
});
