/** What consumers, readers and table views do with a broker: the same tests against the embedded broker and, from tests/interop, a real Pulsar. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import {
  connectPulsar,
  type Consumer,
  type ConsumerOptions,
  type Message,
  MessageId,
  multiplierBackoff,
  type OpenTransport,
  type ProducerOptions,
  PulsarAdmin,
  type PulsarClient,
  PulsarError,
  schema,
  systemTransport,
  type Transport,
} from "../../../lib/pulsar/mod.ts";

/** The broker under test. */
export interface BrokerUnderTest {
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

/** A broker, a client of it and an admin, for one test. */
interface Scene {
  readonly client: PulsarClient;
  readonly admin: PulsarAdmin;
  readonly broker: BrokerUnderTest;
  /** A topic that no other test uses. */
  readonly topic: string;
}

/** Patience where something must not come. */
const QUIET_MS = 400;
/** Patience where something must come. */
const WAIT_MS = 15_000;

const UNBATCHED = { batching: false } as const;

function textsOf(messages: readonly Message<unknown>[]): string[] {
  return messages.map(({ data }) => textOf(data));
}

async function produce(
  client: PulsarClient,
  topic: string,
  texts: readonly string[],
  options: Partial<ProducerOptions> = {},
): Promise<MessageId[]> {
  await using producer = await client.openProducer({ topic, ...options });
  const sent = texts.map((text) => producer.send({ value: utf8(text) }));
  await producer.flush();
  return await Promise.all(sent);
}

function numbered(count: number, prefix = "m"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Receives so many messages, or as many as come. */
async function take<T>(consumer: Consumer<T>, count: number): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  while (messages.length < count) {
    const message = await consumer.receive({ timeoutMs: WAIT_MS });
    if (message === undefined) break;
    messages.push(message);
  }
  return messages;
}

async function assertQuiet(consumer: Consumer<unknown>): Promise<void> {
  const message = await consumer.receive({ timeoutMs: QUIET_MS });
  assert.equal(message, undefined, message === undefined ? "" : textOf(message.data));
}

async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < WAIT_MS / 20; i++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`never came true: ${what}`);
}

const SHARED = {
  subscription: "s",
  subscriptionType: "shared",
  initialPosition: "earliest",
} as const;
const EXCLUSIVE = { subscription: "s", initialPosition: "earliest" } as const;

/** Registers the tests for one broker. */
export function consumerContract(name: string, brokerOf: () => Promise<BrokerUnderTest>): void {
  function test(behaviour: string, run: (scene: Scene) => Promise<void>): void {
    Deno.test(`consumer × ${name}: ${behaviour}`, async () => {
      const broker = await brokerOf();
      const backoff = { initialMs: 20, maxMs: 200 };
      await using client = await connectPulsar({ serviceUrl: broker.serviceUrl, backoff });
      const admin = new PulsarAdmin({ adminUrl: broker.adminUrl });
      const topic = `persistent://public/default/t-${crypto.randomUUID().slice(0, 8)}`;
      await run({ client, admin, broker, topic });
    });
  }

  test("a message carries everything that its producer gave it", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await using producer = await client.openProducer({ topic, producerName: "till" });
    const orderingKey = utf8("order");
    const properties = { a: "1", ü: "ö" };
    const message = { value: utf8("hello"), key: "k", orderingKey, properties, eventTimeMs: 1234 };
    const id = await producer.send(message);
    const received = await consumer.receive();
    assert.equal(textOf(received.data), "hello");
    assert.equal(textOf(received.value), "hello");
    assert.equal(received.key, "k");
    assert.deepEqual(received.keyBytes, utf8("k"));
    assert.deepEqual(received.orderingKey, orderingKey);
    assert.deepEqual(received.properties, properties);
    assert.equal(received.eventTimeMs, 1234);
    assert.equal(received.producerName, "till");
    assert.equal(received.sequenceId, 0);
    assert.equal(received.topic, topic);
    assert.equal(received.redeliveryCount, 0);
    assert.equal(received.isNull, false);
    assert.ok(Math.abs(received.publishTimeMs - Date.now()) < 60_000);
    assert.equal(received.id.ledgerId, id.ledgerId);
    assert.equal(received.id.entryId, id.entryId);
    assert.deepEqual(
      { ...MessageId.fromBytes(MessageId.toBytes(received.id)), topic },
      received.id,
    );
  });

  test("acknowledged messages do not come again, others do", async ({ client, topic }) => {
    const options = { topic, ...SHARED };
    await produce(client, topic, numbered(6), UNBATCHED);
    {
      await using consumer = await client.openConsumer(options);
      const messages = await take(consumer, 6);
      assert.deepEqual(textsOf(messages), numbered(6));
      for (const i of [0, 2, 5]) await consumer.acknowledge(messages[i]!);
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 3)), ["m1", "m3", "m4"]);
    await assertQuiet(consumer);
  });

  test("a message is acknowledged by its id alone, also after a detour over bytes", async ({ client, topic }) => {
    const options = { topic, ...SHARED };
    await produce(client, topic, numbered(4), UNBATCHED);
    {
      await using consumer = await client.openConsumer(options);
      const [first, second] = await take(consumer, 4);
      await consumer.acknowledge(first!.id);
      await consumer.acknowledge(MessageId.fromBytes(MessageId.toBytes(second!.id)));
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 2)), ["m2", "m3"]);
  });

  test("a cumulative acknowledgement covers everything before", async ({ client, topic }) => {
    const options = { topic, ...EXCLUSIVE };
    await produce(client, topic, numbered(5), UNBATCHED);
    {
      await using consumer = await client.openConsumer(options);
      await consumer.acknowledgeCumulative((await take(consumer, 5))[2]!);
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 2)), ["m3", "m4"]);
  });

  test("a cumulative acknowledgement inside a batch leaves the batch, but not those before", async ({ client, topic }) => {
    const options = { topic, ...EXCLUSIVE };
    await produce(client, topic, numbered(2, "a"), UNBATCHED);
    await produce(client, topic, numbered(4, "b"));
    {
      await using consumer = await client.openConsumer(options);
      const messages = await take(consumer, 6);
      assert.equal(messages[3]!.id.batchMessageCount, 4);
      await consumer.acknowledgeCumulative(messages[3]!);
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 4)), numbered(4, "b"));
    await assertQuiet(consumer);
  });

  test("a cumulative acknowledgement inside a topic's first batch loses nothing", async ({ client, topic }) => {
    const options = { topic, ...EXCLUSIVE };
    await produce(client, topic, numbered(3));
    {
      await using consumer = await client.openConsumer(options);
      await consumer.acknowledgeCumulative((await take(consumer, 3))[1]!);
    }
    await using consumer = await client.openConsumer(options);
    const messages = await take(consumer, 3);
    assert.deepEqual(textsOf(messages), numbered(3));
    await consumer.acknowledgeCumulative(messages[2]!);
    await consumer.close();
    await using again = await client.openConsumer(options);
    await assertQuiet(again);
  });

  test("a batch counts as acknowledged when all of its messages are", async ({ client, topic }) => {
    const options = { topic, ...SHARED };
    await produce(client, topic, numbered(3));
    {
      await using consumer = await client.openConsumer(options);
      const messages = await take(consumer, 3);
      await consumer.acknowledge(messages.slice(0, 2));
    }
    {
      await using consumer = await client.openConsumer(options);
      const messages = await take(consumer, 3);
      assert.deepEqual(textsOf(messages), numbered(3));
      await consumer.acknowledge(messages);
    }
    await using consumer = await client.openConsumer(options);
    await assertQuiet(consumer);
  });

  test("with batchIndexAck, only the messages of a batch come again that were not acknowledged", async ({ client, topic }) => {
    const options = { topic, ...SHARED, batchIndexAck: true, ackReceipt: true };
    await produce(client, topic, numbered(70));
    {
      await using consumer = await client.openConsumer(options);
      const messages = await take(consumer, 70);
      await consumer.acknowledge(messages.filter((_, i) => i % 7 !== 3));
    }
    await using consumer = await client.openConsumer(options);
    const rest = await take(consumer, 10);
    assert.deepEqual(textsOf(rest), numbered(70).filter((_, i) => i % 7 === 3));
    await assertQuiet(consumer);
  });

  test("with batchIndexAck, a cumulative acknowledgement ends inside a batch", async ({ client, topic }) => {
    const options = { topic, ...EXCLUSIVE, batchIndexAck: true, ackReceipt: true };
    await produce(client, topic, numbered(10));
    {
      await using consumer = await client.openConsumer(options);
      await consumer.acknowledgeCumulative((await take(consumer, 10))[6]!);
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 3)), ["m7", "m8", "m9"]);
  });

  test("a negative acknowledgement brings the message again after its delay, and counts", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      negativeAckBackoff: multiplierBackoff({ minDelayMs: 100, maxDelayMs: 400, multiplier: 2 }),
    });
    await produce(client, topic, numbered(3), UNBATCHED);
    const messages = await take(consumer, 3);
    consumer.negativeAcknowledge(messages[1]!);
    await consumer.acknowledge([messages[0]!, messages[2]!]);
    for (let count = 1; count <= 3; count++) {
      const [again] = await take(consumer, 1);
      assert.equal(textOf(again!.data), "m1");
      assert.equal(again!.redeliveryCount, count);
      consumer.negativeAcknowledge(again!);
    }
  });

  test("of a batch, only what was not acknowledged comes again to the same consumer", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(4));
    const messages = await take(consumer, 4);
    await consumer.acknowledge([messages[0]!, messages[3]!]);
    consumer.negativeAcknowledge(messages[1]!, { delayMs: 50 });
    assert.deepEqual(textsOf(await take(consumer, 2)), ["m1", "m2"]);
    await assertQuiet(consumer);
  });

  test("on an exclusive subscription a negative acknowledgement brings everything again that is not acknowledged", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(4), UNBATCHED);
    const messages = await take(consumer, 4);
    await consumer.acknowledge(messages[0]!);
    consumer.negativeAcknowledge(messages[2]!, { delayMs: 50 });
    assert.deepEqual(textsOf(await take(consumer, 3)), ["m1", "m2", "m3"]);
    await assertQuiet(consumer);
  });

  test("redeliverUnacknowledged() brings everything again at once", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(5), UNBATCHED);
    const messages = await take(consumer, 5);
    await consumer.acknowledge(messages[1]!);
    consumer.redeliverUnacknowledged();
    assert.deepEqual(textsOf(await take(consumer, 4)).sort(), ["m0", "m2", "m3", "m4"]);
  });

  test("what is not acknowledged within ackTimeoutMs comes again", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED, ackTimeoutMs: 1000 });
    await produce(client, topic, numbered(2), UNBATCHED);
    const [first] = await take(consumer, 2);
    await consumer.acknowledge(first!);
    const [again] = await take(consumer, 1);
    assert.equal(textOf(again!.data), "m1");
    await consumer.acknowledge(again!);
    await assertQuiet(consumer);
  });

  test("a message that keeps failing goes to the dead letter topic, with its key and where it came from", async ({ client, topic }) => {
    const deadLetterPolicy = { maxRedeliverCount: 2, initialSubscription: "kept" };
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      deadLetterPolicy,
      negativeAckRedeliveryDelayMs: 50,
    });
    await using producer = await client.openProducer({ topic });
    await producer.send({ value: utf8("bad"), key: "k", properties: { p: "1" } });
    let deliveries = 0;
    for (;;) {
      const message = await consumer.receive({ timeoutMs: deliveries < 3 ? WAIT_MS : QUIET_MS });
      if (message === undefined) break;
      deliveries++;
      consumer.negativeAcknowledge(message);
    }
    assert.equal(deliveries, 3);
    const letters = `${topic}-s-DLQ`;
    await using dead = await client.openConsumer({ topic: letters, subscription: "kept" });
    const letter = await dead.receive({ timeoutMs: WAIT_MS });
    assert.equal(textOf(letter!.data), "bad");
    assert.equal(letter!.key, "k");
    assert.equal(letter!.properties.p, "1");
    assert.equal(letter!.properties.REAL_TOPIC, topic);
    assert.match(letter!.properties.ORIGIN_MESSAGE_ID!, /^\d+:\d+:-1/);
    assert.equal(consumer.stats.deadLetters, 1);
    // It is acknowledged where it came from.
    await consumer.close();
    await using again = await client.openConsumer({ topic, ...SHARED });
    await assertQuiet(again);
  });

  test("reconsumeLater() brings a message again over the retry letter topic, then buries it", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      enableRetry: true,
      deadLetterPolicy: { maxRedeliverCount: 2 },
    });
    await using dead = await client.openConsumer({ topic: `${topic}-s-DLQ`, subscription: "d" });
    await produce(client, topic, ["again"]);
    const times: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const [message] = await take(consumer, 1);
      times.push(message!.properties.RECONSUMETIMES);
      await consumer.reconsumeLater(message!, 100, { properties: { why: "busy" } });
    }
    assert.deepEqual(times, [undefined, "1", "2"]);
    const letter = await dead.receive({ timeoutMs: WAIT_MS });
    assert.equal(textOf(letter!.data), "again");
    assert.equal(letter!.properties.REAL_TOPIC, topic);
    assert.equal(letter!.properties.why, "busy");
    await assertQuiet(consumer);
  });

  test("shared consumers share messages out, and one that goes leaves its own to the other", async ({ client, topic }) => {
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
  });

  test("key_shared consumers get the messages of a key in order, each key at one consumer", async ({ client, topic }) => {
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
  });

  test("a sticky key_shared consumer gets its ranges", async ({ client, topic }) => {
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

  test("a second exclusive consumer is refused at once", async ({ client, topic }) => {
    await using _first = await client.openConsumer({ topic, ...EXCLUSIVE });
    await assert.rejects(
      client.openConsumer({ topic, ...EXCLUSIVE }),
      (error) => error instanceof PulsarError && error.code === "consumer_busy",
    );
  });

  test("a failover consumer takes over, and hears of it", async ({ client, topic, admin }) => {
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

  test("a new subscription begins at the latest message, or at the earliest if told so", async ({ client, topic }) => {
    await produce(client, topic, ["old"]);
    await using latest = await client.openConsumer({ topic, subscription: "l" });
    await using earliest = await client.openConsumer({ topic, ...EXCLUSIVE, subscription: "e" });
    await produce(client, topic, ["new"]);
    assert.deepEqual(textsOf(await take(latest, 1)), ["new"]);
    assert.deepEqual(textsOf(await take(earliest, 2)), ["old", "new"]);
  });

  test("seek() goes to an id, leaving it out or not, to the ends, and to a time", async ({ client, topic }) => {
    await using behind = await client.openConsumer({ topic, ...EXCLUSIVE, subscription: "x" });
    await using at = await client.openConsumer({
      topic,
      ...EXCLUSIVE,
      subscription: "y",
      startMessageIdInclusive: true,
    });
    await produce(client, topic, numbered(3), UNBATCHED);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const betweenMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
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
  });

  test("seek() into a batch begins at the message", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(5));
    const messages = await take(consumer, 5);
    await consumer.seek(messages[2]!.id);
    assert.deepEqual(textsOf(await take(consumer, 2)), ["m3", "m4"]);
    await assertQuiet(consumer);
  });

  test("after a seek the skipped message does not hold the cursor back", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(4), UNBATCHED);
    const messages = await take(consumer, 4);
    await consumer.seek(messages[1]!.id);
    await consumer.acknowledge(await take(consumer, 2));
    await consumer.close();
    await using again = await client.openConsumer({ topic, ...EXCLUSIVE });
    await assertQuiet(again);
  });

  test("batchReceive() gives what is there when its time is over, or its batch full", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(10));
    const full = await consumer.batchReceive({ maxMessages: 4, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(full), numbered(4));
    const bytes = await consumer.batchReceive({ maxBytes: 5, timeoutMs: WAIT_MS });
    assert.deepEqual(textsOf(bytes), ["m4", "m5", "m6"]);
    const late = await consumer.batchReceive({ timeoutMs: 100 });
    assert.deepEqual(textsOf(late), ["m7", "m8", "m9"]);
    assert.deepEqual(await consumer.batchReceive({ timeoutMs: 50 }), []);
  });

  test("a listener gets the messages, and those that it throws at come again", async ({ client, topic }) => {
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      negativeAckRedeliveryDelayMs: 50,
      listener: async (message) => {
        seen.push(`${textOf(message.data)} ${message.redeliveryCount}`);
        if (textOf(message.data) === "m1" && message.redeliveryCount === 0) throw new Error("no");
        await consumer.acknowledge(message);
        if (seen.length === 4) done.resolve();
      },
    });
    await produce(client, topic, numbered(3), UNBATCHED);
    await done.promise;
    assert.deepEqual(seen, ["m0 0", "m1 0", "m2 0", "m1 1"]);
    assert.equal(consumer.stats.listenerErrors, 1);
  });

  test("with receiverQueueSize 0 nothing comes ahead", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED, receiverQueueSize: 0 });
    await produce(client, topic, numbered(3), UNBATCHED);
    assert.deepEqual(textsOf(await take(consumer, 1)), ["m0"]);
    assert.equal(consumer.stats.queuedMessages, 0);
    await using other = await client.openConsumer({ topic, ...SHARED });
    assert.deepEqual(textsOf(await take(other, 2)), ["m1", "m2"]);
  });

  test("pause() stops the flow, resume() goes on", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED, receiverQueueSize: 2 });
    consumer.pause();
    await produce(client, topic, numbered(6), UNBATCHED);
    const before = await consumer.batchReceive({ maxMessages: 6, timeoutMs: QUIET_MS });
    assert.ok(before.length <= 2, String(before.length));
    consumer.resume();
    const after = await take(consumer, 6 - before.length);
    assert.equal(after.length + before.length, 6);
  });

  test("a partitioned topic is read whole, and partitions that are added later, too", async ({ client, topic, broker, admin }) => {
    await admin.createPartitionedTopic(topic, 2);
    await using consumer = await client.openConsumer({
      topic,
      ...SHARED,
      autoUpdatePartitionsIntervalMs: 100,
    });
    assert.equal(consumer.topics.length, 2);
    await produce(client, topic, numbered(20), { ...UNBATCHED, routing: "roundRobin" });
    const messages = await take(consumer, 20);
    assert.deepEqual(textsOf(messages).sort(), numbered(20).sort());
    assert.deepEqual(new Set(messages.map(({ id }) => id.partition)), new Set([0, 1]));
    await consumer.acknowledge(messages);
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/partitions`;
    const grown = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "3",
    });
    assert.equal(grown.status, 204, await grown.text());
    await produce(client, `${topic}-partition-2`, ["new"]);
    const [added] = await take(consumer, 1);
    assert.equal(textOf(added!.data), "new");
    assert.equal(added!.id.partition, 2);
    await consumer.acknowledge(MessageId.fromBytes(MessageId.toBytes(added!.id)));
    assert.equal(consumer.topics.length, 3);
  });

  test("several topics are read together", async ({ client, topic }) => {
    const topics = [`${topic}-a`, `${topic}-b`];
    await using consumer = await client.openConsumer({ topics, ...SHARED });
    await produce(client, topics[0]!, ["a"]);
    await produce(client, topics[1]!, ["b"]);
    const messages = await take(consumer, 2);
    assert.deepEqual(textsOf(messages).sort(), ["a", "b"]);
    for (const { id } of messages) await consumer.acknowledge(id);
    const ids = await consumer.getLastMessageIds();
    assert.deepEqual(ids.map((id) => id.topic).sort(), topics);
  });

  test("a pattern reads the topics that match, also those that are made later", async ({ client, topic }) => {
    await produce(client, `${topic}-a`, ["a"]);
    await produce(client, `other-${topic.slice(-8)}-a`, ["no"]);
    await using consumer = await client.openConsumer({
      topicsPattern: `${topic}-.*`,
      ...SHARED,
      patternAutoDiscoveryIntervalMs: 200,
    });
    assert.deepEqual(textsOf(await take(consumer, 1)), ["a"]);
    await produce(client, `${topic}-b`, ["b"]);
    assert.deepEqual(textsOf(await take(consumer, 1)), ["b"]);
    await eventually("both are read", () => consumer.topics.length === 2);
  });

  test("where the broker has watchers, a new topic of a pattern is noticed without asking", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({
      topicsPattern: new RegExp(`${topic}-.*`),
      ...SHARED,
      patternAutoDiscoveryIntervalMs: 3_600_000,
    });
    assert.equal(consumer.topics.length, 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await produce(client, `${topic}-x`, ["x"]);
    assert.deepEqual(textsOf(await take(consumer, 1)), ["x"]);
  });

  test("unsubscribe() removes the subscription", async ({ client, topic, admin }) => {
    const consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(1));
    await take(consumer, 1);
    await consumer.unsubscribe();
    assert.deepEqual(Object.keys((await admin.topicStats(topic)).subscriptions), []);
    await assert.rejects(consumer.receive(), { code: "closed" });
  });

  test("a terminated topic ends the iteration when everything is acknowledged", async ({ client, topic, broker }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(2), UNBATCHED);
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/terminate`;
    const response = await fetch(path, { method: "POST" });
    assert.equal(response.status, 200, await response.text());
    const seen: string[] = [];
    for await (const message of consumer) {
      seen.push(textOf(message.data));
      await consumer.acknowledge(message);
    }
    assert.deepEqual(seen, numbered(2));
    assert.equal(consumer.hasReachedEndOfTopic, true);
  });

  test("a message in chunks comes whole, is acknowledged whole, and comes again whole", async ({ client, topic }) => {
    const value = new Uint8Array(12_000_000).map((_, i) => i * 31);
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await using producer = await client.openProducer({ topic, ...UNBATCHED, chunking: true });
    const id = await producer.send({ value, key: "large" });
    await producer.send({ value: utf8("small") });
    const [large] = await take(consumer, 1);
    assert.equal(large!.key, "large");
    assert.deepEqual(large!.data, value);
    assert.deepEqual(large!.id.firstChunk, id.firstChunk);
    assert.ok(large!.id.firstChunk !== undefined);
    consumer.negativeAcknowledge(large!, { delayMs: 50 });
    const [small, again] = await take(consumer, 2);
    assert.equal(textOf(small!.data), "small");
    assert.deepEqual(again!.data, value);
    await consumer.acknowledge([small!, again!]);
    await consumer.close();
    await using after = await client.openConsumer({ topic, ...SHARED });
    await assertQuiet(after);
  });

  for (const compression of ["lz4", "zlib", "zstd", "snappy"] as const) {
    test(`batches compressed with ${compression} are read`, async ({ client, topic }) => {
      await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
      await produce(client, topic, numbered(50), { compression });
      assert.deepEqual(textsOf(await take(consumer, 50)), numbered(50));
    });
  }

  test("a schema reads values", async ({ client, topic }) => {
    const json = schema.json<{ price: number }>({
      type: "record",
      name: "Price",
      fields: [{ name: "price", type: "double" }],
    });
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE, schema: json });
    await using producer = await client.openProducer({ topic, schema: json });
    await producer.send({ value: { price: 1.5 } });
    await producer.send({ value: null, key: "gone" });
    const [first, second] = await take(consumer, 2);
    assert.deepEqual(first!.value, { price: 1.5 });
    assert.equal(first!.schemaVersion?.length, 8);
    assert.equal(second!.isNull, true);
    assert.equal(second!.value, null);
  });

  test("a message to be delivered later comes later", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await using producer = await client.openProducer({ topic, ...UNBATCHED });
    await producer.send({ value: utf8("late"), deliverAfterMs: 1500 });
    await producer.send({ value: utf8("now") });
    assert.deepEqual(textsOf(await take(consumer, 2)), ["now", "late"]);
  });

  test("calls on a closed consumer are told so, and so is who waits", async ({ client, topic }) => {
    const consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(1));
    const [message] = await take(consumer, 1);
    const waiting = [
      consumer.receive(),
      consumer.receive({ timeoutMs: 60_000 }),
      consumer.batchReceive({ timeoutMs: 60_000, maxMessages: 5 }),
    ];
    for (const one of waiting) one.catch(() => {});
    await consumer.close();
    for (const one of waiting) await assert.rejects(one, { code: "closed" });
    await assert.rejects(consumer.receive(), { code: "closed" });
    await assert.rejects(consumer.acknowledge(message!), { code: "closed" });
    await assert.rejects(consumer.seek(MessageId.earliest), { code: "closed" });
    assert.throws(() => consumer.negativeAcknowledge(message!), { code: "closed" });
    assert.equal(consumer.isConnected, false);
    await consumer.close();
  });

  test("a signal ends the waiting and takes no message away", async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    const stop = new AbortController();
    const waiting = consumer.receive({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    await produce(client, topic, numbered(1));
    assert.deepEqual(textsOf(await take(consumer, 1)), ["m0"]);
  });

  test("a consumer survives that its topic is unloaded", async ({ client, topic, broker }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(2), UNBATCHED);
    const [first] = await take(consumer, 2);
    await consumer.acknowledge(first!);
    const waiting = consumer.receive({ timeoutMs: WAIT_MS });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const path = `${broker.adminUrl}/admin/v2/${topic.replace("://", "/")}/unload`;
    const response = await fetch(path, { method: "PUT" });
    assert.equal(response.status, 204, await response.text());
    // What was not acknowledged comes again.
    assert.equal(textOf((await waiting)!.data), "m1");
    assert.equal(consumer.stats.reconnects, 1);
  });

  for (
    const [what, batching] of [["batches", { messagesMax: 7 }], ["single messages", false]] as const
  ) {
    test(`over connections that break, nothing of ${what} is lost, and in the end everything is acknowledged`, async ({ topic, broker }) => {
      const line = new BreakableLine();
      const backoff = { initialMs: 5, maxMs: 50 };
      const { openTransport } = line;
      await using client = await connectPulsar({
        serviceUrl: broker.serviceUrl,
        backoff,
        openTransport,
      });
      const options = { topic, ...SHARED, ackGroupTimeMs: 20, negativeAckRedeliveryDelayMs: 30 };
      await using consumer = await client.openConsumer(options);
      await using producer = await client.openProducer({ topic, batching });
      const texts = numbered(300);
      const sending = (async () => {
        for (const text of texts) await producer.send({ value: utf8(text) });
      })();
      const seen = new Set<string>();
      for (let taken = 0; seen.size < texts.length; taken++) {
        const message = await consumer.receive({ timeoutMs: WAIT_MS });
        assert.ok(message !== undefined, `${texts.length - seen.size} messages are missing`);
        if (taken % 40 === 39) line.breakAll();
        if (taken % 17 === 5) {
          consumer.negativeAcknowledge(message);
          continue;
        }
        seen.add(textOf(message.data));
        await consumer.acknowledge(message);
      }
      await sending;
      // What was acknowledged and lost on the way comes again until it is noted.
      for (;;) {
        const message = await consumer.receive({ timeoutMs: 600 });
        if (message === undefined) break;
        await consumer.acknowledge(message);
      }
      await consumer.close();
      await using after = await client.openConsumer(options);
      await assertQuiet(after);
    });
  }

  readerContract(test);
}

/** Connections that a test can break. */
class BreakableLine {
  readonly #open = new Set<Transport>();

  readonly openTransport: OpenTransport = async (address) => {
    const transport = await systemTransport()(address);
    this.#open.add(transport);
    return transport;
  };

  breakAll(): void {
    for (const transport of this.#open) transport.close();
    this.#open.clear();
  }
}

type Register = (behaviour: string, run: (scene: Scene) => Promise<void>) => void;

function readerContract(test: Register): void {
  test("a reader reads from the earliest to the last message, and knows that it has", async ({ client, topic }) => {
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
  });

  test("a reader of an empty topic, or of the latest, has nothing available", async ({ client, topic }) => {
    await using empty = await client.openReader({ topic, startMessageId: "earliest" });
    assert.equal(await empty.hasMessageAvailable(), false);
    await produce(client, topic, numbered(2));
    await using latest = await client.openReader({ topic });
    assert.equal(await latest.hasMessageAvailable(), false);
    assert.equal(await empty.hasMessageAvailable(), true);
  });

  for (
    const [what, batching] of [["in a batch", undefined], [
      "in an entry of its own",
      false,
    ]] as const
  ) {
    test(`a reader begins behind or at a message ${what}`, async ({ client, topic }) => {
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

  test("a reader of the latest, inclusive, begins with the last message", async ({ client, topic }) => {
    await produce(client, topic, numbered(3));
    await using reader = await client.openReader({ topic, startMessageIdInclusive: true });
    assert.deepEqual(textsOf([(await reader.readNext({ timeoutMs: WAIT_MS }))!]), ["m2"]);
  });

  test("a reader seeks, to an id and to a time, and reads on from there", async ({ client, topic }) => {
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
  });

  test("a reader leaves no subscription behind, and does not hold one up", async ({ client, topic, admin }) => {
    await produce(client, topic, numbered(3));
    const reader = await client.openReader({ topic, startMessageId: "earliest" });
    await reader.readNext();
    assert.equal(Object.keys((await admin.topicStats(topic)).subscriptions).length, 1);
    await reader.close();
    await eventually("the subscription is gone", async () => {
      return Object.keys((await admin.topicStats(topic)).subscriptions).length === 0;
    });
  });

  test("a reader iterates until it is closed", async ({ client, topic }) => {
    await produce(client, topic, numbered(3));
    await using reader = await client.openReader({ topic, startMessageId: "earliest" });
    const seen: string[] = [];
    for await (const message of reader) {
      seen.push(textOf(message.data));
      if (seen.length === 3) void reader.close();
    }
    assert.deepEqual(seen, numbered(3));
  });

  test("a reader reads all partitions", async ({ client, topic, admin }) => {
    await admin.createPartitionedTopic(topic, 3);
    await produce(client, topic, numbered(30), UNBATCHED);
    await using reader = await client.openReader({ topic, startMessageId: "earliest" });
    const seen: string[] = [];
    while (await reader.hasMessageAvailable()) {
      seen.push(textOf((await reader.readNext()).data));
    }
    assert.deepEqual(seen.sort(), numbered(30).sort());
  });

  test("a table view holds the newest value of each key, and hears of changes", async ({ client, topic }) => {
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
  });
}
