/** Receiving, acknowledging and redelivery, against any broker. */
import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import { MessageId, multiplierBackoff } from "../../../lib/pulsar/mod.ts";
import {
  assertQuiet,
  Behaviours,
  BreakableLine,
  EXCLUSIVE,
  numbered,
  produce,
  QUIET_MS,
  SHARED,
  take,
  textsOf,
  UNBATCHED,
  WAIT_MS,
} from "./consumer_scene.ts";

/** Receiving, acknowledging and redelivery, against any broker. */
export const acknowledgements = new Behaviours();
const { behaviour } = acknowledgements;

behaviour("a message carries everything that its producer gave it", async ({ client, topic }) => {
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

behaviour("acknowledged messages do not come again, others do", async ({ client, topic }) => {
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

behaviour(
  "a message is acknowledged by its id alone, also after a detour over bytes",
  async ({ client, topic }) => {
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
  },
);

behaviour("a cumulative acknowledgement covers everything before", async ({ client, topic }) => {
  const options = { topic, ...EXCLUSIVE };
  await produce(client, topic, numbered(5), UNBATCHED);
  {
    await using consumer = await client.openConsumer(options);
    await consumer.acknowledgeCumulative((await take(consumer, 5))[2]!);
  }
  await using consumer = await client.openConsumer(options);
  assert.deepEqual(textsOf(await take(consumer, 2)), ["m3", "m4"]);
});

behaviour(
  "a cumulative acknowledgement inside a batch leaves the batch, but not those before",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "a cumulative acknowledgement inside a topic's first batch loses nothing",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "a batch counts as acknowledged when all of its messages are",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "with batchIndexAck, only the messages of a batch come again that were not acknowledged",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "with batchIndexAck, a cumulative acknowledgement ends inside a batch",
  async ({ client, topic }) => {
    const options = { topic, ...EXCLUSIVE, batchIndexAck: true, ackReceipt: true };
    await produce(client, topic, numbered(10));
    {
      await using consumer = await client.openConsumer(options);
      await consumer.acknowledgeCumulative((await take(consumer, 10))[6]!);
    }
    await using consumer = await client.openConsumer(options);
    assert.deepEqual(textsOf(await take(consumer, 3)), ["m7", "m8", "m9"]);
  },
);

behaviour(
  "a negative acknowledgement brings the message again after its delay, and counts",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "of a batch, only what was not acknowledged comes again to the same consumer",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(4));
    const messages = await take(consumer, 4);
    await consumer.acknowledge([messages[0]!, messages[3]!]);
    consumer.negativeAcknowledge(messages[1]!, { delayMs: 50 });
    assert.deepEqual(textsOf(await take(consumer, 2)), ["m1", "m2"]);
    await assertQuiet(consumer);
  },
);

behaviour(
  "on an exclusive subscription a negative acknowledgement brings everything again that is not acknowledged",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...EXCLUSIVE });
    await produce(client, topic, numbered(4), UNBATCHED);
    const messages = await take(consumer, 4);
    await consumer.acknowledge(messages[0]!);
    consumer.negativeAcknowledge(messages[2]!, { delayMs: 50 });
    assert.deepEqual(textsOf(await take(consumer, 3)), ["m1", "m2", "m3"]);
    await assertQuiet(consumer);
  },
);

behaviour(
  "redeliverUnacknowledged() brings everything again at once",
  async ({ client, topic }) => {
    await using consumer = await client.openConsumer({ topic, ...SHARED });
    await produce(client, topic, numbered(5), UNBATCHED);
    const messages = await take(consumer, 5);
    await consumer.acknowledge(messages[1]!);
    consumer.redeliverUnacknowledged();
    assert.deepEqual(textsOf(await take(consumer, 4)).sort(), ["m0", "m2", "m3", "m4"]);
  },
);

behaviour("what is not acknowledged within ackTimeoutMs comes again", async ({ client, topic }) => {
  await using consumer = await client.openConsumer({ topic, ...SHARED, ackTimeoutMs: 1000 });
  await produce(client, topic, numbered(2), UNBATCHED);
  const [first] = await take(consumer, 2);
  await consumer.acknowledge(first!);
  const [again] = await take(consumer, 1);
  assert.equal(textOf(again!.data), "m1");
  await consumer.acknowledge(again!);
  await assertQuiet(consumer);
});

behaviour(
  "a message that keeps failing goes to the dead letter topic, with its key and where it came from",
  async ({ client, topic }) => {
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
  },
);

behaviour(
  "reconsumeLater() brings a message again over the retry letter topic, then buries it",
  async ({ client, topic }) => {
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
  },
);

for (
  const [what, batching] of [["batches", { messagesMax: 7 }], ["single messages", false]] as const
) {
  behaviour(
    `over connections that break, nothing of ${what} is lost, and in the end everything is acknowledged`,
    async ({ topic, broker }) => {
      const line = new BreakableLine();
      await using client = await line.connect(broker.serviceUrl);
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
    },
  );
}

for (const batching of [{ messagesMax: 7 }, false] as const) {
  const what = batching === false ? "single messages" : "batches";
  behaviour(
    `over connections that break, cumulative acknowledgements of ${what} lose nothing, and order stays`,
    async ({ topic, broker }) => {
      const line = new BreakableLine();
      await using client = await line.connect(broker.serviceUrl);
      const options = { topic, ...EXCLUSIVE, ackGroupTimeMs: 10 };
      await using consumer = await client.openConsumer(options);
      const texts = numbered(200);
      await produce(client, topic, texts, { batching });
      let last = -1;
      for (let taken = 0; last < texts.length - 1; taken++) {
        const message = await consumer.receive({ timeoutMs: WAIT_MS });
        assert.ok(message !== undefined, `nothing came after m${last}`);
        const number = Number(textOf(message.data).slice(1));
        // What was received before may come again, but nothing is left out.
        assert.ok(number <= last + 1, `m${number} came after m${last}`);
        last = Math.max(last, number);
        if (taken % 5 === 4) await consumer.acknowledgeCumulative(message);
        if (taken % 30 === 29) line.breakAll();
      }
    },
  );
}
