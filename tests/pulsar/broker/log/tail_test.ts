import assert from "node:assert/strict";
import { SLAB_BYTES, SlabPool } from "../../../../lib/pulsar/broker/log/slab.ts";
import { Tail, TailBudget } from "../../../../lib/pulsar/broker/log/tail.ts";

function tailsOf(pool: SlabPool, count: number): Tail[] {
  return Array.from({ length: count }, (_, i) => new Tail(pool.take(1), i, 0));
}

const droppedOf = (tails: readonly Tail[]) => tails.map(({ isDropped }) => isDropped);

Deno.test("TailBudget drops the oldest tails, and no more of them than it must", () => {
  const pool = new SlabPool();
  const budget = new TailBudget(3 * SLAB_BYTES);
  const tails = tailsOf(pool, 5);
  for (const tail of tails.slice(0, 3)) budget.add(tail);
  assert.deepEqual(droppedOf(tails), [false, false, false, false, false]);
  budget.add(tails[3]!);
  assert.deepEqual(droppedOf(tails), [true, false, false, false, false]);
  budget.add(tails[4]!);
  assert.deepEqual(droppedOf(tails), [true, true, false, false, false]);
  assert.equal(pool.bytesInUse, 3 * SLAB_BYTES);
});

Deno.test("TailBudget does not count what its log has dropped already", () => {
  const budget = new TailBudget(3 * SLAB_BYTES);
  const tails = tailsOf(new SlabPool(), 4);
  for (const tail of tails.slice(0, 3)) budget.add(tail);
  tails[1]!.drop();
  budget.add(tails[3]!);
  assert.deepEqual(droppedOf(tails), [false, true, false, false]);
});

Deno.test("TailBudget keeps the newest tail, however large", () => {
  const budget = new TailBudget(SLAB_BYTES);
  const pool = new SlabPool();
  const old = new Tail(pool.take(1), 0, 0);
  const large = new Tail(pool.take(4 * SLAB_BYTES), 1, 0);
  budget.add(old);
  budget.add(large);
  assert.deepEqual(droppedOf([old, large]), [true, false]);
});

Deno.test("Tail.holds() knows its entries, and none once it is dropped", () => {
  const tail = new Tail(new SlabPool().take(1), 3, 10);
  tail.starts.push(0, 50);
  assert.deepEqual([9, 10, 11, 12].map((id) => tail.holds(3, id)), [false, true, true, false]);
  assert.equal(tail.holds(2, 10), false);
  tail.cut(1);
  assert.deepEqual([tail.holds(3, 11), tail.end], [false, 50]);
  tail.drop();
  assert.equal(tail.holds(3, 10), false);
});
