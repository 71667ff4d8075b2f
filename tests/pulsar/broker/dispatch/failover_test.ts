import assert from "node:assert/strict";
import { pickActive } from "../../../../lib/pulsar/broker/dispatch/failover.ts";

const consumer = (name: string, priority = 0) => ({ name, priority });

Deno.test("pickActive() spreads partitions over the names in order", () => {
  const candidates = [consumer("c"), consumer("a"), consumer("b")];
  const names = [0, 1, 2, 3, 4].map((partition) => pickActive(candidates, partition, "t")!.name);
  assert.deepEqual(names, ["a", "b", "c", "a", "b"]);
});

Deno.test("pickActive() looks at the best priority only", () => {
  const candidates = [consumer("a", 2), consumer("z", 1), consumer("y", 1)];
  const names = [0, 1, 2].map((partition) => pickActive(candidates, partition, "t")!.name);
  assert.deepEqual(names, ["y", "z", "y"]);
});

Deno.test("pickActive() compares names by their UTF-16 units, as Java does", () => {
  const candidates = [consumer("a"), consumer("Z")];
  assert.equal(pickActive(candidates, 0, "t")!.name, "Z");
});

Deno.test("pickActive() chooses as the recorded Pulsar did on a topic without partitions", () => {
  const candidates = [consumer("a-consumer"), consumer("b-consumer")];
  // python_consume_failover: consumer 0, named a-consumer, is the active one.
  assert.equal(
    pickActive(candidates, -1, "persistent://public/default/failover")!.name,
    "a-consumer",
  );
});

Deno.test("pickActive() moves few topics when a consumer joins", () => {
  const topics = Array.from({ length: 200 }, (_, i) => `persistent://public/default/t${i}`);
  const before = [consumer("a"), consumer("b"), consumer("c")];
  const after = [...before, consumer("d")];
  const moved = topics.filter((topic) => {
    const now = pickActive(after, -1, topic)!.name;
    return now !== "d" && now !== pickActive(before, -1, topic)!.name;
  });
  assert.equal(moved.length, 0);
});
