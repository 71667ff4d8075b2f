import assert from "node:assert/strict";
import { systemDisk } from "../../lib/base/mod.ts";
import {
  appendDeath,
  appendEvent,
  readDeaths,
  readEvents,
  type RunEvent,
} from "../../lib/run/events.ts";

function event(atMs: number, text: string): RunEvent {
  return { atMs, by: "control", command: { command: "note", text }, text, refusal: null };
}

Deno.test("readEvents() gives what was appended, in order, without a torn last line", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/events.jsonl`;
    assert.deepEqual(readEvents(systemDisk, path), []);
    const events = [event(1, "one"), { ...event(2, "two"), untilMs: 5, refusal: "no" }];
    events.forEach((one) => appendEvent(systemDisk, path, one));
    Deno.writeTextFileSync(path, '{"atMs":3,"by":"con', { append: true });
    assert.deepEqual(readEvents(systemDisk, path), events);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("readDeaths() gives the newest that is known of each death, apart from the events", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/events.jsonl`;
    assert.deepEqual(readDeaths(systemDisk, path), []);
    const death = (name: string, atMs: number, recoveryMs: number | null) => ({
      role: "aggregate" as const,
      name,
      atMs,
      reason: "signal SIGKILL",
      readyAfterMs: recoveryMs,
      recoveryMs,
    });
    appendDeath(systemDisk, path, 11, death("aggregate-1", 10, null));
    appendEvent(systemDisk, path, event(12, "note"));
    appendDeath(systemDisk, path, 13, death("aggregate-2", 12, null));
    appendDeath(systemDisk, path, 14, death("aggregate-1", 10, 400));
    appendDeath(systemDisk, path, 31, death("aggregate-1", 30, null));
    assert.deepEqual(readDeaths(systemDisk, path), [
      death("aggregate-1", 10, 400),
      death("aggregate-2", 12, null),
      death("aggregate-1", 30, null),
    ]);
    assert.deepEqual(readEvents(systemDisk, path), [event(12, "note")]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
