import assert from "node:assert/strict";
import { systemDisk } from "../../lib/base/mod.ts";
import { appendEvent, readEvents, type RunEvent } from "../../lib/run/events.ts";

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
