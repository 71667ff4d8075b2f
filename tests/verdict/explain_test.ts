import assert from "node:assert/strict";
import fc from "fast-check";
import { explain, messageIdentity } from "../../lib/verdict/explain.ts";

const SEED = 20_260_905;
const HASH = 0xdeadbeef;
const RANGE = { first: 100, last: 400 };
const sum = (sequences: readonly number[]) =>
  sequences.reduce((total, sequence) => total + messageIdentity(HASH, sequence), 0n);
const inRange = fc.integer({ min: RANGE.first, max: RANGE.last });

Deno.test("messageIdentity() differs from sequence to sequence and from source to source", () => {
  const seen = new Set<bigint>();
  for (let sequence = 0; sequence < 20_000; sequence++) {
    seen.add(messageIdentity(HASH, sequence));
    seen.add(messageIdentity(HASH + 1, sequence));
  }
  assert.equal(seen.size, 40_000);
});

Deno.test("explain() names any one message, lost or doubled", () => {
  fc.assert(
    fc.property(inRange, (sequence) => {
      const gap = sum([sequence]);
      assert.deepEqual(explain(HASH, RANGE, 1, gap), {
        solved: true,
        lost: [sequence],
        doubled: [],
      });
      assert.deepEqual(explain(HASH, RANGE, -1, -gap), {
        solved: true,
        lost: [],
        doubled: [sequence],
      });
    }),
    { seed: SEED },
  );
});

Deno.test("explain() names any two messages, the same one twice included", () => {
  fc.assert(
    fc.property(inRange, inRange, (a, b) => {
      const { doubled } = explain(HASH, RANGE, -2, -sum([a, b]));
      assert.deepEqual(doubled, [a, b].sort((x, y) => x - y));
    }),
    { seed: SEED },
  );
});

Deno.test("explain() names a run of messages of any length", () => {
  fc.assert(
    fc.property(inRange, fc.integer({ min: 1, max: 100 }), (first, length) => {
      fc.pre(first + length - 1 <= RANGE.last);
      const run = Array.from({ length }, (_, i) => first + i);
      assert.deepEqual(explain(HASH, RANGE, length, BigInt.asUintN(64, sum(run))).lost, run);
    }),
    { seed: SEED },
  );
});

Deno.test("explain() names the whole range when all of it is lost", () => {
  const all = Array.from({ length: 301 }, (_, i) => 100 + i);
  assert.deepEqual(explain(HASH, RANGE, 301, sum(all)).lost, all);
});

Deno.test("explain() names a loss that a duplicate hides", () => {
  fc.assert(
    fc.property(inRange, inRange, (lost, doubled) => {
      fc.pre(lost !== doubled);
      const gap = messageIdentity(HASH, lost) - messageIdentity(HASH, doubled);
      assert.deepEqual(explain(HASH, RANGE, 0, gap), {
        solved: true,
        lost: [lost],
        doubled: [doubled],
      });
    }),
    { seed: SEED },
  );
});

Deno.test("explain() names nothing rather than something that may be wrong", () => {
  const outside = messageIdentity(HASH, 99);
  assert.equal(explain(HASH, RANGE, 1, outside).solved, false);
  assert.equal(explain(HASH, RANGE, 1, messageIdentity(HASH + 1, 200)).solved, false);
  assert.equal(explain(HASH, RANGE, 3, sum([100, 200, 300])).solved, false);
  assert.equal(explain(HASH, RANGE, 302, 5n).solved, false);
});

Deno.test("explain() does not search a range that is empty, unknown or too long", () => {
  for (const last of [99, NaN, 10_000_000]) {
    assert.equal(explain(HASH, { first: 100, last }, 1, sum([100])).solved, false);
  }
});
