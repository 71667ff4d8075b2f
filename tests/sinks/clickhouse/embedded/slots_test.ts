import assert from "node:assert/strict";
import { QueryError } from "../../../../lib/sinks/clickhouse/embedded/errors.ts";
import { Slots } from "../../../../lib/sinks/clickhouse/embedded/slots.ts";

Deno.test("take() lets the next one in when a slot is given back, in order, once a slot", async () => {
  const slots = new Slots(1, 10);
  const order: string[] = [];
  const first = await slots.take();
  const second = slots.take().then((release) => (order.push("second"), release));
  const third = slots.take().then((release) => (order.push("third"), release));
  assert.equal(slots.waiting, 2);
  first();
  first();
  (await second)();
  (await third)();
  assert.deepEqual(order, ["second", "third"]);
  assert.equal(slots.waiting, 0);
});

Deno.test("take() refuses when too many wait", async () => {
  const slots = new Slots(1, 1);
  const release = await slots.take();
  const waiting = slots.take();
  await assert.rejects(slots.take(), (error) => error instanceof QueryError && error.code === 202);
  release();
  (await waiting)();
  (await slots.take())();
});
