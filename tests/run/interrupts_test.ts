import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import { countInterrupts } from "../../lib/run/interrupts.ts";

function counted() {
  const clock = new FakeClock();
  const interrupts = countInterrupts(clock);
  const state = () => [interrupts.stopping.aborted, interrupts.abandoning.aborted];
  return { clock, interrupts, state };
}

Deno.test("countInterrupts() takes the copies of one press that npx and deno task pass on as one", async () => {
  const { clock, interrupts, state } = counted();
  assert.deepEqual(state(), [false, false]);
  interrupts.take();
  for (let copy = 0; copy < 3; copy++) {
    await clock.advance(150);
    interrupts.take();
  }
  assert.deepEqual(state(), [true, false]);
});

Deno.test("countInterrupts() takes a second press as an end at once", async () => {
  const { clock, interrupts, state } = counted();
  interrupts.take();
  await clock.advance(400);
  interrupts.take();
  assert.deepEqual(state(), [true, true]);
});
