import assert from "node:assert/strict";
import {
  drawEventTimes,
  type EventDot,
  type EventTimeSpec,
} from "../../lib/report/event_time_chart.ts";
import { assertSnapshot } from "./_snapshot.ts";

const dots = Array.from({ length: 120 }, (_, i): EventDot => {
  const atSec = i / 6;
  if (i > 20 && i % 9 === 0) return [atSec, atSec - 4.5, "late"];
  return i % 3 === 1 ? [atSec, atSec - 0.3, "out of order"] : [atSec, atSec, "on time"];
});
const own = dots.filter(([, , one]) => one === "on time")
  .map(([at, event]): [number, number] => [at, event - 1]);
const SPEC: EventTimeSpec = {
  id: "event-time",
  title: "Event time",
  description: "Event time over wall time.",
  windowsName: "windows of 60 s",
  dots,
  watermarks: [
    {
      name: "watermarks",
      tone: "ink",
      points: own,
    },
    {
      name: "watermark of quiet partition 3",
      tone: "broker",
      points: [[1, 0], [6, 5], [14, 13], [20, 13]],
    },
  ],
  spanSec: 20,
};

Deno.test("drawEventTimes() draws as in the snapshot", () => {
  const svg = drawEventTimes(SPEC, { theme: "light", withTitle: true, subtitle: "on a subtitle" });
  assertSnapshot("event_time_light.snap", svg);
});

Deno.test("drawEventTimes() draws each dot once, in its own colour, and names each line once", () => {
  const svg = drawEventTimes(
    { ...SPEC, watermarks: [SPEC.watermarks[0]!, SPEC.watermarks[0]!] },
    { theme: "light" },
  );
  const drawn = (tone: string) =>
    svg.split(new RegExp(`fill="${tone}" fill-opacity="0.75"`)).length - 1;
  const planned = (timeliness: string) => dots.filter(([, , one]) => one === timeliness).length;
  // One more each: the legend has its own.
  assert.equal(drawn("#0067ac"), planned("on time") + 1);
  assert.equal(drawn("#00734f"), planned("out of order") + 1);
  assert.equal(drawn("#b3141d"), planned("late") + 1);
  assert.equal(svg.split(">watermarks<").length - 1, 1);
});

Deno.test("drawEventTimes() says no data where no message has come", () => {
  const svg = drawEventTimes({ ...SPEC, dots: [], watermarks: [] }, { theme: "light" });
  assert.match(svg, /no data: messages/);
});

Deno.test("drawEventTimes() numbers windows from below zero, with the time axis at the bottom", () => {
  const low: EventDot[] = [[0, 0.2, "on time"], [1, -1.5, "late"]];
  const svg = drawEventTimes({ ...SPEC, dots: low, watermarks: [], spanSec: 1 }, {
    theme: "light",
  });
  assert.match(svg, />-2<\/text>/);
});

Deno.test("drawEventTimes() leaves room between title and subtitle", () => {
  const svg = drawEventTimes(SPEC, { theme: "light", withTitle: true, subtitle: "on a subtitle" });
  const topOf = (text: string) =>
    Number(new RegExp(`y="([\\d.]+)"[^>]*>${text}</text>`).exec(svg)![1]);
  assert.ok(topOf("on a subtitle") - topOf("Event time") >= 17, "lines as high as their letters");
});
