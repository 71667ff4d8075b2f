import assert from "node:assert/strict";
import { parseTimedCommand } from "../../lib/scenarios/timed_fault.ts";

Deno.test("parseTimedCommand() reads each form", () => {
  const inject = { command: "inject" } as const;
  const forms = {
    "kill aggregate-2 at 30s": [30_000, { ...inject, kind: "kill", role: "aggregate-2" }],
    "kill aggregate after-checkpoint at 1m30s": [90_000, {
      ...inject,
      kind: "kill",
      role: "aggregate",
      at: "after-checkpoint",
    }],
    "freeze  broker for 1.4s at 10s": [10_000, {
      ...inject,
      kind: "freeze",
      role: "broker",
      forMs: 1400,
    }],
    "cut produce at 0": [0, { ...inject, kind: "cut", role: "produce" }],
    "rate 80k at 1m": [60_000, { command: "rate", messagesPerSec: 80_000 }],
    "rate 0 at 5s": [5000, { command: "rate", messagesPerSec: 0 }],
    "pause at 5s": [5000, { command: "pause" }],
    "stop at 5s": [5000, { command: "stop" }],
  } as const;
  for (const [text, [atMs, command]] of Object.entries(forms)) {
    assert.deepEqual(parseTimedCommand(text), { atMs, command }, text);
  }
});

Deno.test("parseTimedCommand() refuses everything else with an example", () => {
  const wrong = [
    "",
    "kill",
    "kill aggregate",
    "kill aggregate at soon",
    "kill dog at 1s",
    "kill broker after-insert at 1s",
    "freeze broker at 1s",
    "freeze broker for 1h at 1s",
    "kill broker for 2s at 1s",
    "rate fast at 1s",
    "note hello at 1s",
  ];
  for (const text of wrong) {
    assert.throws(() => parseTimedCommand(text), /Cannot read fault .*expected e\.g\./, text);
  }
});
