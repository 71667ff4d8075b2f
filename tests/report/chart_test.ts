import assert from "node:assert/strict";
import { type ChartSpec, drawChart, type Points } from "../../lib/report/mod.ts";
import { pngOf } from "../../lib/report/mod.ts";
import { assertAbsent, assertSnapshot } from "./_snapshot.ts";

const POINTS: Points = [[0, 10_000], [1, 50_000], [2, null], [3, 49_000], [4, 51_000]];

function specOf(change: Partial<ChartSpec> = {}): ChartSpec {
  return {
    id: "rate",
    title: "Rate",
    description: "Messages per second.",
    yName: "messages/s",
    yUnit: "count",
    spanSec: 4,
    lines: [
      { name: "in", tone: "produce", points: POINTS, look: "area" },
      { name: "out", tone: "aggregate", points: POINTS },
    ],
    ...change,
  };
}

/** Letters that are shown, in the order of the drawing. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
}

Deno.test("drawChart() draws lines, marks and axes as in the snapshot", () => {
  const svg = drawChart(
    specOf({
      marks: [
        { atSec: 1.5, untilSec: 2.5, label: "broker killed", kind: "fault" },
        { atSec: 1.7, label: "raised batch size", kind: "note" },
      ],
    }),
    { theme: "light", withTitle: true, subtitle: "embedded broker" },
  );
  assertSnapshot("chart_light.snap", svg);
});

Deno.test("drawChart() draws for a phone and the page's theme as in the snapshot", () => {
  assertSnapshot("chart_page_narrow.snap", drawChart(specOf(), { theme: "page", size: "narrow" }));
});

Deno.test("drawChart() keeps a low chart as high as it is, whatever is marked on it", () => {
  const marks = [
    { atSec: 1, label: "rate 7,700/s", kind: "note" as const },
    { atSec: 1.1, label: "broker killed", kind: "fault" as const },
  ];
  const heightOf = (svg: string) => Number(/^<svg [^>]*? height="(\d+)"/.exec(svg)![1]);
  const low = { theme: "light", size: "low", withTitle: true } as const;
  const bare = drawChart(specOf(), low);
  const marked = drawChart(specOf({ marks }), low);
  assert.equal(heightOf(marked), heightOf(bare));
  assert.ok(textsOf(marked).includes("broker killed"));
  const below = drawChart(specOf({ marks }), { ...low, withMarkLabels: false });
  assert.ok(heightOf(below) < heightOf(bare));
  assert.ok(!textsOf(below).includes("broker killed"));
  // The lines of the marks are there all the same: dashed, as nothing else in this chart.
  const dashesOf = (svg: string) => svg.split("stroke-dasharray").length - 1;
  assert.equal(dashesOf(below), dashesOf(marked));
});

Deno.test("drawChart() marks no parts of what comes whole", () => {
  const points: Points = [[0, 0], [4, 0]];
  const texts = textsOf(drawChart(
    specOf({ lines: [{ name: "backlog", tone: "broker", points }] }),
    { theme: "light" },
  ));
  assert.ok(texts.includes("1"));
  assert.deepEqual(texts.filter((text) => /^\d+\.\d+$/.test(text)), []);
});

Deno.test("drawChart() draws the same text each time, with ids of its own", () => {
  const first = drawChart(specOf(), { theme: "light" });
  assert.equal(drawChart(specOf(), { theme: "light" }), first);
  const other = drawChart(specOf(), { theme: "light", id: "other" });
  const idsOf = (svg: string) => [...svg.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
  const ids = [...idsOf(first), ...idsOf(other)];
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(idsOf(other).every((id) => id.startsWith("other")), ids.join(" "));
  for (const [, id] of first.matchAll(/url\(#([^)]*)\)/g)) {
    assert.ok(idsOf(first).includes(id!), id);
  }
});

Deno.test("drawChart() leaves variables to a page and none to a file", () => {
  assert.match(drawChart(specOf(), { theme: "page" }), /var\(--weir-produce\)/);
  for (const theme of ["light", "dark"] as const) {
    assertAbsent(drawChart(specOf(), { theme, withTitle: true }), /var\(/);
  }
});

Deno.test("drawChart() says no data instead of drawing empty axes", () => {
  const empties: ChartSpec["lines"][] = [
    [],
    [{ name: "in", tone: "produce", points: [] }],
    [{ name: "in", tone: "produce", points: [[0, null], [1, null]] }],
  ];
  for (const lines of empties) {
    const svg = drawChart(specOf({ lines }), { theme: "light" });
    assert.deepEqual(textsOf(svg), ["no data: messages/s"]);
    assert.match(svg, /<desc[^>]*>Messages per second. No data.<\/desc>/);
  }
});

Deno.test("drawChart() shows a single value as a dot", () => {
  const dots = (points: Points) =>
    drawChart(specOf({ lines: [{ name: "in", tone: "produce", points }] }), { theme: "page" })
      .match(/<path d="M1 0A1 1[^>]*matrix\(3,0,0,3/g)?.length ?? 0;
  assert.equal(dots([[1, 5]]), 1);
  assert.equal(dots([[0, null], [1, 5], [2, null], [3, 6], [4, 7]]), 1);
  assert.equal(dots([[0, 4], [1, 5]]), 0);
});

Deno.test("drawChart() draws a run of no length", () => {
  const svg = drawChart(
    specOf({ spanSec: 0, lines: [{ name: "in", tone: "produce", points: [[0, 5]] }] }),
    {
      theme: "light",
    },
  );
  assertAbsent(svg, /NaN|Infinity/);
});

Deno.test("drawChart() draws zero at the lower end of a logarithmic axis", () => {
  const svg = drawChart(
    specOf({
      yScale: "log",
      yUnit: "milliseconds",
      lines: [{ name: "p99", tone: "produce", points: [[0, 0], [1, 5], [2, 500]] }],
    }),
    { theme: "light" },
  );
  assertAbsent(svg, /NaN|Infinity/);
  assert.ok(textsOf(svg).includes("10 µs"), textsOf(svg).join(" "));
});

Deno.test("drawChart() escapes names, labels, titles and what ECharts would take for a template", () => {
  const nasty = '<script>alert("1")</script>&{a}{b|c}';
  const svg = drawChart(
    specOf({
      title: nasty,
      description: nasty,
      yName: nasty,
      lines: [{ name: nasty, tone: "produce", points: POINTS }],
      marks: [{ atSec: 2, label: nasty, kind: "note" }],
    }),
    { theme: "light", withTitle: true, subtitle: nasty },
  );
  assertAbsent(svg, /<script/i);
  assert.ok(
    textsOf(svg).filter((text) => text.includes("{a}{b|c}")).length >= 4,
    textsOf(svg).join("\n"),
  );
});

Deno.test("drawChart() keeps a series of ten thousand points small, and its peak", () => {
  const points: Points = Array.from(
    { length: 10_000 },
    (_, i) => [i, i === 4_321 ? 99_000 : 50_000 + (i * 7919) % 500],
  );
  const svg = drawChart(
    specOf({ spanSec: 9_999, lines: [{ name: "in", tone: "produce", points }] }),
    { theme: "light" },
  );
  assert.ok(svg.length < 60_000, `${svg.length} bytes`);
  // The axis goes to 100k and the plot is that high: the peak is near the upper end, all else in the middle.
  const path = svg.match(/<path d="(M[^"]*)" fill="none" stroke="#0067ac"/)?.[1] ?? "";
  const heights = [...path.matchAll(/[ML ]?[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
  assert.ok(
    Math.min(...heights) < 60 && heights.filter((y) => y < 100).length <= 2,
    "the peak is gone",
  );
});

Deno.test("drawChart() makes a picture that is well-formed in every size and theme", async () => {
  for (const theme of ["light", "dark", "page"] as const) {
    for (const size of ["wide", "narrow"] as const) {
      const png = await pngOf(drawChart(specOf(), { theme, size }), 0.5);
      assert.deepEqual([...png.subarray(1, 4)], [0x50, 0x4e, 0x47]);
    }
  }
});
