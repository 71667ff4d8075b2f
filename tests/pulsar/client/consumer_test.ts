import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import type { ConsumerOptions } from "../../../lib/pulsar/client/consumer_options.ts";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import type { TopicSchema } from "../../../lib/pulsar/client/schema.ts";
import { schema } from "../../../lib/pulsar/client/schemas.ts";
import { SchemaType } from "../../../lib/pulsar/wire/mod.ts";
import { acknowledged, available, consuming, section, SHARED, textsOf } from "./consuming.ts";
import { connectFake, rejectsWith, settle, TOPIC } from "./setup.ts";

Deno.test("Consumer.receive() gives messages in order, then waits for the next", async () => {
  const { consumer, topic, broker, clock, end } = await consuming(["a", "b"]);
  assert.deepEqual(textsOf([await consumer.receive(), await consumer.receive()]), ["a", "b"]);
  const waiting = [consumer.receive(), consumer.receive()];
  topic.entries.push({ ledgerId: 7, entryId: 2, section: section("c") });
  topic.entries.push({ ledgerId: 7, entryId: 3, section: section("d") });
  broker.deliverAll();
  await settle(clock);
  assert.deepEqual(textsOf(await Promise.all(waiting)), ["c", "d"]);
  await end();
});

Deno.test("Consumer.receive() ends with undefined when its time is over, and leaves no timer", async () => {
  const { consumer, clock, end } = await consuming(["a"]);
  const pending = clock.pending;
  assert.equal(textOf((await consumer.receive({ timeoutMs: 100 }))!.data), "a");
  const late = consumer.receive({ timeoutMs: 100 });
  await clock.advance(100);
  assert.equal(await late, undefined);
  assert.equal(clock.pending, pending);
  await end();
});

Deno.test("Consumer.acknowledge() groups for 100 ms", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"]);
  for (let i = 0; i < 3; i++) await consumer.acknowledge(await consumer.receive());
  await clock.advance(99);
  assert.equal(broker.count("ACK"), 0);
  await clock.advance(1);
  await settle(clock);
  assert.equal(broker.count("ACK"), 1);
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 1, 2]);
  await end();
});

Deno.test("Consumer.acknowledge() sends 1,000 at once, and one at once where it must not wait", async () => {
  const entries = Array.from({ length: 1000 }, (_, i) => String(i));
  const { consumer, broker, clock, end } = await consuming(entries);
  for (let i = 0; i < 1000; i++) void consumer.acknowledge(await consumer.receive());
  await settle(clock);
  assert.equal(acknowledged(broker.bodies("ACK")).length, 1000);
  await end();
  const hasty = await consuming(["a"], { ackGroupTimeMs: 0 });
  await hasty.consumer.acknowledge(await hasty.consumer.receive());
  await settle(hasty.clock);
  assert.equal(hasty.broker.count("ACK"), 1);
  await hasty.end();
});

Deno.test("Consumer.close() sends the acknowledgements that wait before it goes", async () => {
  const { consumer, broker, end } = await consuming(["a"]);
  await consumer.acknowledge(await consumer.receive());
  await consumer.close();
  const order = broker.commands.map(({ command }) => command.type);
  assert.ok(order.indexOf("ACK") > 0 && order.indexOf("ACK") < order.indexOf("CLOSE_CONSUMER"));
  await end();
});

Deno.test("Consumer.acknowledge() with receipts rejects with what the broker answers", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"], { ackReceipt: true });
  broker.hook = (command, connection) => {
    if (command.type !== "ACK") return false;
    const { consumerId, requestId } = command.body;
    connection.send("ACK_RESPONSE", { consumerId, requestId, error: 22, message: "not allowed" });
    return true;
  };
  const refused = rejectsWith(consumer.acknowledge(await consumer.receive()), "not_allowed_error");
  await clock.advance(200);
  await refused;
  await end();
});

Deno.test("Consumer asks for 1,000 messages, and for more when half of them were received", async () => {
  const entries = Array.from({ length: 600 }, (_, i) => String(i));
  const { consumer, broker, clock, end } = await consuming(entries);
  for (let i = 0; i < 499; i++) await consumer.receive();
  await settle(clock);
  const permits = () => broker.bodies("FLOW").map(({ messagePermits }) => messagePermits);
  assert.deepEqual(permits(), [1000]);
  await consumer.receive();
  await settle(clock);
  assert.deepEqual(permits(), [1000, 500]);
  await end();
});

Deno.test("Consumer with receiverQueueSize 0 asks for one message a call", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"], { receiverQueueSize: 0 });
  assert.equal(broker.count("FLOW"), 0);
  const first = consumer.receive();
  await settle(clock);
  assert.equal(textOf((await first).data), "a");
  assert.deepEqual(broker.bodies("FLOW").map(({ messagePermits }) => messagePermits), [1]);
  const waiting = [consumer.receive(), consumer.receive()];
  await settle(clock);
  assert.equal(textOf((await waiting[0]!).data), "b");
  assert.equal(broker.bodies("FLOW").reduce((sum, one) => sum + one.messagePermits, 0), 3);
  waiting[1]!.catch(() => {});
  await end();
});

Deno.test("a consumer of AUTO_CONSUME says so to brokers that know it, and nothing to older ones", async () => {
  const options = { schema: schema.autoConsume(), ...SHARED };
  const { broker, client, clock, end } = await consuming([], options as never);
  const [said] = broker.bodies("SUBSCRIBE");
  assert.equal(said!.schema!.type, SchemaType.AutoConsume);
  assert.equal(said!.schema!.name, "AutoConsume");
  // The next connection is to an older broker.
  broker.hook = (command, connection) => {
    if (command.type !== "CONNECT") return false;
    connection.send("CONNECTED", { serverVersion: "old", protocolVersion: 20 });
    return true;
  };
  broker.dropAll();
  await clock.advance(1000);
  assert.equal(broker.bodies("SUBSCRIBE").length, 2);
  assert.equal(broker.bodies("SUBSCRIBE")[1]!.schema, undefined);
  const text = { ...SHARED, schema: schema.string() };
  await client.openConsumer(text);
  assert.equal(broker.bodies("SUBSCRIBE")[2]!.schema!.type, SchemaType.String);
  await end();
});

Deno.test("client.openConsumer() refuses options that contradict one another", async () => {
  const { client } = await connectFake();
  const open = (options: Partial<ConsumerOptions>) => () =>
    client.openConsumer({ subscription: "s", ...options });
  await assert.rejects(open({}), TypeError);
  await assert.rejects(open({ topic: "a", topics: ["b"] }), TypeError);
  await assert.rejects(open({ topics: [] }), TypeError);
  await assert.rejects(open({ topic: "a", subscription: "" }), TypeError);
  await assert.rejects(open({ topic: "a", receiverQueueSize: -1 }), RangeError);
  await assert.rejects(open({ topic: "a", ackTimeoutMs: 10 }), RangeError);
  // As JavaScript would call it, by Java's name.
  await assert.rejects(open({ topic: "a", subscriptionType: "Shared" as never }), TypeError);
  await assert.rejects(open({ topic: "a/b" }), { code: "invalid_topic_name" });
  await assert.rejects(open({ topicsPattern: "persistent://a.*/b/c" }), {
    code: "invalid_topic_name",
  });
  const shared = { topic: "a", subscriptionType: "shared" } as const;
  await assert.rejects(open({ ...shared, readCompacted: true }), { code: "not_supported" });
  await assert.rejects(open({ topic: "a", keySharedPolicy: { mode: "auto_split" } }), {
    code: "not_supported",
  });
  await assert.rejects(open({ topic: "a", deadLetterPolicy: { maxRedeliverCount: 1 } }), {
    code: "not_supported",
  });
  await client[Symbol.asyncDispose]();
});

Deno.test("Consumer.seek() drops what is on its way, and goes on where the broker delivers", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"]);
  const first = await consumer.receive();
  await consumer.receive();
  await consumer.seek(MessageId.earliest);
  await settle(clock);
  assert.deepEqual(await available(consumer, clock), ["a", "b", "c"]);
  assert.equal(broker.count("SUBSCRIBE"), 2);
  const seeking = consumer.seek(first.id);
  await settle(clock);
  await seeking;
  // The message of the id is left out, and done with, so that the cursor can move on.
  assert.deepEqual(await available(consumer, clock), ["b", "c"]);
  await clock.advance(200);
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0]);
  await end();
});

Deno.test("Consumer holds messages back until the schema of their version is known", async () => {
  const known = Promise.withResolvers<void>();
  const asked: (Uint8Array | undefined)[] = [];
  const schema: TopicSchema<string> = {
    info: undefined,
    encode: utf8,
    decode: (bytes, origin) => `${textOf(bytes)} v${origin?.schemaVersion?.[7]}`,
    forTopic: () => schema,
    prepare: (version) => {
      asked.push(version);
      return asked.length === 1 ? known.promise : undefined;
    },
  };
  const schemaVersion = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3);
  const { broker, clock, client } = await connectFake();
  const topic = broker.topic(TOPIC);
  for (const [entryId, text] of ["a", "b"].entries()) {
    topic.entries.push({ ledgerId: 7, entryId, section: section(text, { schemaVersion }) });
  }
  const consumer = await client.openConsumer({ ...SHARED, schema });
  const waiting = [consumer.receive(), consumer.receive()];
  await settle(clock);
  let isServed = false;
  void waiting[1]!.then(() => isServed = true);
  await settle(clock);
  assert.equal(isServed, false);
  known.resolve();
  const messages = await Promise.all(waiting);
  assert.deepEqual(messages.map(({ value }) => value), ["a v3", "b v3"]);
  assert.deepEqual(asked, [schemaVersion, schemaVersion]);
  await client[Symbol.asyncDispose]();
});

Deno.test("Message.value says why it cannot be read, data is there all the same", async () => {
  const schema: TopicSchema<string> = {
    info: undefined,
    encode: utf8,
    decode: () => "never",
    forTopic: () => schema,
    prepare: () => Promise.reject(new Error("no such version")),
  };
  const { consumer, clock, end } = await consuming(["a"], { schema: schema as never });
  const waiting = consumer.receive();
  await settle(clock);
  const message = await waiting;
  assert.equal(textOf(message.data), "a");
  assert.throws(() => message.value, /no such version/);
  await end();
});

Deno.test("Consumer.negativeAcknowledge() asks for many messages with one command, and one timer", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"], {
    negativeAckRedeliveryDelayMs: 1000,
  });
  const pending = clock.pending;
  for (let i = 0; i < 3; i++) consumer.negativeAcknowledge(await consumer.receive());
  assert.equal(clock.pending, pending + 1);
  await clock.advance(999);
  assert.equal(broker.count("REDELIVER_UNACKNOWLEDGED_MESSAGES"), 0);
  await clock.advance(100);
  const [body] = broker.bodies("REDELIVER_UNACKNOWLEDGED_MESSAGES");
  assert.deepEqual(body!.messageIds!.map(({ entryId }) => entryId), [0, 1, 2]);
  await end();
});

Deno.test("Consumer refuses an id of another topic, or of a batch of unknown size", async () => {
  const { consumer, end } = await consuming(["a"]);
  const { id } = await consumer.receive();
  await rejectsWith(consumer.acknowledge({ ...id, topic: "persistent://a/b/c" }), "not_supported");
  await assert.rejects(consumer.acknowledge({ ...id, batchIndex: 1 }), TypeError);
  await rejectsWith(consumer.acknowledgeCumulative(id), "not_supported");
  await end();
});

Deno.test("Consumer of an exclusive subscription asks for few messages until it knows how large they are", async () => {
  const large = "x".repeat(1 << 20);
  const { consumer, broker, clock, end } = await consuming([large, large], {
    subscriptionType: "exclusive",
  });
  await consumer.receive();
  await settle(clock);
  const permits = broker.bodies("FLOW").map(({ messagePermits }) => messagePermits);
  assert.equal(permits[0], 16);
  // 8 MiB hold 7 of them: no more are asked for.
  assert.equal(permits.length, 1);
  await end();
});

Deno.test("Consumer of an exclusive subscription asks for as many small messages as 8 MiB hold", async () => {
  const { broker, clock, end } = await consuming(["a"], { subscriptionType: "exclusive" });
  await settle(clock);
  const permits = broker.bodies("FLOW").reduce((sum, one) => sum + one.messagePermits, 0);
  assert.ok(permits > 50_000, String(permits));
  await end();
});

Deno.test("Consumer that another one takes over from drops what it has not handed out", async () => {
  const events: boolean[] = [];
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"], {
    subscriptionType: "failover",
    activeChanged: (isActive) => events.push(isActive),
  });
  await consumer.receive();
  const { connection, consumerId } = broker.consumers[0]!;
  connection.send("ACTIVE_CONSUMER_CHANGE", { consumerId, isActive: false });
  await settle(clock);
  assert.deepEqual(await available(consumer, clock), []);
  connection.send("ACTIVE_CONSUMER_CHANGE", { consumerId, isActive: true });
  broker.consumers[0]!.next = 0;
  broker.deliverAll();
  await settle(clock);
  assert.deepEqual(await available(consumer, clock), ["a", "b", "c"]);
  assert.deepEqual(events, [false, true]);
  await end();
});

Deno.test("Consumer gives the room back of what nobody is shown", async () => {
  const markers = Array.from({ length: 500 }, () => section("m", { markerType: 1 }));
  const { broker, end } = await consuming(markers);
  const permits = broker.bodies("FLOW").map(({ messagePermits }) => messagePermits);
  assert.deepEqual(permits, [1000, 500]);
  await end();
});

Deno.test("Consumer asks again only for what was not acknowledged within ackTimeoutMs", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"], { ackTimeoutMs: 1000 });
  const [first] = [await consumer.receive(), await consumer.receive()];
  await consumer.acknowledge(first!);
  await clock.advance(1100);
  const [body] = broker.bodies("REDELIVER_UNACKNOWLEDGED_MESSAGES");
  assert.deepEqual(body!.messageIds, [{ ledgerId: 7, entryId: 1 }]);
  await end();
});
