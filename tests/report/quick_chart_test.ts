import assert from "node:assert/strict";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { binsOf, histogramOf } from "../../lib/report/histogram_chart.ts";
import { PALETTE } from "../../lib/report/palette.ts";
import { chartOf } from "../../lib/report/quick_chart.ts";
import { stackSvgs } from "../../lib/report/stack.ts";

Deno.test("chartOf() draws each column of numbers over the first, 64-bit integers as text too", async () => {
  const rows = [
    { window_start: "2026-11-21 06:14:00", messages: "5000", late: 1, note: "a" },
    { window_start: "2026-11-21 06:15:00", messages: "6000", late: 2, note: "b" },
  ];
  const picture = await chartOf(rows, { title: "Messages" });
  assert.equal(picture["text/plain"], "Messages: messages, late over window_start, 2 rows.");
  const svg = picture["image/svg+xml"]!;
  for (const text of ["Messages", "messages", "late", "window_start (UTC)", "06:15"]) {
    assert.ok(svg.includes(text), text);
  }
  assert.ok(picture["image/png"]!.length > 1000);
});

Deno.test("chartOf() draws names as bars, and says so when there is nothing", async () => {
  const bars = await chartOf([{ source: "a", n: 2 }, { source: "b", n: 3 }]);
  assert.match(bars["image/svg+xml"]!, />b<\/text>/);
  assert.match((await chartOf([], { title: "Empty" }))["text/plain"], /No rows/);
});

Deno.test("chartOf() names the columns that there are when one is asked for that is not", async () => {
  await assert.rejects(chartOf([{ a: 1, b: 2 }], { y: "c" }), /"c": expected a, b/);
  await assert.rejects(chartOf([{ a: "x", b: "y" }]), /no column but "a" holds numbers/);
});

Deno.test("binsOf() counts each value once, at its edges too", () => {
  assert.deepEqual(binsOf([0, 1, 1, 2, 3, 4], [0, 1, 2, 4]).counts, [3, 1, 2]);
  const histogram = new LatencyHistogram();
  histogram.record(500, 10);
  histogram.record(50_000, 3);
  histogram.record(1_400_000, 2);
  const { counts } = binsOf(histogram, [0.4, 1, 100, 1400]);
  assert.deepEqual(counts, [10, 3, 2]);
});

Deno.test("histogramOf() draws a panel for each set that has values", async () => {
  const histogram = new LatencyHistogram();
  for (let us = 100; us < 100_000; us *= 1.1) histogram.record(us, 5);
  const both = await histogramOf({ open: histogram, closed: histogram, none: [] }, { title: "T" });
  assert.match(both["image/svg+xml"]!, />open<\/text>[^]*>closed<\/text>/);
  assert.doesNotMatch(both["image/svg+xml"]!, />none</);
  assert.equal((await histogramOf([], { title: "T" }))["text/plain"], "T: no values");
});

Deno.test("stackSvgs() puts drawings under one another", () => {
  const svg = (height: number) =>
    `<svg id="a" width="10" height="${height}" viewBox="0 0 1 1"></svg>`;
  const stacked = stackSvgs([svg(20), svg(30)]);
  assert.match(stacked, /^<svg [^>]*width="10" height="50"/);
  assert.match(stacked, /<svg y="20" id="a"/);
  assert.throws(() => stackSvgs(["<svg></svg>"]), /does not say its size/);
});

/** The colours of roles that bars are filled with, in the order of drawing. */
async function barColors(row: Readonly<Record<string, unknown>>): Promise<string[]> {
  const svg = (await chartOf([row, row]))["image/svg+xml"]!;
  const fills = [...svg.matchAll(/fill="(#[0-9a-f]{6})"/g)].map(([, color]) => color!);
  const tones = [PALETTE.produce, PALETTE.broker, PALETTE.aggregate, PALETTE.clickhouse];
  const known = new Set<string>(tones.map(({ light }) => light));
  return [...new Set(fills.filter((color) => known.has(color)))];
}

Deno.test("chartOf() draws columns named after roles in the colours of the roles", async () => {
  assert.deepEqual(await barColors({ batch: "small", broker: 1, clickhouse: 2 }), [
    PALETTE.broker.light,
    PALETTE.clickhouse.light,
  ]);
});

Deno.test("chartOf() gives other columns the colours that no role has taken", async () => {
  assert.deepEqual(await barColors({ batch: "small", other: 1, produce: 2 }), [
    PALETTE.aggregate.light,
    PALETTE.produce.light,
  ]);
});
