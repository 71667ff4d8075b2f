import assert from "node:assert/strict";
import { marksOf } from "../../lib/notebook/run_picture.ts";
import type { ControlCommand, RunEvent } from "../../lib/run/mod.ts";

const DEATH = {
  role: "aggregate",
  name: "aggregate-1",
  atMs: 15_000,
  reason: "signal SIGKILL",
  readyAfterMs: 300,
  recoveryMs: 800,
} as const;

function event(atMs: number, command: ControlCommand, text: string): RunEvent {
  return { atMs, by: "control", command, text, refusal: null };
}

const KILL = { command: "inject", kind: "kill", role: "aggregate" } as const;

Deno.test("marksOf() makes one mark of a kill and the death that it brought", () => {
  const marks = marksOf([DEATH], [event(14_990, KILL, "kill aggregate")], 10_000);
  assert.deepEqual(marks, [
    { atSec: 5, untilSec: 5.8, label: "aggregate-1 killed", kind: "fault" },
  ]);
});

Deno.test("marksOf() joins a kill that waited for its place, however long", () => {
  const waiting = event(1000, { ...KILL, at: "after-insert" }, "kill aggregate after-insert");
  assert.deepEqual(marksOf([DEATH], [waiting], 10_000).map(({ label }) => label), [
    "aggregate-1 killed",
  ]);
  const old = event(1000, KILL, "kill aggregate");
  assert.equal(marksOf([DEATH], [old], 0).length, 2, "a kill long before is another one");
});

Deno.test("marksOf() marks what was done, shades what lasted, and leaves out what was refused", () => {
  const freeze = event(
    11_000,
    { command: "inject", kind: "freeze", role: "broker", forMs: 1400 },
    "freeze broker for 1.4 s",
  );
  const marks = marksOf([], [
    { ...freeze, untilMs: 12_400 },
    event(12_000, { command: "rate", messagesPerSec: 5 }, "rate 5/s"),
    { ...event(13_000, { command: "pause" }, "pause"), refusal: "no" },
  ], 10_000);
  assert.deepEqual(marks, [
    { atSec: 1, untilSec: 2.4, label: "freeze broker for 1.4 s", kind: "fault" },
    { atSec: 2, label: "rate 5/s", kind: "note" },
  ]);
});
