import assert from "node:assert/strict";
import { COMPACTION_SUBSCRIPTION } from "../../../lib/pulsar/broker/compaction.ts";
import { expireByPolicy, expiredOf } from "../../../lib/pulsar/broker/expiry.ts";
import { HandProducer, openTopicOn } from "./_topic.ts";

Deno.test("expireByPolicy() takes what is too old from durable subscriptions, and nothing from what is not compacted yet", async () => {
  const { topic, clock } = await openTopicOn(undefined, { policies: { messageTtlMs: 60_000 } });
  const { beforeFirst } = topic.log;
  const markDelete = () => beforeFirst;
  const durable = topic.subscribe("s", { isDurable: true, markDelete });
  const reader = topic.subscribe("reader", { isDurable: false, markDelete });
  const compaction = topic.compactionSubscription();
  assert.equal(compaction.name, COMPACTION_SUBSCRIPTION);
  const hand = new HandProducer(topic);
  const nowMs = clock.wallMs();
  for (const [i, ageMs] of [60_001, 60_000, 59_999].entries()) {
    hand.send(i, { publishTimeMs: nowMs - ageMs });
    topic.flush();
  }
  expireByPolicy(topic, nowMs);
  assert.equal(durable.backlog().entries, 2);
  assert.deepEqual(expiredOf(durable), { entries: 1, lastAtMs: nowMs });
  assert.deepEqual(compaction.cursor.markDelete, beforeFirst);
  assert.deepEqual(reader.cursor.markDelete, beforeFirst);
  await topic.close();
});
