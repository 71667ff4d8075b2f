import assert from "node:assert/strict";
import { type Timeline as MetricsTimeline, timelineOf } from "../../lib/metrics/mod.ts";
import { runCharts, type Timeline } from "../../lib/report/mod.ts";
import { fixtureReport } from "./_fixture.ts";
import { syntheticRun } from "./_synthetic.ts";

function chartsOf(durationSec: number) {
  const { samples, distributions } = syntheticRun({ durationSec });
  // The assignment is the test: metrics makes what report draws.
  const timeline: Timeline = timelineOf(samples);
  return runCharts({ timeline, marks: [], distributions });
}

Deno.test("runCharts() draws what a report promises, in its order", () => {
  assert.deepEqual(chartsOf(3).map(({ id }) => id), [
    "throughput",
    "backlog",
    "latency",
    "percentiles",
    "rows",
    "durable",
    "cpu",
    "memory",
  ]);
});

Deno.test("runCharts() needs every field of the timeline that metrics makes, and no other", () => {
  const same = (timeline: Timeline): MetricsTimeline => timeline;
  assert.deepEqual(Object.keys(same(timelineOf([]))).sort(), [
    "ackedPerSec",
    "aggregatedPerSec",
    "backlogMessages",
    "checkpointBytes",
    "checkpointMs",
    "deliveryUsP50",
    "deliveryUsP99",
    "durationSec",
    "insertMs",
    "publishUsP50",
    "publishUsP99",
    "roles",
    "rowsPerSec",
    "startMs",
    "targetPerSec",
    "windowVisibleUsP99",
  ]);
});

Deno.test("runCharts() names units at every axis", () => {
  const named = chartsOf(70).map(({ draw }) => {
    const svg = draw({ theme: "light" });
    return [...svg.matchAll(/matrix\(0,-1,1,0[^>]*>([^<]*)</g)].map(([, name]) => name).join();
  });
  assert.deepEqual(named, [
    "messages/s",
    "messages",
    "latency",
    "latency",
    "rows/s",
    "mean duration",
    // One a row of small multiples.
    "cores,cores",
    "MiB,MiB",
  ]);
});

Deno.test("runCharts() leaves out roles of which nothing is known", () => {
  const { samples, distributions } = syntheticRun({ durationSec: 3 });
  const timeline: Timeline = {
    ...timelineOf(samples),
    roles: {
      broker: { cpuCores: [[0, null]], rssBytes: [[0, null]] },
      produce: { cpuCores: [[0, null], [1, 0.5], [2, 0.4]], rssBytes: [[0, 1e8], [1, 1e8]] },
    },
  };
  const svg = runCharts({ timeline, marks: [], distributions }).find(({ id }) => id === "cpu")!
    .draw({ theme: "light" });
  assert.match(svg, />produce</);
  assert.doesNotMatch(svg, />broker</);
});

Deno.test("runCharts() says from when a closed loop counts", () => {
  const { picture } = fixtureReport({ durationSec: 20 });
  const described = (loop: "open" | "closed" | undefined) =>
    runCharts(loop === undefined ? picture : { ...picture, loop })
      .find(({ id }) => id === "latency")!.description;
  assert.match(described(undefined), /counted from the intended send time/);
  assert.match(described("open"), /counted from the intended send time/);
  assert.match(described("closed"), /counted from the actual send;/);
});
