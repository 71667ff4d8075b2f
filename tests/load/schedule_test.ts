import assert from "node:assert/strict";
import fc from "fast-check";
import { Schedule, type ScheduleChange, type Stage } from "../../lib/load/schedule.ts";

const SEED = 20_260_901;

const rates = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 }));
const stagesOf: fc.Arbitrary<Stage[]> = fc.array(
  fc.record({ durationMs: fc.integer({ min: 1, max: 2_000 }), rateFrom: rates, rateTo: rates }),
  { minLength: 1, maxLength: 5 },
);

/** The integral of the rate by many small steps, the slow oracle of the closed form. */
function integral(stages: readonly Stage[], untilMs: number): number {
  let sum = 0;
  let startMs = 0;
  for (const stage of stages) {
    const sinceMs = Math.min(stage.durationMs, Math.max(0, untilMs - startMs));
    const steps = 1000;
    for (let i = 0; i < steps; i++) {
      const middle = ((i + 0.5) / steps) * sinceMs / stage.durationMs;
      sum += (stage.rateFrom + (stage.rateTo - stage.rateFrom) * middle) * (sinceMs / steps / 1000);
    }
    startMs += stage.durationMs;
  }
  return sum;
}

Deno.test("Schedule.constant() sends message n at start + n × interval", () => {
  const schedule = Schedule.constant(50_000, 180_000);
  assert.equal(schedule.messageCount, 9_000_000);
  assert.equal(schedule.durationUs, 180_000_000);
  for (const n of [0, 1, 49_999, 50_000, 8_999_999]) assert.equal(schedule.intendedUs(n), n * 20);
  assert.equal(schedule.intendedUs(9_000_000), Infinity);
});

Deno.test("Schedule.constant() without a duration goes on for ever", () => {
  const schedule = Schedule.constant(10);
  assert.equal(schedule.messageCount, Infinity);
  assert.equal(schedule.intendedUs(1e9), 1e14);
  assert.equal(schedule.countAt(1e14), 1e9 + 1);
});

Deno.test("Schedule.countAt() counts a message from the very instant it is due", () => {
  const schedule = Schedule.constant(50_000, 1_000);
  assert.deepEqual([-1, 0, 19, 20, 40].map((us) => schedule.countAt(us)), [0, 1, 1, 2, 3]);
  assert.equal(schedule.countAt(5_000_000), 50_000);
});

Deno.test("Schedule.ofStages() ramps by the closed form", () => {
  const schedule = Schedule.ofStages([{ durationMs: 10_000, rateFrom: 0, rateTo: 1_000 }]);
  assert.equal(schedule.messageCount, 5_000);
  // A(t) = 50 t²: message 50 is due after 1 s, message 1250 after 5 s.
  assert.equal(schedule.intendedUs(50), 1_000_000);
  assert.equal(schedule.intendedUs(1_250), 5_000_000);
  assert.equal(schedule.rateAt(5_000_000), 500);
});

Deno.test("Schedule.ofStages() ramps down to 0 and stops there", () => {
  const schedule = Schedule.ofStages([{ durationMs: 10_000, rateFrom: 1_000, rateTo: 0 }]);
  assert.equal(schedule.messageCount, 5_000);
  assert.ok(schedule.intendedUs(4_999) <= 10_000_000);
  assert.equal(schedule.rateAt(10_000_000), 0);
});

Deno.test("Schedule.ofStages() carries a broken message over a change of rate", () => {
  // 0.7 of a message, then 0.7: the second is due when 1 has accumulated, 0.3 into the second stage.
  const schedule = Schedule.ofStages([
    { durationMs: 700, rateFrom: 1, rateTo: 1 },
    { durationMs: 700, rateFrom: 2, rateTo: 2 },
  ]);
  assert.equal(schedule.intendedUs(0), 0);
  assert.ok(Math.abs(schedule.intendedUs(1) - 850_000) < 1e-3);
});

Deno.test("Schedule.ofStages() refuses no stages, negative rates and empty durations", () => {
  assert.throws(() => Schedule.ofStages([]), RangeError);
  const stage = { durationMs: 10, rateFrom: 1, rateTo: 1 };
  assert.throws(() => Schedule.ofStages([{ ...stage, rateFrom: -1 }]), RangeError);
  assert.throws(() => Schedule.ofStages([{ ...stage, rateTo: NaN }]), RangeError);
  assert.throws(() => Schedule.ofStages([{ ...stage, durationMs: 0 }]), RangeError);
});

Deno.test("Schedule.countAt() and intendedUs() agree on every message and instant", () => {
  fc.assert(
    fc.property(stagesOf, fc.array(fc.nat(10_000_000)), (stages, instants) => {
      const schedule = Schedule.ofStages(stages);
      const count = Math.min(schedule.messageCount, 2_000);
      let beforeUs = 0;
      for (let n = 0; n < count; n++) {
        const us = schedule.intendedUs(n);
        assert.ok(us >= beforeUs && us <= schedule.durationUs, `message ${n} at ${us}`);
        const counted = schedule.countAt(us);
        assert.ok(counted > n);
        assert.equal(schedule.intendedUs(counted) > us, true);
        beforeUs = us;
      }
      for (const us of instants) {
        const counted = schedule.countAt(us);
        assert.ok(counted === 0 || schedule.intendedUs(counted - 1) <= us);
        assert.ok(schedule.intendedUs(counted) > us);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("Schedule.countAt() follows the integral of the rate", () => {
  fc.assert(
    fc.property(stagesOf, fc.nat(10_000), (stages, untilMs) => {
      const schedule = Schedule.ofStages(stages);
      const counted = schedule.countAt(untilMs * 1000);
      assert.ok(Math.abs(counted - integral(stages, untilMs)) <= 1.01);
    }),
    { seed: SEED },
  );
});

interface Steering {
  readonly afterUs: number;
  readonly rate: number;
}
const steering: fc.Arbitrary<Steering[]> = fc.array(
  fc.record({ afterUs: fc.integer({ min: 0, max: 200_000 }), rate: rates }),
  { maxLength: 20 },
);

Deno.test("Schedule.setRate() moves no instant that lies before it, and replays from its log", () => {
  fc.assert(
    fc.property(stagesOf, steering, (stages, steps) => {
      const schedule = Schedule.ofStages(stages);
      const replayed = Schedule.fromJSON(JSON.parse(JSON.stringify(schedule)));
      let nowUs = 0;
      for (const { afterUs, rate } of steps) {
        nowUs += afterUs;
        if (nowUs >= schedule.durationUs) break;
        const sent = schedule.countAt(nowUs);
        const before = Array.from(
          { length: Math.min(sent, 200) },
          (_, i) => schedule.intendedUs(sent - 1 - i),
        );
        const change = schedule.setRate(nowUs, rate);
        replayed.apply(JSON.parse(JSON.stringify(change)) as ScheduleChange);
        before.forEach((us, i) => assert.equal(schedule.intendedUs(sent - 1 - i), us));
        // After a pause a message may be due at this very instant, but none earlier.
        assert.ok(schedule.intendedUs(sent) >= nowUs);
      }
      assert.deepEqual(replayed.toJSON(), schedule.toJSON());
      const stored = Schedule.fromJSON(JSON.parse(JSON.stringify(schedule)));
      const count = Math.min(schedule.messageCount, 1_000);
      for (let n = 0; n < count; n++) {
        assert.equal(replayed.intendedUs(n), schedule.intendedUs(n));
        assert.equal(stored.intendedUs(n), schedule.intendedUs(n));
      }
    }),
    { seed: SEED },
  );
});

Deno.test("Schedule.setRate() called a thousand times adds no message", () => {
  const schedule = Schedule.constant(100, 10_000);
  for (let ms = 1; ms < 10_000; ms += 10) schedule.setRate(ms * 1000, 100);
  assert.equal(schedule.messageCount, 1_000);
});

Deno.test("Schedule.setRate() replaces the stages that were planned from there to the same end", () => {
  const schedule = Schedule.ofStages([
    { durationMs: 1_000, rateFrom: 10, rateTo: 10 },
    { durationMs: 1_000, rateFrom: 1_000, rateTo: 1_000 },
  ]);
  const change = schedule.setRate(500_000, 20);
  assert.equal(change.kind === "rate" && change.segment.firstIndex, 6);
  assert.equal(schedule.durationUs, 2_000_000);
  assert.equal(schedule.messageCount, 35);
  assert.equal(schedule.rateAt(1_500_000), 20);
});

Deno.test("Schedule.setRate() refuses an instant after the end", () => {
  const schedule = Schedule.constant(10, 1_000);
  assert.throws(() => schedule.setRate(1_000_000, 5), /Cannot change the rate at 1000000 µs/);
  assert.throws(() => schedule.setRate(-1, 5), RangeError);
  assert.throws(() => schedule.setRate(10, -5), RangeError);
});

Deno.test("Schedule.pause() sends nothing until resume() restores the rate", () => {
  const schedule = Schedule.constant(1_000, 10_000);
  schedule.pause(2_000_500);
  assert.equal(schedule.countAt(5_000_000), 2_001);
  assert.equal(schedule.rateAt(5_000_000), 0);
  assert.equal(schedule.intendedUs(2_001), Infinity);
  schedule.resume(5_000_000);
  assert.equal(schedule.rateAt(6_000_000), 1_000);
  // Half a message had accumulated before the pause, and counts after it.
  assert.equal(schedule.intendedUs(2_001), 5_000_500);
  assert.equal(schedule.messageCount, 7_001);
});

Deno.test("Schedule.resume() in a ramp goes on at the rate that it had reached", () => {
  const schedule = Schedule.ofStages([{ durationMs: 10_000, rateFrom: 0, rateTo: 1_000 }]);
  schedule.pause(5_000_000);
  schedule.resume(6_000_000);
  assert.equal(schedule.rateAt(7_000_000), 500);
});

Deno.test("Schedule.resume() says so when nothing ran before", () => {
  const schedule = Schedule.constant(0, 1_000);
  assert.throws(() => schedule.resume(10), /Cannot resume: no rate held before/);
});

Deno.test("Schedule.stopAt() ends the schedule and only ever shortens it", () => {
  const schedule = Schedule.constant(1_000, 10_000);
  schedule.stopAt(500);
  schedule.stopAt(900);
  assert.equal(schedule.messageCount, 500);
  assert.equal(schedule.countAt(9_000_000), 500);
  assert.equal(schedule.intendedUs(500), Infinity);
  assert.equal(Schedule.fromJSON(schedule.toJSON()).messageCount, 500);
});

Deno.test("Schedule.countAt() is one whole count through a chain of 2,000 stages", () => {
  const stages = Array.from({ length: 2_000 }, (_, i) => ({
    durationMs: 3,
    rateFrom: i % 7 === 0 ? 0 : 333.3,
    rateTo: i % 7 === 0 ? 0 : 333.3,
  }));
  const schedule = Schedule.ofStages(stages);
  const expected = integral(stages, 6_000);
  assert.ok(Math.abs(schedule.messageCount - expected) <= 1);
});
