/** Readers and table views, against any broker. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import { schema } from "../../../lib/pulsar/mod.ts";
import {
  Behaviours,
  BreakableLine,
  eventually,
  numbered,
  produce,
  textsOf,
  UNBATCHED,
  WAIT_MS,
} from "./consumer_scene.ts";

/** Readers and table views, against any broker. */
export const readers = new Behaviours();
const { behaviour } = readers;

behaviour(
  "a reader reads from the earliest to the last message, and knows that it has",
  async ({ client, topic }) => {
    await produce(client, topic, numbered(5));
    await produce(client, topic, numbered(3, "n"), UNBATCHED);
    await using reader = await client.openReader({ topic, startMessageId: "earliest" });
    const seen: string[] = [];
    while (await reader.hasMessageAvailable()) {
      seen.push(textOf((await reader.readNext()).data));
    }
    assert.deepEqual(seen, [...numbered(5), ...numbered(3, "n")]);
    assert.equal(await reader.readNext({ timeoutMs: 100 }), undefined);
    await produce(client, topic, ["late"]);
    assert.equal(await reader.hasMessageAvailable(), true);
    assert.equal(textOf((await reader.readNext()).data), "late");
  },
);

behaviour(
  "a reader of an empty topic, or of the latest, has nothing available",
  async ({ client, topic }) => {
    await using empty = await client.openReader({ topic, startMessageId: "earliest" });
    assert.equal(await empty.hasMessageAvailable(), false);
    await produce(client, topic, numbered(2));
    await using latest = await client.openReader({ topic });
    assert.equal(await latest.hasMessageAvailable(), false);
    assert.equal(await empty.hasMessageAvailable(), true);
  },
);

for (
  const [what, batching] of [["in a batch", undefined], [
    "in an entry of its own",
    false,
  ]] as const
) {
  behaviour(`a reader begins behind or at a message ${what}`, async ({ client, topic }) => {
    const ids = await produce(
      client,
      topic,
      numbered(5),
      batching === undefined ? {} : { batching },
    );
    for (const [startMessageIdInclusive, first] of [[false, 3], [true, 2]] as const) {
      const options = { topic, startMessageId: ids[2]!, startMessageIdInclusive };
      await using reader = await client.openReader(options);
      assert.equal(await reader.hasMessageAvailable(), true);
      const messages = await reader.readBatch({ maxMessages: 5 - first, timeoutMs: WAIT_MS });
      assert.deepEqual(textsOf(messages), numbered(5).slice(first));
      assert.equal(await reader.hasMessageAvailable(), false);
    }
  });
}

behaviour(
  "a reader of the latest, inclusive, begins with the last message",
  async ({ client, topic }) => {
    await produce(client, topic, numbered(3));
    await using reader = await client.openReader({ topic, startMessageIdInclusive: true });
    assert.deepEqual(textsOf([(await reader.readNext({ timeoutMs: WAIT_MS }))!]), ["m2"]);
  },
);

behaviour(
  "a reader seeks, to an id and to a time, and reads on from there",
  async ({ client, topic }) => {
    const ids = await produce(client, topic, numbered(5), UNBATCHED);
    await using reader = await client.openReader({ topic, startMessageId: "earliest" });
    await reader.readBatch({ maxMessages: 5, timeoutMs: WAIT_MS });
    await reader.seek(ids[1]!);
    assert.equal(await reader.hasMessageAvailable(), true);
    const after = await reader.readBatch({ maxMessages: 3, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(after), ["m2", "m3", "m4"]);
    await reader.seek(0);
    const all = await reader.readBatch({ maxMessages: 5, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(all), numbered(5));
  },
);

behaviour(
  "a reader leaves no subscription behind, and does not hold one up",
  async ({ client, topic, admin }) => {
    await produce(client, topic, numbered(3));
    const reader = await client.openReader({ topic, startMessageId: "earliest" });
    await reader.readNext();
    assert.equal(Object.keys((await admin.topicStats(topic)).subscriptions).length, 1);
    await reader.close();
    await eventually("the subscription is gone", async () => {
      return Object.keys((await admin.topicStats(topic)).subscriptions).length === 0;
    });
  },
);

behaviour("a reader iterates until it is closed", async ({ client, topic }) => {
  await produce(client, topic, numbered(3));
  await using reader = await client.openReader({ topic, startMessageId: "earliest" });
  const seen: string[] = [];
  for await (const message of reader) {
    seen.push(textOf(message.data));
    if (seen.length === 3) void reader.close();
  }
  assert.deepEqual(seen, numbered(3));
});

behaviour("a reader reads all partitions", async ({ client, topic, admin }) => {
  await admin.createPartitionedTopic(topic, 3);
  await produce(client, topic, numbered(30), UNBATCHED);
  await using reader = await client.openReader({ topic, startMessageId: "earliest" });
  const seen: string[] = [];
  while (await reader.hasMessageAvailable()) {
    seen.push(textOf((await reader.readNext()).data));
  }
  assert.deepEqual(seen.sort(), numbered(30).sort());
});

behaviour(
  "a table view holds the newest value of each key, and hears of changes",
  async ({ client, topic }) => {
    const text = schema.string();
    await using producer = await client.openProducer({ topic, schema: text });
    const put = (key: string, value: string | null) => producer.send({ key, value });
    await Promise.all([put("a", "1"), put("b", "2"), put("a", "3"), put("c", "4"), put("c", null)]);
    await using view = await client.openTableView({ topic, schema: text });
    assert.deepEqual([...view].sort(), [["a", "3"], ["b", "2"]]);
    assert.equal(view.size, 2);
    const changes: string[] = [];
    const stop = view.forEachAndListen((key, value) => changes.push(`${key}=${value}`));
    await put("b", null);
    await put("d", "5");
    await view.refresh();
    assert.equal(view.get("b"), undefined);
    assert.equal(view.has("d"), true);
    assert.deepEqual(changes.sort(), ["a=3", "b=2", "b=undefined", "d=5"].sort());
    stop();
  },
);

behaviour(
  "of a compacted topic only the newest message of each key is read",
  async ({ client, topic, broker }) => {
    await using producer = await client.openProducer({ topic });
    const put = (key: string, text: string | null) =>
      producer.send({ key, value: text === null ? null : utf8(text) });
    await Promise.all([put("a", "1"), put("b", "2"), put("a", "3"), put("c", "4")]);
    await Promise.all([put("c", null), put("a", "5")]);
    const url = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/compaction`;
    const started = await fetch(url, { method: "PUT" });
    assert.equal(started.status, 204, await started.text());
    await eventually("the topic is compacted", async () => {
      const status = await (await fetch(url)).json();
      return status.status === "SUCCESS";
    });
    await put("d", "6");
    const options = { topic, startMessageId: "earliest", readCompacted: true } as const;
    await using reader = await client.openReader(options);
    const seen: string[] = [];
    while (await reader.hasMessageAvailable()) {
      const { key, data } = await reader.readNext();
      seen.push(`${key}=${textOf(data)}`);
    }
    assert.deepEqual(seen.sort(), ["a=5", "b=2", "d=6"]);
    await using view = await client.openTableView({ topic });
    const entries = [...view].map(([key, value]) => `${key}=${textOf(value)}`);
    assert.deepEqual(entries.sort(), ["a=5", "b=2", "d=6"]);
  },
);

for (const batching of [{ messagesMax: 7 }, false] as const) {
  const what = batching === false ? "single messages" : "batches";
  behaviour(
    `over connections that break, a reader reads ${what} once each, in order`,
    async ({ topic, broker }) => {
      const line = new BreakableLine();
      await using client = await line.connect(broker.serviceUrl);
      await using reader = await client.openReader({ topic, startMessageId: "earliest" });
      const texts = numbered(200);
      await produce(client, topic, texts, { batching });
      const seen: string[] = [];
      while (seen.length < texts.length) {
        const message = await reader.readNext({ timeoutMs: WAIT_MS });
        assert.ok(message !== undefined, `nothing came after ${seen.at(-1)}`);
        seen.push(textOf(message.data));
        if (seen.length % 30 === 29) line.breakAll();
      }
      assert.deepEqual(seen, texts);
      assert.equal(await reader.hasMessageAvailable(), false);
    },
  );
}
