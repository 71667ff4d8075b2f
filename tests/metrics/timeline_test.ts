import assert from "node:assert/strict";
import {
  LatencyBuckets,
  METRIC,
  type Sample,
  type Scrape,
  timelineOf,
} from "../../lib/metrics/mod.ts";

type Values = Readonly<Record<string, number>>;

function scrape(values: Values, buckets: Scrape["buckets"] = {}): Scrape {
  return { values, buckets };
}

/** One sample a second from `startMs` on. */
function samplesOf(roles: readonly Sample["roles"][], startMs = 5_000): Sample[] {
  return roles.map((role, i) => ({ atMs: startMs + i * 1000, roles: role }));
}

Deno.test("timelineOf() makes rates of counters and keeps gauges", () => {
  const produced = (acked: number, target: number) =>
    scrape({
      [METRIC.messagesAcknowledged]: acked,
      [METRIC.targetRate]: target,
      [METRIC.processCpu]: acked / 128,
      [METRIC.processRss]: 7,
    });
  const timeline = timelineOf(
    samplesOf([{ produce: produced(0, 100) }, { produce: produced(100, 200) }, {
      produce: produced(300, 200),
    }]),
  );
  assert.equal(timeline.startMs, 5_000);
  assert.equal(timeline.durationSec, 2);
  assert.deepEqual(timeline.ackedPerSec, [[0, null], [1, 100], [2, 200]]);
  assert.deepEqual(timeline.targetPerSec, [[0, 100], [1, 200], [2, 200]]);
  assert.deepEqual(timeline.roles["produce"], {
    cpuCores: [[0, null], [1, 0.78125], [2, 1.5625]],
    rssBytes: [[0, 7], [1, 7], [2, 7]],
  });
});

Deno.test("timelineOf() takes the backlog from what the aggregators account for, not from replayed work", () => {
  const at = (
    acked: number,
    aggregated: number | undefined,
    accounted: number,
  ): Sample["roles"] => ({
    produce: scrape({ [METRIC.messagesAcknowledged]: acked }),
    ...(aggregated === undefined ? {} : {
      "aggregate-1": scrape({
        [METRIC.messagesAggregated]: aggregated,
        [METRIC.messagesAccounted]: accounted,
      }),
    }),
  });
  // Killed after 150; comes back at its checkpoint of 100 and works those 50 again.
  const timeline = timelineOf(
    samplesOf([
      at(0, 0, 0),
      at(160, 150, 150),
      at(260, undefined, 0),
      at(360, 0, 100),
      at(460, 350, 450),
    ]),
  );
  assert.deepEqual(timeline.backlogMessages.map(([, value]) => value), [0, 10, 110, 260, 10]);
});

Deno.test("timelineOf() counts the backlog from counters where no gauge is there", () => {
  const at = (acked: number, aggregated: number): Sample["roles"] => ({
    produce: scrape({ [METRIC.messagesAcknowledged]: acked }),
    aggregate: scrape({ [METRIC.messagesAggregated]: aggregated }),
  });
  const timeline = timelineOf(samplesOf([at(10, 4), at(20, 19), at(30, 31)]));
  assert.deepEqual(timeline.backlogMessages.map(([, value]) => value), [6, 1, 0]);
});

Deno.test("timelineOf() takes percentiles of each second by itself", () => {
  const buckets = new LatencyBuckets();
  const readings = [1_000, 100_000, 1_000].map((latencyUs) => {
    buckets.record(latencyUs, 1000);
    return { produce: scrape({}, { [METRIC.publishLatency]: buckets.cumulative() }) };
  });
  const p99 = timelineOf(samplesOf([{ produce: scrape({}) }, ...readings])).publishUsP99;
  assert.deepEqual(
    p99.map(([, value]) => value === null ? null : value > 50_000 ? "slow" : "fast"),
    [null, "fast", "slow", "fast"],
  );
});

Deno.test("timelineOf() merges the histograms of instances before it takes a percentile", () => {
  const reading = (latencyUs: number, count: number) => {
    const buckets = new LatencyBuckets();
    buckets.record(latencyUs, count);
    return scrape({}, { [METRIC.deliveryLatency]: buckets.cumulative() });
  };
  const timeline = timelineOf(samplesOf([
    { "aggregate-1": scrape({}), "aggregate-2": scrape({}) },
    { "aggregate-1": reading(1_000, 990), "aggregate-2": reading(1_000_000, 10) },
  ]));
  // An average of the two p99 would be half a second.
  assert.ok(timeline.deliveryUsP99[1]![1]! < 2_000);
});

Deno.test("timelineOf() takes the mean of inserts and checkpoints where there were any", () => {
  const at = (inserts: number, sec: number, bytes: number) => ({
    aggregate: scrape({
      [METRIC.inserts]: inserts,
      [METRIC.insertSeconds]: sec,
      [METRIC.checkpoints]: inserts,
      [METRIC.checkpointSeconds]: sec,
      [METRIC.checkpointBytes]: bytes,
    }),
  });
  const timeline = timelineOf(samplesOf([at(0, 0, 0), at(4, 0.5, 400), at(4, 0.5, 400)]));
  assert.deepEqual(timeline.insertMs, [[0, null], [1, 125], [2, null]]);
  assert.deepEqual(timeline.checkpointMs, timeline.insertMs);
  assert.deepEqual(timeline.checkpointBytes, [[0, null], [1, 100], [2, null]]);
});

Deno.test("timelineOf() leaves out what was before the start", () => {
  const sample = { produce: scrape({ [METRIC.messagesAcknowledged]: 1 }) };
  const timeline = timelineOf(samplesOf([sample, sample, sample]), { startMs: 6_000 });
  assert.deepEqual(timeline.ackedPerSec.map(([atSec]) => atSec), [0, 1]);
});

Deno.test("timelineOf() is empty for no samples", () => {
  const timeline = timelineOf([]);
  assert.equal(timeline.durationSec, 0);
  assert.deepEqual(timeline.ackedPerSec, []);
  assert.deepEqual(timeline.backlogMessages, []);
  assert.deepEqual(timeline.roles, {});
});

Deno.test("timelineOf() thins out ten thousand samples and keeps the peak", () => {
  let acked = 0;
  const roles = Array.from({ length: 10_000 }, (_, i) => {
    acked += i === 7_777 ? 90_000 : 50_000;
    return { produce: scrape({ [METRIC.messagesAcknowledged]: acked }) };
  });
  const { ackedPerSec } = timelineOf(samplesOf(roles), { pointsMax: 600 });
  assert.ok(ackedPerSec.length <= 900, `${ackedPerSec.length} points`);
  assert.ok(ackedPerSec.some(([atSec, value]) => atSec === 7_777 && value === 90_000));
});

Deno.test("timelineOf() takes the last rates over the part of their second that had load", () => {
  const at = (acked: number, target: number): Sample["roles"] => ({
    produce: scrape({ [METRIC.messagesAcknowledged]: acked, [METRIC.targetRate]: target }),
    aggregate: scrape({ [METRIC.messagesAggregated]: acked }),
  });
  const samples = samplesOf([at(0, 100), at(100, 100), at(150, 0), at(150, 0)]);
  const plain = timelineOf(samples);
  assert.deepEqual(plain.ackedPerSec, [[0, null], [1, 100], [2, 50], [3, 0]]);
  const ended = timelineOf(samples, { endMs: 6_500 });
  assert.deepEqual(ended.ackedPerSec, [[0, null], [1, 100], [2, 100], [3, null]]);
  assert.deepEqual(ended.aggregatedPerSec, ended.ackedPerSec);
  assert.deepEqual(ended.targetPerSec, [[0, 100], [1, 100], [2, null], [3, null]]);
  // A tenth of a second is no basis for a rate.
  assert.deepEqual(timelineOf(samples, { endMs: 6_100 }).ackedPerSec[2], [2, null]);
});

Deno.test("timelineOf() leaves the rate of an aggregator alone that works on after the load", () => {
  const at = (acked: number, aggregated: number): Sample["roles"] => ({
    produce: scrape({ [METRIC.messagesAcknowledged]: acked }),
    aggregate: scrape({ [METRIC.messagesAggregated]: aggregated }),
  });
  const { aggregatedPerSec } = timelineOf(
    samplesOf([at(0, 0), at(200, 100), at(300, 200), at(300, 300)]),
    { endMs: 6_500 },
  );
  assert.deepEqual(aggregatedPerSec, [[0, null], [1, 100], [2, 100], [3, 100]]);
});
