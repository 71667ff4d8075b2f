/** The same random histories on a real Pulsar and on the embedded broker: consumers must see the same. */
import assert from "node:assert/strict";
import { seededRandom } from "../../lib/base/mod.ts";
import { HistoryRunner, randomHistory } from "./dispatch_history.ts";
import type { HistoryKind } from "./dispatch_history.ts";
import { EmbeddedBroker } from "./embedded.ts";
import { freshTopic, interopServers } from "./harness.ts";

const SEEDS = [1, 2, 3];
const STEPS: readonly (readonly [HistoryKind, number])[] = [
  ["Exclusive", 40],
  ["Shared", 40],
  ["Key_Shared", 40],
  // After each step a second must pass, so that a consumer that takes over is served.
  ["Failover", 12],
];

const broker = await EmbeddedBroker.start();

for (const [kind, length] of STEPS) {
  for (const seed of SEEDS) {
    Deno.test(`consumers of a ${kind} subscription see the same of both brokers, seed ${seed}`, async () => {
      const history = randomHistory(seededRandom(seed), length);
      const topic = freshTopic("history");
      const urls = [interopServers().plain.serviceUrl, broker.serviceUrl];
      const [real, embedded] = await Promise.all(
        urls.map((serviceUrl) => new HistoryRunner(serviceUrl, kind, topic).run(history)),
      );
      assert.deepEqual(embedded, real);
    });
  }
}

Deno.test("the embedded broker of the histories ends", async () => {
  await broker[Symbol.asyncDispose]();
});
