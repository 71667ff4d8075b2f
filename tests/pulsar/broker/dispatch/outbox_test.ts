import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../../lib/base/mod.ts";
import { Outbox } from "../../../../lib/pulsar/broker/dispatch/outbox.ts";
import { SlabPool } from "../../../../lib/pulsar/broker/log/slab.ts";

/** A socket that takes as many bytes at a time as it likes. */
function socketTaking(countOf: (offered: number) => number) {
  const written: number[] = [];
  return {
    written,
    write(bytes: Uint8Array): Promise<number> {
      const count = Math.min(bytes.length, Math.max(1, countOf(bytes.length)));
      written.push(...bytes.subarray(0, count));
      return Promise.resolve(count);
    },
  };
}

const silent = { drained: () => {}, writeFailed: () => {} };

Deno.test("Outbox writes everything in order, whatever the socket takes, and lets go of every slab", async () => {
  const parts = fc.array(
    fc.record({ isSlab: fc.boolean(), length: fc.integer({ min: 0, max: 20_000 }) }),
    {
      maxLength: 20,
    },
  );
  await fc.assert(
    fc.asyncProperty(parts, fc.integer(), async (plan, seed) => {
      const random = seededRandom(seed);
      const socket = socketTaking((offered) => random.below(offered + 1));
      const outbox = new Outbox(socket, silent);
      const pool = new SlabPool();
      const expected: number[] = [];
      for (const [i, { isSlab, length }] of plan.entries()) {
        const bytes = new Uint8Array(length).fill(i + 1);
        expected.push(...bytes);
        if (isSlab) {
          const slab = pool.take(length);
          slab.bytes.set(bytes);
          outbox.addSlab(slab, 0, length);
          slab.release();
        } else {
          outbox.add(bytes);
          bytes.fill(0);
        }
        if (random.below(3) === 0) await Promise.resolve();
      }
      await outbox.flushed();
      assert.deepEqual(socket.written, expected);
      assert.equal(pool.bytesInUse, 0);
      assert.equal(outbox.pendingBytes, 0);
    }),
    { seed: 5, numRuns: 60 },
  );
});

Deno.test("Outbox is full at its bound and says when it has drained", async () => {
  const gate = Promise.withResolvers<number>();
  let drained = 0;
  let writes = 0;
  const outbox = new Outbox({
    write: (bytes) => writes++ === 0 ? gate.promise : Promise.resolve(bytes.length),
  }, { drained: () => drained++, writeFailed: () => {} });
  outbox.add(new Uint8Array(100));
  assert.equal(outbox.isFull, false);
  for (let i = 0; i < 20; i++) outbox.add(new Uint8Array(60_000));
  assert.equal(outbox.isFull, true);
  gate.resolve(100);
  await outbox.flushed();
  assert.equal(drained, 1);
  assert.equal(outbox.isFull, false);
});

Deno.test("Outbox gives up on a socket that fails, and holds no memory", async () => {
  const pool = new SlabPool();
  const failed = Promise.withResolvers<unknown>();
  const outbox = new Outbox({ write: () => Promise.reject(new Error("gone")) }, {
    drained: () => {},
    writeFailed: failed.resolve,
  });
  for (let i = 0; i < 3; i++) {
    const slab = pool.take(50_000);
    outbox.addSlab(slab, 0, 50_000);
    slab.release();
  }
  assert.match(String(await failed.promise), /gone/);
  assert.equal(pool.bytesInUse, 0);
  outbox.add(new Uint8Array(10));
  await outbox.flushed();
});
