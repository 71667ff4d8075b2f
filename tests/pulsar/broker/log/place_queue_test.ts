import assert from "node:assert/strict";
import fc from "fast-check";
import { entryAt, ledgerAt, NOWHERE, placeOf } from "../../../../lib/pulsar/broker/log/place.ts";
import { PlaceQueue } from "../../../../lib/pulsar/broker/log/place_queue.ts";

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("add", "addAll", "remove", "removeAt", "removeFirst"),
    place: fc.nat(200),
    many: fc.array(fc.nat(200), { maxLength: 20 }),
  }),
  { maxLength: 60, size: "max" },
);

Deno.test("PlaceQueue holds what a sorted set holds", () => {
  fc.assert(
    fc.property(steps, (actions) => {
      const queue = new PlaceQueue();
      let model: number[] = [];
      const take = (index: number) => {
        if (index >= model.length) return;
        queue.removeAt(index);
        model.splice(index, 1);
      };
      for (const { kind, place, many } of actions) {
        if (kind === "add") queue.add(place);
        if (kind === "addAll") queue.addAll(many);
        const added = kind === "add" ? [place] : kind === "addAll" ? many : [];
        model = [...new Set([...model, ...added])].sort((a, b) => a - b);
        if (kind === "removeFirst") take(0);
        if (kind === "removeAt") take(place % 7);
        if (kind === "remove") {
          assert.equal(queue.remove(place), model.includes(place));
          model = model.filter((one) => one !== place);
        }
        assert.deepEqual(queue.places(), model);
        assert.equal(queue.size, model.length);
        assert.equal(queue.at(2), model[2]);
      }
    }),
    { seed: 5, numRuns: 1000 },
  );
});

Deno.test("PlaceQueue gives up the memory of what was taken from its front", () => {
  const queue = new PlaceQueue();
  queue.addAll(Array.from({ length: 5000 }, (_, i) => i));
  for (let i = 0; i < 4000; i++) queue.removeAt(0);
  assert.deepEqual([queue.size, queue.at(0), queue.at(999)], [1000, 4000, 4999]);
});

Deno.test("placeOf() sorts as positions do, and knows what no entry can be", () => {
  for (const [ledgerId, entryId] of [[0, 0], [0, 7], [3, 2 ** 27 - 1], [4, 0]] as const) {
    const place = placeOf(ledgerId, entryId);
    assert.deepEqual([ledgerAt(place), entryAt(place)], [ledgerId, entryId]);
  }
  assert(placeOf(3, 2 ** 27 - 1) < placeOf(4, 0));
  for (
    const [ledgerId, entryId] of [[-1, -1], [1, 2 ** 27], [Infinity, 0], [1, Infinity]] as const
  ) {
    assert.equal(placeOf(ledgerId, entryId), NOWHERE);
  }
});
