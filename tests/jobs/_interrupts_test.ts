import assert from "node:assert/strict";
import { countInterrupts } from "../../jobs/_interrupts.ts";
import { FakeClock } from "../../lib/base/mod.ts";

function counted() {
  const clock = new FakeClock();
  const said: string[] = [];
  const interrupts = countInterrupts(clock, (text) => said.push(text));
  const state = () => [interrupts.stopping.aborted, interrupts.abandoning.aborted];
  return { clock, said, interrupts, state };
}

Deno.test("countInterrupts() takes the copies of one press that npx and deno task pass on as one", async () => {
  const { clock, said, interrupts, state } = counted();
  interrupts.take();
  for (let copy = 0; copy < 3; copy++) {
    await clock.advance(150);
    interrupts.take();
  }
  assert.deepEqual(state(), [true, false]);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /Ctrl-C again ends at once/);
});

Deno.test("countInterrupts() takes a second press as an end at once", async () => {
  const { clock, interrupts, state } = counted();
  interrupts.take();
  await clock.advance(400);
  interrupts.take();
  assert.deepEqual(state(), [true, true]);
});
