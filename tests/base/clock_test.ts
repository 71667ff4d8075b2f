import assert from "node:assert/strict";
import { FakeClock, systemClock } from "../../lib/base/clock.ts";
import { AssertionError } from "../../lib/base/errors.ts";

/** Names of what happened, in order. */
function recorder() {
  const events: string[] = [];
  return { events, note: (name: string) => () => void events.push(name) };
}

Deno.test("FakeClock stands still until it is moved", async () => {
  const clock = new FakeClock(5_000);
  assert.deepEqual([clock.wallMs(), clock.monoUs()], [5_000, 0]);
  await clock.advance(1.5);
  assert.deepEqual([clock.wallMs(), clock.monoUs()], [5_001.5, 1_500]);
});

Deno.test("FakeClock.sleep() wakes in order of time, then of asking", async () => {
  const clock = new FakeClock();
  const { events, note } = recorder();
  void clock.sleep(20).then(note("late"));
  void clock.sleep(10).then(note("first"));
  void clock.sleep(10).then(note("second"));
  await clock.advance(9.999);
  assert.deepEqual(events, []);
  await clock.advance(0.001);
  assert.deepEqual(events, ["first", "second"]);
  await clock.advance(100);
  assert.deepEqual(events, ["first", "second", "late"]);
  assert.equal(clock.pending, 0);
});

Deno.test("FakeClock.advance() shows each sleeper the time it asked for", async () => {
  const clock = new FakeClock();
  const times: number[] = [];
  const loop = async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10);
      times.push(clock.wallMs());
    }
  };
  const looping = loop();
  await clock.advance(100);
  await looping;
  assert.deepEqual(times, [10, 20, 30]);
  assert.equal(clock.wallMs(), 100);
});

Deno.test("FakeClock.sleep() rejects with the signal's reason and forgets the timer", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const sleeping = clock.sleep(10, controller.signal);
  assert.equal(clock.pending, 1);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  assert.equal(clock.pending, 0);
  await assert.rejects(clock.sleep(1, controller.signal), /enough/);
});

Deno.test("FakeClock.every() calls at each interval until it is stopped, also from within", async () => {
  const clock = new FakeClock();
  const times: number[] = [];
  const stop = clock.every(10, () => {
    times.push(clock.wallMs());
    if (times.length === 3) stop();
  });
  await clock.advance(25);
  assert.deepEqual(times, [10, 20]);
  await clock.advance(100);
  assert.deepEqual(times, [10, 20, 30]);
  assert.equal(clock.pending, 0);
});

Deno.test("FakeClock.every() stops from outside", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const stop = clock.every(10, () => calls++);
  await clock.advance(10);
  stop();
  await clock.advance(100);
  assert.equal(calls, 1);
});

Deno.test("FakeClock.every() refuses an interval that would hold time", () => {
  assert.throws(() => new FakeClock().every(0, () => {}), AssertionError);
});

Deno.test("systemClock tells the host's time, and a time that never goes back", () => {
  assert.ok(Math.abs(systemClock.wallMs() - Date.now()) < 1_000);
  let before = systemClock.monoUs();
  for (let i = 0; i < 1_000; i++) {
    const now = systemClock.monoUs();
    assert.ok(now >= before);
    before = now;
  }
});

Deno.test("systemClock.sleep() takes its time, in the unit of its name", async () => {
  const startUs = systemClock.monoUs();
  await systemClock.sleep(5);
  const tookUs = systemClock.monoUs() - startUs;
  assert.ok(tookUs >= 4_500, `took ${tookUs} µs`);
});

Deno.test("systemClock.sleep() ends at once when it is aborted", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(3_600_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(systemClock.sleep(3_600_000, controller.signal), /enough/);
});

Deno.test("systemClock.every() calls again and again until it is stopped", async () => {
  let calls = 0;
  await new Promise<void>((resolve) => {
    const stop = systemClock.every(1, () => {
      if (++calls === 3) {
        stop();
        resolve();
      }
    });
  });
  assert.equal(calls, 3);
});
