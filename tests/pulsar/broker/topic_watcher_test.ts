import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { TopicWatcher } from "../../../lib/pulsar/broker/topic_watcher.ts";
import type { TopicListChange } from "../../../lib/pulsar/broker/topic_watcher.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";

const GATHER_MS = 20;

function watching(topics: string[]) {
  const clock = new FakeClock();
  const changes: TopicListChange[] = [];
  const watcher = new TopicWatcher({
    namespace: "public/default",
    matches: (topic) => topic.startsWith("a"),
    topics,
    clock,
    changed: (change) => changes.push({ ...change, topics: new Set(change.topics) }),
  });
  return { clock, changes, watcher };
}

Deno.test("TopicWatcher tells what came and went together, and nothing that does not match", async () => {
  const { clock, changes, watcher } = watching(["a1", "b1"]);
  watcher.note("a2", true);
  watcher.note("b2", true);
  watcher.note("a1", false);
  await clock.advance(GATHER_MS);
  assert.deepEqual(changes, [{ added: ["a2"], removed: ["a1"], topics: new Set(["a2"]) }]);
  await clock.advance(1000);
  assert.equal(changes.length, 1);
});

Deno.test("TopicWatcher does not tell of a topic that came and went at once", async () => {
  const { clock, changes, watcher } = watching([]);
  watcher.note("a1", true);
  watcher.note("a1", false);
  await clock.advance(GATHER_MS);
  assert.deepEqual(changes, []);
});

Deno.test("TopicWatcher says nothing after its end", async () => {
  const { clock, changes, watcher } = watching([]);
  watcher.note("a1", true);
  watcher.close();
  await clock.advance(GATHER_MS);
  assert.deepEqual(changes, []);
});

Deno.test("WATCH_TOPIC_LIST tells the client of topics that come and go until it is closed", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const pattern = topicNamed("w-.*");
  const watch = { watcherId: 7, namespace: "public/default", topicsPattern: pattern };
  await client.produce(topicNamed("w-0"));
  const [started] = await client.request("WATCH_TOPIC_LIST", watch);
  assert(started?.type === "WATCH_TOPIC_LIST_SUCCESS");
  assert.deepEqual(started.body.topic, [topicNamed("w-0")]);

  await using other = await RawClient.connect(broker.port);
  await other.produce(topicNamed("w-1"));
  await other.produce(topicNamed("else"), { producerId: 1 });
  const update = await client.expect("WATCH_TOPIC_UPDATE");
  assert.deepEqual([update.watcherId, update.newTopics], [7, [topicNamed("w-1")]]);

  const { topicsHash } = update;
  const [again] = await client.request("WATCH_TOPIC_LIST", { ...watch, topicsHash });
  assert(again?.type === "WATCH_TOPIC_LIST_SUCCESS");
  // Who has the same list needs no list.
  assert.deepEqual([again.body.topic, again.body.topicsHash], [undefined, topicsHash]);

  await other.request("CLOSE_PRODUCER", { producerId: 0 });
  const path = "/admin/v2/persistent/public/default/w-1?force=true";
  await (await fetch(`${broker.adminUrl}${path}`, { method: "DELETE" })).body?.cancel();
  const gone = await client.expect("WATCH_TOPIC_UPDATE");
  assert.deepEqual(gone.deletedTopics, [topicNamed("w-1")]);

  const closed = await client.request("WATCH_TOPIC_LIST_CLOSE", { watcherId: 7 });
  assert.equal(closed.at(-1)!.type, "SUCCESS");
  await other.produce(topicNamed("w-2"), { producerId: 2 });
  assert.deepEqual(
    (await client.request("GET_TOPICS_OF_NAMESPACE", {
      namespace: "public/default",
      topicsPattern: pattern,
    })).map((one) => one.type),
    ["GET_TOPICS_OF_NAMESPACE_RESPONSE"],
  );
});

Deno.test("GET_TOPICS_OF_NAMESPACE filters, hashes and leaves out a list that is known", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("a"), { producerId: 0 });
  await client.produce(topicNamed("b"), { producerId: 1 });
  await client.produce(`non-${topicNamed("c")}`, { producerId: 2 });
  const get = async (more: { mode?: 0 | 1 | 2; topicsPattern?: string; topicsHash?: string }) => {
    const [answer] = await client.request("GET_TOPICS_OF_NAMESPACE", {
      namespace: "public/default",
      ...more,
    });
    assert(answer?.type === "GET_TOPICS_OF_NAMESPACE_RESPONSE");
    return answer.body;
  };
  const all = await get({});
  assert.deepEqual(all.topics, [topicNamed("a"), topicNamed("b")]);
  assert.deepEqual([all.filtered, all.changed], [false, true]);
  const known = await get({ topicsHash: all.topicsHash! });
  assert.deepEqual([known.topics, known.changed], [undefined, false]);
  const some = await get({ topicsPattern: "public/default/b" });
  assert.deepEqual([some.topics, some.filtered], [[topicNamed("b")], true]);
  assert.deepEqual((await get({ mode: 1 })).topics, [`non-${topicNamed("c")}`]);
  assert.equal((await get({ mode: 2 })).topics?.length, 3);
});
