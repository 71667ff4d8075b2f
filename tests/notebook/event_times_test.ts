import assert from "node:assert/strict";
import { EventTimes } from "../../lib/notebook/event_times.ts";

const SETTINGS = { windowMs: 60_000, outOfOrdernessMs: 10_000, allowedLatenessMs: 0 };

function eventTimes(): EventTimes {
  const times = new EventTimes(SETTINGS, 2);
  times.add(0, 50_000, 1_000_000);
  times.add(0, 45_000, 1_000_100);
  times.add(0, 75_000, 1_000_200);
  times.add(0, 40_000, 1_000_300);
  times.add(1, 30_000, 1_000_400);
  return times;
}

Deno.test("counts() are those of the run's own settings", async () => {
  assert.deepEqual(await eventTimes().counts(), {
    messages: 5,
    outOfOrder: 1,
    late: 1,
    furthestBehindSec: 5,
    closedAfterSecMean: 15,
  });
});

Deno.test("replay() judges the same messages by another setting, and leaves the first untouched", async () => {
  const times = eventTimes();
  assert.equal((await times.replay({ outOfOrderness: "20s" })).late, 0);
  assert.equal((await times.replay({ allowedLateness: "1m" })).late, 0);
  assert.equal((await times.replay({ window: "2m" })).late, 0);
  assert.equal((await times.replay({})).late, 1);
  assert.equal((await times.counts()).messages, 5);
  await assert.rejects(times.replay({ outOfOrderness: "soon" }), RangeError);
});

Deno.test("picture() draws dots and watermarks, and says so where nothing has come", async () => {
  const empty = await new EventTimes(SETTINGS, 2).picture({ withPng: false });
  assert.match(empty["image/svg+xml"]!, /no data/);
  const { "image/svg+xml": svg, "image/png": png } = await eventTimes().picture();
  assert.match(svg!, />late<\/text>/);
  assert.match(svg!, />watermarks<\/text>/);
  assert.ok(!svg!.includes("quiet partition"), "one message against four is not quiet");
  assert.match(png!, /^iVBOR/);
});

Deno.test("picture() gives the quietest partition a line of its own", async () => {
  const times = eventTimes();
  for (let i = 0; i < 100; i++) times.add(0, 80_000 + 1000 * i, 1_000_500 + 10 * i);
  const { "image/svg+xml": svg } = await times.picture({ withPng: false });
  assert.match(svg!, />watermark of quiet partition 1<\/text>/);
});
