import assert from "node:assert/strict";
import { LatenessJudge } from "../../lib/notebook/lateness.ts";
import { SensorStream } from "../../lib/sensor/mod.ts";

const SETTINGS = { windowMs: 60_000, outOfOrdernessMs: 10_000, allowedLatenessMs: 0 };

Deno.test("judge() tells on time, out of order and late apart, partition by partition", () => {
  const judge = new LatenessJudge(SETTINGS);
  assert.equal(judge.judge(0, 50_000), "on time");
  assert.equal(judge.judge(0, 50_000), "on time");
  assert.equal(judge.judge(0, 45_000), "out of order");
  assert.equal(judge.judge(0, 69_999), "on time");
  assert.equal(judge.judge(0, 59_999), "out of order", "the watermark is at 59,999");
  assert.equal(judge.judge(0, 70_000), "on time");
  assert.equal(judge.judge(0, 59_999), "late", "the watermark has passed the window's end");
  assert.equal(judge.judge(1, 1_000), "on time", "another partition has a watermark of its own");
  assert.equal(judge.watermarkMs(0), 60_000);
  assert.equal(judge.watermarkMs(2), -Infinity);
  const { messageCount, outOfOrderCount, lateCount, furthestBehindMs } = judge;
  assert.deepEqual([messageCount, outOfOrderCount, lateCount, furthestBehindMs], [8, 2, 1, 10_000]);
});

Deno.test("judge() keeps windows open for the allowed lateness, and says how long they were open", () => {
  const judge = new LatenessJudge({ ...SETTINGS, allowedLatenessMs: 30_000 });
  judge.judge(0, 50_000);
  judge.judge(0, 99_999);
  assert.equal(judge.judge(0, 59_999), "out of order");
  judge.judge(0, 105_000);
  assert.equal(judge.judge(0, 59_999), "late");
  assert.equal(
    judge.closedAfterMsMean,
    45_000,
    "closed by the message of 105 s, 45 s after its end",
  );
});

Deno.test("closedAfterMsMean is NaN where no window was closed", () => {
  assert.ok(Number.isNaN(new LatenessJudge(SETTINGS).closedAfterMsMean));
});

Deno.test("judge() finds late what the generator planted late, and nothing else", () => {
  const outOfOrdernessMs = 60_000;
  const stream = new SensorStream({
    seed: 1,
    partitionCount: 4,
    sourceCount: 20,
    skew: 3,
    startWallMs: 1_700_000_000_000,
    timeScale: 60,
    lateShare: 0.02,
    outOfOrdernessMs,
  });
  const judge = new LatenessJudge({ ...SETTINGS, outOfOrdernessMs });
  let planted = 0;
  for (let i = 0; i < 10_000; i++) {
    stream.next(i * 2_000);
    const found = judge.judge(stream.partition, stream.eventTimeMs);
    assert.equal(found === "late", stream.planted === 1, `message ${i}`);
    planted += stream.planted === 1 ? 1 : 0;
  }
  assert.ok(planted > 50, `${planted} planted`);
  assert.ok(judge.outOfOrderCount > 1000);
  assert.ok(judge.furthestBehindMs <= 0.4 * outOfOrdernessMs);
});
