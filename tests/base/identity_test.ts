import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../lib/base/bytes.ts";
import { identityHigh, identityLow, identityOf, sourceHash } from "../../lib/base/identity.ts";

const SEED = 19;
const hashes = fc.integer({ min: 0, max: 0xffffffff });
const sequences = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** Producers and oracles of different versions must agree on these. */
const GOLDEN = {
  hash: 921565079,
  identities: [
    8258978626598469128n,
    13217790955098055526n,
    6420714243776091512n,
    3271793056740728277n,
  ],
};

function identity(hash: number, sequence: number): bigint {
  return identityOf(identityHigh(hash, sequence), identityLow(hash, sequence));
}

Deno.test("identities of a seed's messages stay as they always were", () => {
  const hash = sourceHash(utf8("sensor-00042"));
  assert.equal(hash, GOLDEN.hash);
  assert.deepEqual(
    [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER].map((sequence) => identity(hash, sequence)),
    GOLDEN.identities,
  );
});

Deno.test("sourceHash() reads the named part of the bytes alone", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (before, name, after) => {
      const bytes = Uint8Array.of(...before, ...name, ...after);
      const end = before.length + name.length;
      assert.equal(sourceHash(bytes, before.length, end), sourceHash(name));
    }),
    { seed: SEED },
  );
});

Deno.test("sourceHash() spreads names evenly over partitions", () => {
  for (const partitions of [2, 4, 7, 16]) {
    const counts = new Array<number>(partitions).fill(0);
    for (let i = 0; i < 16_000; i++) {
      counts[sourceHash(utf8(`sensor-${String(i).padStart(5, "0")}`)) % partitions]!++;
    }
    const expected = 16_000 / partitions;
    for (const count of counts) assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected));
  }
});

Deno.test("identityLow() and identityHigh() are unsigned 32-bit integers", () => {
  fc.assert(
    fc.property(hashes, sequences, (hash, sequence) => {
      for (const half of [identityLow(hash, sequence), identityHigh(hash, sequence)]) {
        assert.ok(Number.isInteger(half) && half >= 0 && half <= 0xffffffff);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("identities tell a million messages apart", () => {
  const seen = new Set<bigint>();
  for (let source = 0; source < 100; source++) {
    const hash = sourceHash(utf8(`sensor-${source}`));
    for (let sequence = 0; sequence < 5_000; sequence++) seen.add(identity(hash, sequence));
    for (let i = 0; i < 5_000; i++) seen.add(identity(hash, 2 ** 32 * (i + 1) + i));
  }
  assert.equal(seen.size, 1_000_000);
});

Deno.test("a sequence beyond 32 bits has another identity than its low half", () => {
  fc.assert(
    fc.property(hashes, sequences.filter((sequence) => sequence >= 2 ** 32), (hash, sequence) => {
      assert.notEqual(identity(hash, sequence), identity(hash, sequence % 2 ** 32));
    }),
    { seed: SEED },
  );
});

Deno.test("one bit of the input moves about half of the identity's bits", () => {
  let moved = 0;
  let trials = 0;
  for (let i = 0; i < 500; i++) {
    const hash = Math.imul(i, 0x9e3779b1) >>> 0;
    for (let bit = 0; bit < 31; bit++) {
      const difference = identity(hash, i) ^ identity(hash, i ^ (1 << bit));
      moved += difference.toString(2).replaceAll("0", "").length;
      trials++;
    }
  }
  const mean = moved / trials;
  assert.ok(Math.abs(mean - 32) < 0.5, `${mean} of 64`);
});

Deno.test("a loss that a duplicate hides in the count changes the sum", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(hashes, sequences), { minLength: 2, maxLength: 20 }),
      fc.nat(),
      fc.nat(),
      (messages, a, b) => {
        const lost = a % messages.length;
        const doubled = b % messages.length;
        const sumOf = (list: readonly [number, number][]) =>
          BigInt.asUintN(64, list.reduce((sum, [hash, n]) => sum + identity(hash, n), 0n));
        const damaged = messages.map((message, i) => i === lost ? messages[doubled]! : message);
        const isSame = sumOf(damaged) === sumOf(messages);
        const [one, other] = [messages[lost]!, messages[doubled]!];
        assert.equal(isSame, one[0] === other[0] && one[1] === other[1]);
      },
    ),
    { seed: SEED },
  );
});

Deno.test("identityOf() joins the halves", () => {
  assert.equal(identityOf(0xffffffff, 0xfffffffe), 2n ** 64n - 2n);
  // Halves that were summed with `| 0` are negative.
  assert.equal(identityOf(-1, -2), 2n ** 64n - 2n);
  assert.equal(identityOf(0, 0), 0n);
});
