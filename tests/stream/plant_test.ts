import assert from "node:assert/strict";
import { parsePlant, plantedTimes } from "../../lib/stream/plant.ts";
import { TestProjection } from "../simulation/messages.ts";

Deno.test("parsePlant() reads kind, source and sequence; a source may hold colons", () => {
  assert.deepEqual(parsePlant("change:site:7:12"), {
    kind: "change",
    sourceName: "site:7",
    sequence: 12,
  });
});

Deno.test("parsePlant() refuses anything else with an example", () => {
  for (const text of ["", "drop", "drop:a", "lose:a:1", "drop:a:-1", "drop:a:1.5", "drop::1"]) {
    assert.throws(() => parsePlant(text), /expected drop, double or change.*drop:sensor-7:1234/);
  }
});

Deno.test("plantedTimes() touches its one message and no other", () => {
  const projection = new TestProjection();
  projection.sourceSlot = projection.slotOf("a");
  projection.sequence = 5;
  const plant = { sourceName: "a", sequence: 5 } as const;
  assert.equal(plantedTimes({ ...plant, kind: "drop" }, projection), 0);
  assert.equal(plantedTimes({ ...plant, kind: "double" }, projection), 2);
  assert.equal(plantedTimes({ ...plant, kind: "change" }, projection), 1);
  assert.equal(projection.measures[0], 1_000_000);
  assert.equal(plantedTimes({ ...plant, kind: "drop", sequence: 6 }, projection), 1);
  assert.equal(plantedTimes({ ...plant, kind: "drop", sourceName: "b" }, projection), 1);
});
