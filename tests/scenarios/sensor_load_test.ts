import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/mod.ts";
import { Schedule } from "../../lib/load/mod.ts";
import { messagePlan, positionAfter, sensorPlan } from "../../lib/scenarios/sensor_load.ts";
import { SensorStream } from "../../lib/sensor/mod.ts";

const LOAD = {
  rateMessagesPerSec: 1000,
  durationMs: 2000,
  stages: null,
  sourceCount: 50,
  seed: 7,
  skew: 0.5,
  lateShare: 0.01,
  duplicateShare: 0.1,
  timeScale: 1,
};
const WINDOW = { windowMs: 60_000, outOfOrdernessMs: 5000, allowedLatenessMs: 0 };
const PLAN = sensorPlan({ load: LOAD, window: WINDOW }, 4, 1_790_000_000_000);
const SCHEDULE = Schedule.constant(LOAD.rateMessagesPerSec, LOAD.durationMs);

/** What each partition has after the first messages of the schedule. */
function sentAfter(messageCount: number): number[] {
  const stream = new SensorStream(PLAN);
  const sentUntil = [0, 0, 0, 0];
  for (let n = 0; n < messageCount; n++) {
    stream.next(SCHEDULE.intendedUs(n));
    sentUntil[stream.partition] = stream.partitionIndex + 1;
  }
  return sentUntil;
}

Deno.test("positionAfter() finds how far a process came from what each partition got", () => {
  for (const messageCount of [0, 1, 7, 1234, 2000]) {
    assert.equal(positionAfter(PLAN, SCHEDULE, sentAfter(messageCount)), messageCount);
  }
});

Deno.test("positionAfter() counts up to the partition that is furthest", () => {
  const sentUntil = sentAfter(1234);
  const behind = sentUntil.map((until, partition) => partition === 2 ? until : 0);
  const position = positionAfter(PLAN, SCHEDULE, behind);
  assert.ok(position <= 1234);
  assert.equal(sentAfter(position)[2], sentUntil[2]);
});

Deno.test("positionAfter() never goes beyond the schedule", () => {
  assert.equal(positionAfter(PLAN, SCHEDULE, [1e9, 0, 0, 0]), 2000);
});

Deno.test("messagePlan().walk() visits every message, and lets a signal end it between two", async () => {
  const schedule = Schedule.constant(100_000, 2000);
  let visited = 0;
  await messagePlan(PLAN, schedule).walk(() => visited++);
  assert.equal(visited, 200_000);
  const stopping = new AbortController();
  visited = 0;
  // What is not awaited shows that the walk lets others work: a timer gets its turn.
  const timer = systemClock.sleep(0).then(() => stopping.abort(new Error("enough")));
  const walk = messagePlan(PLAN, schedule, stopping.signal).walk(() => visited++);
  await assert.rejects(async () => await walk, /enough/);
  await timer;
  assert.ok(visited > 0 && visited < 200_000, `${visited} visited`);
});
