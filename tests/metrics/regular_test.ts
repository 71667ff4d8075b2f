import assert from "node:assert/strict";
import {
  isRestart,
  METRIC,
  ratesPerSec,
  type Sample,
  type Scrape,
  spaced,
  timelineOf,
  withoutMisses,
} from "../../lib/metrics/mod.ts";

function scrape(values: Readonly<Record<string, number>>, buckets: Scrape["buckets"] = {}): Scrape {
  return { values, buckets };
}

function at(atMs: number, produce?: Scrape): Sample {
  return { atMs, roles: produce === undefined ? {} : { produce } };
}

Deno.test("spaced() leaves out samples that come too soon and keeps the last one", () => {
  const kept = (times: number[]) => spaced(times.map((atMs) => at(atMs))).map(({ atMs }) => atMs);
  assert.deepEqual(kept([0, 1000, 1100, 2000]), [0, 1000, 2000]);
  assert.deepEqual(kept([0, 1000, 1100]), [0, 1100]);
  assert.deepEqual(kept([0, 400, 800, 1200]), [0, 1200]);
  assert.deepEqual(kept([0, 100]), [0]);
  assert.deepEqual(kept([]), []);
});

Deno.test("isRestart() goes by the start of the process, else by a counter that fell", () => {
  const started = (sec: number, total: number) =>
    scrape({ [METRIC.processStart]: sec, n_total: total });
  assert.equal(isRestart(started(1, 5), started(1, 9)), false);
  assert.equal(isRestart(started(1, 5), started(2, 9)), true);
  assert.equal(isRestart(scrape({ n_total: 5 }), scrape({ n_total: 4 })), true);
  assert.equal(
    isRestart(scrape({ n_total: 5, gauge: 9 }), scrape({ n_total: 5, gauge: 1 })),
    false,
  );
  assert.equal(isRestart(scrape({ n_total: 5 }), scrape({})), false);
});

Deno.test("withoutMisses() draws a line over answers that were missed", () => {
  const filled = withoutMisses([
    at(0, scrape({ n_total: 0 }, { wait: [[1, 0], [Infinity, 0]] })),
    at(1000),
    at(2000),
    at(4000, scrape({ n_total: 400 }, { wait: [[1, 100], [Infinity, 200]] })),
  ]);
  assert.deepEqual(filled.map(({ roles }) => roles["produce"]?.values["n_total"]), [
    0,
    100,
    200,
    400,
  ]);
  assert.deepEqual(filled[1]!.roles["produce"]!.buckets["wait"], [[1, 25], [Infinity, 50]]);
  assert.deepEqual(ratesPerSec(filled, "produce", "n_total"), [null, 100, 100, 100]);
});

Deno.test("withoutMisses() leaves the gap of a process that died, and those at the ends", () => {
  const samples = [
    at(0),
    at(1000, scrape({ [METRIC.processStart]: 1, n_total: 100 })),
    at(2000),
    at(3000, scrape({ [METRIC.processStart]: 2, n_total: 150 })),
    at(4000),
  ];
  assert.deepEqual(withoutMisses(samples), samples);
});

Deno.test("ratesPerSec() takes all of a new process's count, even where it is above the old one's", () => {
  const samples = [
    at(0, scrape({ [METRIC.processStart]: 1, n_total: 100 })),
    at(1000, scrape({ [METRIC.processStart]: 2, n_total: 150 })),
  ];
  assert.deepEqual(ratesPerSec(samples, "produce", "n_total"), [null, 150]);
});

Deno.test("timelineOf() shows a frozen aggregator as no work and a growing backlog", () => {
  const sample = (atSec: number, acked: number, aggregated?: number): Sample => ({
    atMs: atSec * 1000,
    roles: {
      produce: scrape({ [METRIC.messagesAcknowledged]: acked }),
      ...(aggregated === undefined ? {} : {
        "aggregate-1": scrape({
          [METRIC.messagesAggregated]: aggregated,
          [METRIC.messagesAccounted]: aggregated,
        }),
      }),
    },
  });
  const timeline = timelineOf([
    sample(0, 0, 0),
    sample(1, 100, 100),
    sample(2, 200),
    sample(3, 300),
    sample(4, 400, 100),
    sample(5, 500, 500),
  ]);
  assert.deepEqual(timeline.aggregatedPerSec.map(([, value]) => value), [null, 100, 0, 0, 0, 400]);
  assert.deepEqual(timeline.backlogMessages.map(([, value]) => value), [0, 0, 100, 200, 300, 0]);
});
