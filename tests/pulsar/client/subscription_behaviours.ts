/** Types of subscriptions, where they begin, and seeking, against any broker. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import {
  type Consumer,
  type ConsumerOptions,
  MessageId,
  PulsarError,
} from "../../../lib/pulsar/mod.ts";
import {
  assertQuiet,
  Behaviours,
  EXCLUSIVE,
  nextMs,
  numbered,
  produce,
  SHARED,
  take,
  textsOf,
  UNBATCHED,
} from "./consumer_scene.ts";

/** Types of subscriptions, where they begin, and seeking, against any broker. */
export const subscriptions = new Behaviours();
const { behaviour } = subscriptions;

behaviour(
  "shared consumers share messages out, and one that goes leaves its own to the other",
  async ({ client, topic }) => {
    const options = { topic, ...SHARED, receiverQueueSize: 10 };
    await using first = await client.openConsumer(options);
    const second = await client.openConsumer(options);
    await produce(client, topic, numbered(20), UNBATCHED);
    const firsts = await take(first, 10);
    assert.equal((await take(second, 10)).length, 10);
    await first.acknowledge(firsts);
    await second.close();
    const rest = await take(first, 10);
    const all = new Set([...textsOf(firsts), ...textsOf(rest)]);
    assert.equal(all.size, 20);
  },
);

behaviour(
  "key_shared consumers get the messages of a key in order, each key at one consumer",
  async ({ client, topic }) => {
    const options = { topic, subscription: "k", subscriptionType: "key_shared" } as const;
    await using first = await client.openConsumer(options);
    await using second = await client.openConsumer(options);
    await using producer = await client.openProducer({ topic, batching: { by: "key" } });
    const count = 200;
    for (let i = 0; i < count; i++) {
      void producer.send({ value: utf8(`${i % 20}:${i}`), key: `key-${i % 20}` });
    }
    await producer.flush();
    const owner = new Map<string, number>();
    let received = 0;
    const read = async (consumer: Consumer, index: number) => {
      const last = new Map<string, number>();
      while (received < count) {
        const message = await consumer.receive({ timeoutMs: 500 });
        if (message === undefined) continue;
        received++;
        const [key, number] = textOf(message.data).split(":");
        assert.equal(owner.get(key!) ?? index, index, "a key at two consumers");
        owner.set(key!, index);
        assert.ok((last.get(key!) ?? -1) < Number(number), "out of order");
        last.set(key!, Number(number));
        await consumer.acknowledge(message);
      }
    };
    await Promise.all([read(first, 0), read(second, 1)]);
    assert.equal(new Set(owner.values()).size, 2, "one consumer got nothing");
  },
);

behaviour("a sticky key_shared consumer gets its ranges", async ({ client, topic }) => {
  const options = { topic, subscription: "k", subscriptionType: "key_shared" } as const;
  const half = (start: number, end: number): Partial<ConsumerOptions> => ({
    keySharedPolicy: { mode: "sticky", ranges: [{ start, end }] },
  });
  await using low = await client.openConsumer({ ...options, ...half(0, 32_767) });
  await using high = await client.openConsumer({ ...options, ...half(32_768, 65_535) });
  await using producer = await client.openProducer({ topic, ...UNBATCHED });
  for (const key of numbered(40, "key")) await producer.send({ value: utf8(key), key });
  const [lows, highs] = await Promise.all(
    [low, high].map((consumer) => consumer.batchReceive({ timeoutMs: 1000 })),
  );
  assert.equal(lows!.length + highs!.length, 40);
  assert.ok(lows!.length > 5 && highs!.length > 5);
});

behaviour("a second exclusive consumer is refused at once", async ({ client, topic }) => {
  await using _first = await client.openConsumer({ topic, ...EXCLUSIVE });
  await assert.rejects(
    client.openConsumer({ topic, ...EXCLUSIVE }),
    (error) => error instanceof PulsarError && error.code === "consumer_busy",
  );
});

behaviour("a failover consumer takes over, and hears of it", async ({ client, topic, admin }) => {
  // Of partition 0 the first by name is active; of a topic without partitions, one by the hash of its name.
  await admin.createPartitionedTopic(topic, 1);
  const events: string[] = [];
  const options = (consumerName: string): ConsumerOptions => ({
    topic,
    subscription: "f",
    subscriptionType: "failover",
    consumerName,
    activeChanged: (isActive) => void events.push(`${consumerName} ${isActive}`),
  });
  const first = await client.openConsumer(options("a"));
  await using second = await client.openConsumer(options("b"));
  await produce(client, topic, numbered(2), UNBATCHED);
  const [message] = await take(first, 2);
  await first.acknowledge(message!);
  await first.close();
  assert.deepEqual(textsOf(await take(second, 1)), ["m1"]);
  assert.ok(events.includes("b true"), events.join());
});

behaviour(
  "a new subscription begins at the latest message, or at the earliest if told so",
  async ({ client, topic }) => {
    await produce(client, topic, ["old"]);
    await using latest = await client.openConsumer({ topic, subscription: "l" });
    await using earliest = await client.openConsumer({ topic, ...EXCLUSIVE, subscription: "e" });
    await produce(client, topic, ["new"]);
    assert.deepEqual(textsOf(await take(latest, 1)), ["new"]);
    assert.deepEqual(textsOf(await take(earliest, 2)), ["old", "new"]);
  },
);

behaviour(
  "seek() goes to an id, leaving it out or not, to the ends, and to a time",
  async ({ client, topic }) => {
    await using behind = await client.openConsumer({ topic, ...EXCLUSIVE, subscription: "x" });
    await using at = await client.openConsumer({
      topic,
      ...EXCLUSIVE,
      subscription: "y",
      startMessageIdInclusive: true,
    });
    await produce(client, topic, numbered(3), UNBATCHED);
    const betweenMs = await nextMs();
    await produce(client, topic, numbered(3, "n"), UNBATCHED);
    const { id } = (await take(behind, 6))[1]!;
    await take(at, 6);
    await behind.seek(id);
    assert.deepEqual(textsOf(await take(behind, 4)), ["m2", "n0", "n1", "n2"]);
    await at.seek(id);
    assert.deepEqual(textsOf(await take(at, 5)), ["m1", "m2", "n0", "n1", "n2"]);
    await at.seek(MessageId.earliest);
    assert.deepEqual(textsOf(await take(at, 6)), [...numbered(3), ...numbered(3, "n")]);
    await at.seek(betweenMs);
    assert.deepEqual(textsOf(await take(at, 3)), numbered(3, "n"));
    await behind.seek(MessageId.latest);
    await assertQuiet(behind);
    await produce(client, topic, ["last"]);
    assert.deepEqual(textsOf(await take(behind, 1)), ["last"]);
  },
);

behaviour("seek() into a batch begins at the message", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
  await produce(client, topic, numbered(5));
  const messages = await take(consumer, 5);
  await consumer.seek(messages[2]!.id);
  assert.deepEqual(textsOf(await take(consumer, 2)), ["m3", "m4"]);
  await assertQuiet(consumer);
});

behaviour(
  "after a seek the skipped message does not hold the cursor back",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(4), UNBATCHED);
    const messages = await take(consumer, 4);
    await consumer.seek(messages[1]!.id);
    await consumer.acknowledge(await take(consumer, 2));
    await consumer.close();
    await using again = await client.openConsumer({ topic, ...EXCLUSIVE });
    await assertQuiet(again);
  },
);
