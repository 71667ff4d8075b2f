import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import { Pacer, type PacerTick } from "../../lib/load/pacer.ts";
import { Schedule } from "../../lib/load/schedule.ts";

const takeAll: PacerTick = (until) => until;

/** A clock whose wall time a test can move on its own. */
class JumpingClock extends FakeClock {
  jumpMs = 0;

  override wallMs(): number {
    return super.wallMs() + this.jumpMs;
  }
}

Deno.test("Pacer.run() sends each message once, in order, and never before its instant", async () => {
  const clock = new FakeClock();
  const schedule = Schedule.constant(10_000, 1_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0 });
  const ticks: [number, number][] = [];
  const running = pacer.run({
    signal: new AbortController().signal,
    tick: (until, elapsedUs) => {
      assert.ok(until === 0 || schedule.intendedUs(until - 1) <= elapsedUs);
      assert.ok(schedule.intendedUs(until) > elapsedUs);
      ticks.push([until, elapsedUs]);
      return until;
    },
  });
  await clock.advance(1_010);
  await running;
  assert.equal(pacer.next, 10_000);
  assert.equal(clock.pending, 0);
  const report = pacer.report();
  assert.equal(report.sentCount, 10_000);
  assert.equal(report.ownLateCount, 0);
  assert.ok(report.ownLatenessUsMax <= 5_000, `${report.ownLatenessUsMax}`);
  assert.ok(report.tickGapUsMax <= 5_000);
  assert.ok(ticks.every(([until], i) => i === 0 || until >= ticks[i - 1]![0]));
});

Deno.test("Pacer.tick() calls even when nothing is due, so that batches can be flushed", () => {
  const clock = new FakeClock();
  const pacer = new Pacer({ clock, schedule: Schedule.constant(0, 1_000), startUs: 0 });
  let called = 0;
  pacer.tick((until) => {
    called++;
    return until;
  });
  assert.equal(called, 1);
  assert.equal(pacer.report().sentCount, 0);
});

Deno.test("Pacer.tick() counts lateness of its own when a tick comes late and nothing held", async () => {
  const clock = new FakeClock();
  const pacer = new Pacer({ clock, schedule: Schedule.constant(1_000, 10_000), startUs: 0 });
  pacer.tick(takeAll);
  await clock.advance(300); // the event loop was blocked
  pacer.tick(takeAll);
  const report = pacer.report();
  // Messages 1 to 300 are due; those due up to 200 ms are later than the 100 ms allowed.
  assert.equal(report.sentCount, 301);
  assert.equal(report.ownLateCount, 200);
  assert.equal(report.ownLatenessUsMax, 299_000);
  assert.equal(report.heldCount, 0);
  assert.equal(report.tickGapUsMax, 300_000);
  assert.equal(pacer.ownLateness.count, 301);
});

Deno.test("Pacer.tick() charges lateness to the system while it holds back, and until the backlog is gone", async () => {
  const clock = new FakeClock();
  const options = { tickMessagesMax: 200 };
  const schedule = Schedule.constant(1_000, 60_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0, ...options });
  pacer.tick(takeAll);
  for (let i = 0; i < 100; i++) {
    await clock.advance(5);
    pacer.tick(() => pacer.next); // no room for anything
  }
  assert.equal(pacer.report().heldTickCount, 100);
  // Room again: 500 are due, 200 go a tick.
  for (let i = 0; i < 10; i++) {
    await clock.advance(5);
    pacer.tick(takeAll);
  }
  const report = pacer.report();
  assert.equal(report.ownLateCount, 0);
  assert.ok(report.heldCount >= 500, `${report.heldCount}`);
  assert.ok(report.ownLatenessUsMax <= 5_000);
  assert.equal(pacer.heldLateness.count, report.heldCount);
  assert.equal(report.sentCount, schedule.countAt(clock.monoUs()));
  // Caught up: a late tick is the generator's own again.
  await clock.advance(400);
  pacer.tick(takeAll);
  assert.ok(pacer.report().ownLateCount > 0);
});

Deno.test("Pacer.tick() charges what it cannot make in time to the generator", async () => {
  const clock = new FakeClock();
  const schedule = Schedule.constant(100_000, 10_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0, tickMessagesMax: 100 });
  for (let i = 0; i < 200; i++) {
    await clock.advance(5);
    pacer.tick(takeAll);
  }
  const report = pacer.report();
  assert.equal(report.heldCount, 0);
  assert.ok(report.ownLatenessShare > 0.5, `${report.ownLatenessShare}`);
});

Deno.test("Pacer counts what fell due before a restart as held, not as its own lateness", async () => {
  const clock = new FakeClock();
  await clock.advance(5_000);
  // The schedule began 5 s ago; the process that died had sent 1,000.
  const schedule = Schedule.constant(1_000, 60_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0, nextIndex: 1_000 });
  await clock.advance(5);
  pacer.tick(takeAll);
  const report = pacer.report();
  assert.equal(report.sentCount, 4_006);
  assert.equal(report.ownLateCount, 0);
  assert.equal(report.heldCount, 3_996);
});

Deno.test("Pacer.run() ends when it is aborted, and keeps its place", async () => {
  const clock = new FakeClock();
  const pacer = new Pacer({ clock, schedule: Schedule.constant(1_000), startUs: 0 });
  const controller = new AbortController();
  const running = pacer.run({ signal: controller.signal, tick: takeAll });
  await clock.advance(100);
  controller.abort();
  await running;
  await clock.advance(100);
  assert.equal(pacer.next, 101);
  assert.equal(pacer.isFinished, false);
});

Deno.test("Pacer.run() rejects with what a tick throws, and ticks no more", async () => {
  const clock = new FakeClock();
  const pacer = new Pacer({ clock, schedule: Schedule.constant(1_000), startUs: 0 });
  const running = pacer.run({
    signal: new AbortController().signal,
    tick: () => {
      throw new Error("disk full");
    },
  });
  const rejected = assert.rejects(running, /disk full/);
  await clock.advance(20);
  await rejected;
  assert.equal(clock.pending, 0);
});

Deno.test("Pacer follows a schedule that is steered while it runs", async () => {
  const clock = new FakeClock();
  const schedule = Schedule.constant(1_000, 3_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0 });
  const running = pacer.run({ signal: new AbortController().signal, tick: takeAll });
  await clock.advance(1_000);
  schedule.pause(pacer.elapsedUs);
  const paused = pacer.next;
  await clock.advance(500);
  assert.equal(pacer.next, paused);
  assert.equal(pacer.targetRate(), 0);
  assert.equal(pacer.isFinished, false);
  schedule.setRate(pacer.elapsedUs, 5_000);
  assert.equal(pacer.targetRate(), 5_000);
  await clock.advance(1_510);
  await running;
  assert.equal(pacer.next, schedule.messageCount);
  assert.equal(pacer.report().ownLateCount, 0);
});

Deno.test("Pacer.run() ends at once when the schedule was stopped behind it", async () => {
  const clock = new FakeClock();
  const schedule = Schedule.constant(1_000, 60_000);
  const pacer = new Pacer({ clock, schedule, startUs: 0 });
  const running = pacer.run({ signal: new AbortController().signal, tick: takeAll });
  await clock.advance(100);
  schedule.stopAt(pacer.next);
  await clock.advance(5);
  await running;
  assert.equal(pacer.isFinished, true);
});

Deno.test("Pacer sees the wall clock jump against the monotonic one", async () => {
  const clock = new JumpingClock();
  const pacer = new Pacer({ clock, schedule: Schedule.constant(1_000), startUs: 0 });
  pacer.tick(takeAll);
  assert.equal(pacer.report().clockJumpMs, 0);
  clock.jumpMs = -3_000;
  await clock.advance(5);
  pacer.tick(takeAll);
  clock.jumpMs = 0;
  await clock.advance(5);
  pacer.tick(takeAll);
  assert.equal(pacer.report().clockJumpMs, 3_000);
});

Deno.test("Pacer refuses ticks longer than 5 ms, and a tick that claims what was not due", () => {
  const clock = new FakeClock();
  const schedule = Schedule.constant(1_000);
  assert.throws(() => new Pacer({ clock, schedule, startUs: 0, tickMs: 6 }), RangeError);
  assert.throws(() => new Pacer({ clock, schedule, startUs: 0, tickMs: 0 }), RangeError);
  const pacer = new Pacer({ clock, schedule, startUs: 0 });
  assert.throws(() => pacer.tick((until) => until + 1), /a tick went to 2/);
});
