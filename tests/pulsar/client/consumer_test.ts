import assert from "node:assert/strict";
import { crc32cPortable, type FakeClock, textOf, utf8 } from "../../../lib/base/mod.ts";
import type { Consumer } from "../../../lib/pulsar/client/consumer.ts";
import type { ConsumerOptions } from "../../../lib/pulsar/client/consumer_options.ts";
import type { Message } from "../../../lib/pulsar/client/message.ts";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import type { TopicSchema } from "../../../lib/pulsar/client/schema.ts";
import {
  closePayload,
  type CommandBodies,
  encodeMessage,
  MESSAGE_METADATA,
  type MessageMetadata,
  ProtoWriter,
} from "../../../lib/pulsar/wire/mod.ts";
import { type FakeConnection, messageFrame } from "./fake_broker.ts";
import { connectFake, rejectsWith, settle, TOPIC } from "./setup.ts";

const SHARED = { topic: "orders", subscription: "s", subscriptionType: "shared" } as const;

/** The payload section of an entry. */
function section(payload: string | Uint8Array, metadata: Partial<MessageMetadata> = {}) {
  const writer = new ProtoWriter();
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  writer.raw(bytes);
  const whole = { producerName: "p", sequenceId: 0, publishTime: 1, ...metadata };
  encodeMessage(MESSAGE_METADATA, whole, writer);
  closePayload(writer, bytes.length, crc32cPortable);
  return writer.finish();
}

/** A topic with these entries, and a consumer of it. */
async function consuming(
  entries: readonly (string | Uint8Array<ArrayBuffer>)[],
  options: Partial<ConsumerOptions> = {},
) {
  const { broker, clock, client } = await connectFake();
  const topic = broker.topic(TOPIC);
  for (const entry of entries) {
    const entryId = topic.entries.length;
    const bytes = typeof entry === "string" ? section(entry) : entry;
    topic.entries.push({ ledgerId: 7, entryId, section: bytes });
  }
  const consumer = await client.openConsumer({ ...SHARED, ...options });
  await settle(clock);
  const end = async () => {
    await client[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0, "a timer is left");
  };
  return { broker, clock, client, consumer, topic, end };
}

function textsOf(messages: readonly Message<unknown>[]): string[] {
  return messages.map(({ data }) => textOf(data));
}

/** What is there now. */
async function available(consumer: Consumer<unknown>, clock: FakeClock): Promise<string[]> {
  const batch = consumer.batchReceive({ timeoutMs: 1 });
  await clock.advance(1);
  return textsOf(await batch);
}

/** Entry ids of all individual acknowledgements. */
function acknowledged(bodies: readonly CommandBodies["ACK"][]): number[] {
  return bodies.flatMap(({ messageId }) => messageId!.map(({ entryId }) => entryId));
}

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

Deno.test("Consumer.receive() survives a lost connection: who waits is served by the next one", async () => {
  const { consumer, broker, clock, topic, end } = await consuming([]);
  const waiting = consumer.receive();
  broker.dropAll();
  await settle(clock);
  topic.entries.push({ ledgerId: 7, entryId: 0, section: section("a") });
  await clock.advance(1000);
  assert.equal(textOf((await waiting).data), "a");
  assert.equal(consumer.stats.reconnects, 1);
  await end();
});

Deno.test("Consumer gives what was received and not acknowledged again after a lost connection, and drops what waited", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"]);
  await consumer.receive();
  broker.dropAll();
  await clock.advance(1000);
  assert.deepEqual(await available(consumer, clock), ["a", "b", "c"]);
  await end();
});

Deno.test("Consumer waits for a broker that is away for 60 s, and sends then what was acknowledged meanwhile", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"]);
  const messages = [await consumer.receive(), await consumer.receive()];
  broker.isDown = true;
  broker.dropAll();
  await settle(clock);
  assert.equal(consumer.isConnected, false);
  await consumer.acknowledge(messages);
  const waiting = consumer.receive();
  await clock.advance(60_000);
  assert.equal(broker.count("ACK"), 0);
  broker.isDown = false;
  await clock.advance(20_000);
  assert.equal(consumer.isConnected, true);
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 1]);
  const order = broker.commands.map(({ command }) => command.type);
  assert.ok(order.lastIndexOf("ACK") < order.lastIndexOf("FLOW"), "permits before what is done");
  waiting.catch(() => {});
  await end();
});

Deno.test("Consumer closes while its broker is away, and tells who waits", async () => {
  const { consumer, broker, clock, end } = await consuming([]);
  const waiting = consumer.receive();
  waiting.catch(() => {});
  broker.isDown = true;
  broker.dropAll();
  await clock.advance(5_000);
  await consumer.close();
  await rejectsWith(waiting, "closed");
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

Deno.test("Consumer.acknowledge() with receipts waits for the broker, and sends again what a lost connection left open", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"], { ackReceipt: true });
  broker.hook = ({ type }) => type === "ACK";
  let isDone = false;
  const done = consumer.acknowledge(await consumer.receive()).then(() => isDone = true);
  await clock.advance(200);
  assert.equal(broker.count("ACK"), 1);
  broker.isDown = true;
  broker.dropAll();
  await settle(clock);
  assert.equal(isDone, false);
  broker.isDown = false;
  broker.hook = (command, connection) => {
    if (command.type !== "ACK") return false;
    const { consumerId, requestId } = command.body;
    connection.send("ACK_RESPONSE", { consumerId, requestId });
    return true;
  };
  await clock.advance(1000);
  await done;
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 0]);
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

Deno.test("Consumer asks again for a damaged entry, and tells whoever receives when it stays damaged", async () => {
  const damaged = section("b");
  damaged[damaged.length - 1]! ^= 1;
  const { consumer, broker, clock, end } = await consuming(["a", damaged, "c"]);
  const [first] = [await consumer.receive()];
  assert.equal(textOf(first.data), "a");
  broker.hook = () => false;
  await clock.advance(10);
  assert.ok(broker.count("REDELIVER_UNACKNOWLEDGED_MESSAGES") >= 1);
  assert.deepEqual(broker.bodies("REDELIVER_UNACKNOWLEDGED_MESSAGES")[0]!.messageIds, [
    { ledgerId: 7, entryId: 1 },
  ]);
  const outcomes: string[] = [];
  for (let i = 0; i < 9 && !outcomes.includes("checksum_mismatch"); i++) {
    const next = consumer.receive().then(({ data }) => textOf(data), (error) => error.code);
    await settle(clock);
    outcomes.push(await next);
  }
  assert.ok(outcomes.includes("checksum_mismatch"), outcomes.join());
  assert.deepEqual(acknowledged(broker.bodies("ACK")), []);
  await end();
});

const encryptionKeys = [{ key: "k", value: utf8("secret") }];

Deno.test("Consumer.receive() rejects for an encrypted message and goes on behind it", async () => {
  const { consumer, broker, clock, end } = await consuming([
    "a",
    section("x", { encryptionKeys }),
    "b",
  ]);
  assert.equal(textOf((await consumer.receive()).data), "a");
  const error = await rejectsWith(consumer.receive(), "not_supported");
  assert.match(error.message, /7:1.*encrypted/);
  assert.equal(textOf((await consumer.receive()).data), "b");
  await clock.advance(200);
  assert.equal(broker.count("ACK"), 0);
  await end();
});

Deno.test("Consumer drops an encrypted message, or gives it as it is, where it is told so", async () => {
  const entries = [section("x", { encryptionKeys }), "b"];
  const dropping = await consuming(entries, { cryptoFailureAction: "discard" });
  assert.deepEqual(await available(dropping.consumer, dropping.clock), ["b"]);
  await dropping.clock.advance(200);
  assert.deepEqual(acknowledged(dropping.broker.bodies("ACK")), [0]);
  await dropping.end();
  const consumingIt = await consuming(entries, { cryptoFailureAction: "consume" });
  assert.deepEqual(await available(consumingIt.consumer, consumingIt.clock), ["x", "b"]);
  await consumingIt.end();
});

Deno.test("Consumer passes Pulsar's own markers over", async () => {
  const { consumer, clock, end } = await consuming([section("m", { markerType: 1 }), "a"]);
  assert.deepEqual(await available(consumer, clock), ["a"]);
  await end();
});

Deno.test("Consumer drops messages of before a redelivery of everything", async () => {
  const { consumer, broker, clock, end } = await consuming([], { subscriptionType: "failover" });
  assert.equal(broker.bodies("SUBSCRIBE")[0]!.consumerEpoch, 0);
  consumer.redeliverUnacknowledged();
  await settle(clock);
  assert.equal(broker.bodies("REDELIVER_UNACKNOWLEDGED_MESSAGES")[0]!.consumerEpoch, 1);
  const { connection, consumerId } = broker.consumers[0]!;
  for (const consumerEpoch of [0, 1]) {
    sendWith(connection, consumerId, { consumerEpoch, entryId: consumerEpoch });
  }
  await settle(clock);
  assert.deepEqual(await available(consumer, clock), ["epoch 1"]);
  await end();
});

/** Sends a message with an epoch, by the general codec. */
function sendWith(
  connection: FakeConnection,
  consumerId: number,
  { consumerEpoch, entryId }: { readonly consumerEpoch: number; readonly entryId: number },
): void {
  const bytes = section(`epoch ${consumerEpoch}`);
  const plain = messageFrame(consumerId, { ledgerId: 7, entryId, section: bytes });
  // [total][command size][BaseCommand …]: the epoch is appended to the command inside it.
  const field = Uint8Array.of(0x28, consumerEpoch);
  const head = plain.length - bytes.length;
  const frame = new Uint8Array(plain.length + field.length);
  frame.set(plain.subarray(0, head));
  frame.set(field, head);
  frame.set(bytes, head + field.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, view.getUint32(0) + field.length);
  view.setUint32(4, view.getUint32(4) + field.length);
  // Type, tag of field 9, and then the length of the command itself.
  frame[11]! += field.length;
  connection.sendBytes(frame);
}

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

Deno.test("Consumer tells whoever receives why it cannot subscribe again", async () => {
  const { consumer, broker, clock, end } = await consuming([]);
  const waiting = rejectsWith(consumer.receive(), "authorization_error");
  broker.hook = (command, connection) => {
    if (command.type !== "SUBSCRIBE") return false;
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  broker.dropAll();
  await clock.advance(1000);
  await waiting;
  await rejectsWith(consumer.receive(), "authorization_error");
  assert.equal(consumer.isConnected, false);
  await end();
});

Deno.test("Consumer is subscribed again at once when the broker moves the topic", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"]);
  await consumer.acknowledge(await consumer.receive());
  const { connection, consumerId } = broker.consumers[0]!;
  broker.consumers.length = 0;
  connection.send("CLOSE_CONSUMER", { consumerId, requestId: -1n });
  await settle(clock);
  assert.equal(broker.count("SUBSCRIBE"), 2);
  assert.equal(broker.count("LOOKUP"), 2);
  assert.equal(consumer.isConnected, true);
  await end();
});

Deno.test("client.openConsumer() retries what may pass, refuses what does not, and gives up by its signal", async () => {
  const { broker, clock, client } = await connectFake();
  let left = 2;
  broker.hook = (command, connection) => {
    if (command.type !== "SUBSCRIBE" || left-- <= 0) return false;
    return broker.refuse(connection, command.body.requestId, "ServiceNotReady");
  };
  const opening = client.openConsumer(SHARED);
  await clock.advance(1000);
  await (await opening).close();
  for (
    const [error, code] of [["TopicNotFound", "topic_not_found"], [
      "ConsumerBusy",
      "consumer_busy",
    ]] as const
  ) {
    broker.hook = (command, connection) =>
      command.type === "SUBSCRIBE" && broker.refuse(connection, command.body.requestId, error);
    const refused = rejectsWith(client.openConsumer(SHARED), code);
    await settle(clock);
    await refused;
  }
  broker.hook = ({ type }) => type === "SUBSCRIBE";
  const stop = new AbortController();
  const waiting = client.openConsumer({ ...SHARED, signal: stop.signal });
  waiting.catch(() => {});
  await settle(clock);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await client[Symbol.asyncDispose]();
  assert.equal(clock.pending, 0);
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
  await assert.rejects(open({ topic: "a b" }), { code: "invalid_topic_name" });
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

Deno.test("Consumer.seek() that is refused leaves the consumer where it was", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"]);
  await consumer.receive();
  broker.hook = (command, connection) => {
    if (command.type !== "SEEK") return false;
    return broker.refuse(connection, command.body.requestId, "NotAllowedError");
  };
  const refused = rejectsWith(consumer.seek(MessageId.latest), "not_allowed_error");
  await settle(clock);
  await refused;
  await clock.advance(1000);
  assert.deepEqual(await available(consumer, clock), ["a", "b"]);
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

Deno.test("Consumer with a listener goes on behind a message that cannot be read, and says so", async () => {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const { consumer, broker, clock, end } = await consuming(
    ["a", section("x", { encryptionKeys }), "b"],
    {
      listener: ({ data }) => void seen.push(textOf(data)),
      onError: (error) => errors.push((error as { code: string }).code),
    },
  );
  await settle(clock);
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual(errors, ["not_supported"]);
  broker.hook = (command, connection) => {
    if (command.type !== "SUBSCRIBE") return false;
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  broker.dropAll();
  await clock.advance(1000);
  assert.deepEqual(errors, ["not_supported", "authorization_error"]);
  assert.equal(consumer.isConnected, false);
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
