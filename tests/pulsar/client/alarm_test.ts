import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { Alarm } from "../../../lib/pulsar/client/alarm.ts";

Deno.test("Alarm rings once, at the earliest time asked for", async () => {
  const clock = new FakeClock();
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => rung.push(clock.wallMs()));
  alarm.within(100);
  alarm.within(50);
  alarm.within(70);
  assert.equal(clock.pending, 1);
  await clock.advance(200);
  assert.deepEqual(rung, [50]);
  alarm.within(10);
  alarm.cancel();
  await clock.advance(20);
  assert.deepEqual(rung, [50]);
  assert.equal(clock.pending, 0);
});
