import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { SubscriptionTimes } from "../../../lib/pulsar/broker/subscription_times.ts";
import type { Subscription } from "../../../lib/pulsar/broker/dispatch/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";

Deno.test("SubscriptionTimes.sample() notes what has moved since the second before", () => {
  const consumer = { messagesOut: 0, messagesAcked: 0, permitsGranted: 0 };
  const markDelete = { ledgerId: 1, entryId: -1 };
  const subscription = { consumers: [consumer], cursor: { markDelete } } as unknown as Subscription;
  const times = new SubscriptionTimes();
  const all = () => [times.flowMs, times.consumedMs, times.ackedMs, times.markDeleteMs];
  times.sample(subscription, 1000);
  assert.deepEqual(all(), [0, 0, 0, 0]);
  consumer.permitsGranted = 100;
  times.sample(subscription, 2000);
  consumer.messagesOut = 2;
  times.sample(subscription, 3000);
  consumer.messagesAcked = 1;
  times.sample(subscription, 4000);
  markDelete.entryId = 0;
  times.sample(subscription, 5000);
  times.sample(subscription, 6000);
  assert.deepEqual(all(), [2000, 3000, 4000, 5000]);
  // Who is gone takes its counters along: what was stays.
  Object.assign(consumer, { messagesOut: 0, messagesAcked: 0, permitsGranted: 0 });
  times.sample(subscription, 7000);
  assert.deepEqual(all(), [2000, 3000, 4000, 5000]);
});

Deno.test("a topic's statistics tell how old its backlog is, and when its subscription last moved", async () => {
  // Like a real clock not on a whole number, which statistics must be.
  const clock = new FakeClock(1_790_000_000_000.5);
  await using broker = await testBroker({ clock });
  await using client = await RawClient.connect(broker.port);
  const topic = topicNamed("t");
  const stats = async () => {
    const answer = await fetch(`${broker.adminUrl}/admin/v2/${topic.replace(":/", "")}/stats`);
    const { oldestBacklogMessageAgeSeconds, subscriptions } = await answer.json();
    return { oldestBacklogMessageAgeSeconds, ...subscriptions.sub };
  };
  await client.produce(topic);
  await client.subscribe(topic);
  assert.equal((await stats()).oldestBacklogMessageAgeSeconds, -1);
  await clock.advance(1000);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  // Its publish time is 1,000 ms after 1970.
  await client.publish(0, "x");
  const { body: { messageId } } = await client.message();
  assert.equal((await stats()).oldestBacklogMessageAgeSeconds, 1_790_000_000);
  await client.send("ACK", { consumerId: 0, ackType: 0, messageId: [messageId] });
  await client.caughtUp();
  await clock.advance(1000);
  const after = await stats();
  assert.equal(after.oldestBacklogMessageAgeSeconds, -1);
  const seen = [after.lastConsumedFlowTimestamp, after.lastConsumedTimestamp];
  const done = [after.lastAckedTimestamp, after.lastMarkDeleteAdvancedTimestamp];
  assert.deepEqual([...seen, ...done], Array(4).fill(1_790_000_002_000));
});
