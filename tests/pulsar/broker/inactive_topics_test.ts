import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { InactiveTopics } from "../../../lib/pulsar/broker/inactive_topics.ts";
import { DEFAULT_POLICIES } from "../../../lib/pulsar/broker/policies/mod.ts";
import type { TopicPolicies } from "../../../lib/pulsar/broker/policies/mod.ts";
import type { Topic } from "../../../lib/pulsar/broker/topic.ts";
import { untilTrue } from "../../until_true.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";

const DELETING = { isDeletingInactive: true, inactiveMs: 60_000 } as const;
const CAUGHT_UP = { ...DELETING, inactiveMode: "delete_when_subscriptions_caught_up" } as const;

/** What is looked at of a topic; the test changes it. */
function scene(policies: Partial<TopicPolicies>) {
  const producers = new Set<string>();
  const subscriptions = new Map<string, { consumers: unknown[]; backlog(): { entries: number } }>();
  const topic = {
    producers,
    subscriptions,
    policies: () => ({ ...DEFAULT_POLICIES, ...policies }),
  } as unknown as Topic;
  const idle = new InactiveTopics();
  const isOverAt = (seconds: number) => idle.isOver(topic, seconds * 1e6);
  const subscribe = (name: string, entries: number, consumers: unknown[] = []) =>
    subscriptions.set(name, { consumers, backlog: () => ({ entries }) });
  return { producers, subscriptions, isOverAt, subscribe };
}

Deno.test("InactiveTopics leaves every topic where policies do not say otherwise", () => {
  const unset = scene({});
  const nonsense = scene({ ...DELETING, inactiveMode: undefined });
  for (const { isOverAt } of [unset, nonsense]) {
    assert.equal(isOverAt(0), false);
    assert.equal(isOverAt(1e6), false);
  }
});

Deno.test("InactiveTopics ends a topic that has had no producer and no subscription for its time, once", () => {
  const { producers, subscriptions, isOverAt, subscribe } = scene(DELETING);
  assert.deepEqual([0, 59].map(isOverAt), [false, false]);
  producers.add("somebody");
  assert.equal(isOverAt(60), false);
  producers.clear();
  assert.deepEqual([70, 129].map(isOverAt), [false, false]);
  subscribe("s", 0);
  assert.equal(isOverAt(130), false);
  subscriptions.clear();
  assert.deepEqual([140, 199, 200, 201].map(isOverAt), [false, false, true, false]);
});

Deno.test("InactiveTopics lets subscriptions go that have caught up where policies say so, but not from under a consumer", () => {
  const { isOverAt, subscribe } = scene(CAUGHT_UP);
  subscribe("s", 3);
  assert.deepEqual([0, 100].map(isOverAt), [false, false]);
  subscribe("s", 0, ["consumer"]);
  assert.deepEqual([200, 300].map(isOverAt), [false, false]);
  subscribe("s", 0);
  assert.equal(isOverAt(301), true);
});

Deno.test("InactiveTopics keeps a topic for as long as its messages are retained", () => {
  const forever = scene({ ...DELETING, retentionMs: -1 });
  assert.deepEqual([0, 1e6].map(forever.isOverAt), [false, false]);
  const hour = scene({ ...DELETING, retentionMs: 3600_000 });
  assert.deepEqual([0, 3599, 3600].map(hour.isOverAt), [false, false, true]);
});

Deno.test("the broker deletes topics that nobody uses, as a namespace's or a topic's policy says", async () => {
  const clock = new FakeClock();
  await using broker = await testBroker({ clock });
  const admin = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method, ...init });
    const text = await answer.text();
    return [answer.status, text === "" ? text : JSON.parse(text)];
  };
  const policy = {
    inactiveTopicDeleteMode: "delete_when_no_subscriptions",
    maxInactiveDurationSeconds: 10,
    deleteWhileInactive: true,
  };
  const path = "namespaces/public/default/inactiveTopicPolicies";
  const topicPath = "persistent/public/default/kept/inactiveTopicPolicies";
  assert.deepEqual(await admin("GET", path), [200, ""]);
  assert.deepEqual(await admin("POST", path, policy), [204, ""]);
  assert.deepEqual(await admin("GET", path), [200, policy]);
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("kept"), { producerId: 1, producerName: "a" });
  await client.produce(topicNamed("gone"), { producerId: 2, producerName: "b" });
  assert.deepEqual(await admin("GET", `${topicPath}?applied=true`), [200, policy]);
  const own = { ...policy, deleteWhileInactive: false };
  assert.deepEqual(await admin("POST", topicPath, own), [204, ""]);
  assert.deepEqual(await admin("GET", `${topicPath}?applied=true`), [200, own]);
  await client.request("CLOSE_PRODUCER", { producerId: 1 });
  await client.request("CLOSE_PRODUCER", { producerId: 2 });
  await clock.advance(10_000);
  const listed = async () => (await admin("GET", "persistent/public/default"))[1];
  assert.deepEqual((await listed()).length, 2);
  await clock.advance(2_000);
  await untilTrue("one of the topics is gone", async () => (await listed()).length === 1);
  assert.deepEqual(await listed(), [topicNamed("kept")]);
  assert.deepEqual(broker.lines, [`${topicNamed("gone")}: deleted, nobody used it`]);
  assert.deepEqual(await admin("DELETE", path), [204, ""]);
  assert.deepEqual(await admin("GET", path), [200, ""]);
});
