import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../../lib/base/mod.ts";
import {
  Progress,
  progressBar,
  progressLine,
  type ProgressState,
} from "../../../lib/report/mod.ts";

const STATE: ProgressState = {
  phase: "running",
  elapsedSec: 63,
  totalSec: 180,
  rateInPerSec: 50_012,
  rowsOut: 4_000,
  backlogMessages: 612,
  publishUsP99: 13_200,
};
const UNKNOWN: ProgressState = {
  phase: "starting",
  elapsedSec: 0,
  totalSec: 180,
  rateInPerSec: null,
  rowsOut: null,
  backlogMessages: null,
  publishUsP99: null,
};

Deno.test("progressBar() shows everything on a wide terminal", () => {
  assert.equal(
    progressBar(STATE, 120),
    "[##########------------------]  35%  in 50,012/s  rows 4,000  backlog 612  p99 13.2 ms  1m57s left",
  );
});

Deno.test("progressBar() drops what matters least first", () => {
  const shown = (columns: number) => {
    const line = progressBar(STATE, columns);
    return ["backlog", "p99", "rows", "left", "in 50"].filter((part) => line.includes(part));
  };
  assert.deepEqual(shown(90), ["backlog", "p99", "rows", "left", "in 50"]);
  assert.deepEqual(shown(70), ["p99", "rows", "left", "in 50"]);
  assert.deepEqual(shown(58), ["rows", "left", "in 50"]);
  assert.deepEqual(shown(45), ["left", "in 50"]);
  assert.deepEqual(shown(32), ["in 50"]);
  assert.deepEqual(shown(20), []);
});

Deno.test("progressBar() is one line that is narrower than the terminal", () => {
  const count = fc.option(fc.nat({ max: 1e9 }), { nil: null });
  const state: fc.Arbitrary<ProgressState> = fc.record({
    phase: fc.constantFrom("starting", "running", "draining", "verifying"),
    elapsedSec: fc.double({ min: 0, max: 1e6, noNaN: true }),
    totalSec: fc.double({ min: 0, max: 1e6, noNaN: true }),
    rateInPerSec: count,
    rowsOut: count,
    backlogMessages: count,
    publishUsP99: count,
  });
  fc.assert(
    fc.property(state, fc.integer({ min: 1, max: 250 }), (state, columns) => {
      const line = progressBar(state, columns);
      assert.ok(line.length < Math.max(columns, 1) || line === "", `${line.length} of ${columns}`);
      assert.doesNotMatch(line, /\n|NaN|undefined/);
    }),
    { seed: 21 },
  );
});

Deno.test("progressBar() and progressLine() show a dash for what is not known yet", () => {
  assert.match(
    progressBar(UNKNOWN, 120),
    /0% {2}in –\/s {2}rows – {2}backlog – {2}p99 – {2}starting$/,
  );
  assert.equal(progressLine(UNKNOWN), "starting  0/180 s  in –/s  rows –  backlog –  p99 –");
});

Deno.test("progressBar() is full when the load is through, and names what goes on", () => {
  const line = progressBar({ ...STATE, phase: "draining", elapsedSec: 190 }, 120);
  assert.match(line, /^\[#+\] 100% .*draining$/);
});

function printerOf(isTerminal: boolean) {
  const written: string[] = [];
  const clock = new FakeClock();
  const progress = new Progress({
    write: (text) => written.push(text),
    isTerminal,
    columns: () => 100,
    clock,
  });
  return { progress, clock, written };
}

Deno.test("Progress draws over one line on a terminal and gives the cursor back", () => {
  const { progress, written } = printerOf(true);
  {
    using live = progress;
    live.update(STATE);
    live.update(STATE);
    live.say("broker died");
  }
  progress[Symbol.dispose]();
  const line = progressBar(STATE, 100);
  assert.deepEqual(written, [
    `\x1b[?25l\r\x1b[2K${line}`,
    `\r\x1b[2K${line}`,
    `\r\x1b[2Kbroker died\n${line}`,
    "\r\x1b[2K\x1b[?25h",
  ]);
});

Deno.test("Progress writes a plain line every 5 s into a pipe", async () => {
  const { progress, clock, written } = printerOf(false);
  for (let second = 0; second <= 12; second++) {
    progress.update(STATE);
    if (second === 7) progress.say("broker died");
    await clock.advance(1000);
  }
  progress[Symbol.dispose]();
  const line = progressLine(STATE) + "\n";
  assert.deepEqual(written, [line, line, "broker died\n", line]);
  assert.ok(!written.join("").includes("\x1b"));
});

Deno.test("Progress that showed nothing writes nothing when it is disposed of", () => {
  const { progress, written } = printerOf(true);
  progress[Symbol.dispose]();
  assert.deepEqual(written, []);
});
