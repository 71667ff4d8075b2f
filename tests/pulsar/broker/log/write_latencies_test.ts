import assert from "node:assert/strict";
import { WriteLatencies } from "../../../../lib/pulsar/broker/log/write_latencies.ts";

Deno.test("WriteLatencies.add() counts every entry of a write in the bucket of its time, bounds included", () => {
  const latencies = new WriteLatencies();
  latencies.add(1000, 0.2);
  latencies.add(3, 0.5);
  latencies.add(2, 0.51);
  latencies.add(1, 1000);
  latencies.add(4, 5000);
  const counts = Object.fromEntries(latencies.buckets().filter(([, count]) => count > 0));
  assert.deepEqual(counts, { le_0_5: 1003, le_1: 2, le_1000: 1, overflow: 4 });
  assert.equal(latencies.count, 1010);
  assert.equal(latencies.sumMs, 200 + 1.5 + 1.02 + 1000 + 20_000);
});
