import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import type { PulsarClient } from "../../../lib/pulsar/client/client.ts";
import type { Consumer } from "../../../lib/pulsar/client/consumer.ts";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import { acknowledged, available, consuming, section, SHARED } from "./consuming.ts";
import { type FakeConnection, type Hook, messageFrame } from "./fake_broker.ts";
import { connectFake, rejectsWith, settle } from "./setup.ts";

/** Answers each acknowledgement that asks for a receipt. */
const answerAcks: Hook = (command, connection) => {
  if (command.type !== "ACK") return false;
  const { consumerId, requestId } = command.body;
  connection.send("ACK_RESPONSE", { consumerId, requestId });
  return true;
};

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
  broker.hook = answerAcks;
  await clock.advance(1000);
  await done;
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 0]);
  await end();
});

Deno.test("Consumer.acknowledge() with receipts is rejected when the broker says nothing, and goes out again by itself", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"], { ackReceipt: true });
  broker.hook = ({ type }) => type === "ACK";
  const silent = rejectsWith(consumer.acknowledge(await consumer.receive()), "request_timeout");
  await clock.advance(30_000);
  assert.match((await silent).message, /no receipt within 30000 ms$/);
  broker.hook = answerAcks;
  await clock.advance(1000);
  assert.ok(acknowledged(broker.bodies("ACK")).length >= 2);
  await end();
});

Deno.test("Consumer.acknowledge() with receipts is rejected while the broker is away for longer than an answer may take", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"], { ackReceipt: true });
  const [a, b] = [await consumer.receive(), await consumer.receive()];
  broker.isDown = true;
  broker.dropAll();
  await settle(clock);
  const away = rejectsWith(consumer.acknowledge(a), "request_timeout");
  await clock.advance(30_000);
  await away;
  // What comes later has a time of its own, and takes along what could not be sent.
  const later = consumer.acknowledge(b);
  broker.isDown = false;
  broker.hook = answerAcks;
  await clock.advance(20_000);
  await later;
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 1]);
  await end();
});

Deno.test("every call that asks the broker has a bound when the broker falls silent", async () => {
  const asking: Readonly<Record<string, (consumer: Consumer<Uint8Array>) => Promise<unknown>>> = {
    seek: (consumer) => consumer.seek(MessageId.earliest),
    unsubscribe: (consumer) => consumer.unsubscribe(),
    getLastMessageIds: (consumer) => consumer.getLastMessageIds(),
    hasMessageAvailable: (consumer) => consumer.hasMessageAvailable(),
    close: (consumer) => consumer.close(),
  };
  for (const [name, ask] of Object.entries(asking)) {
    const { consumer, broker, clock, end } = await consuming([]);
    broker.hook = () => true;
    let outcome = "nothing";
    ask(consumer).then(() => outcome = "done", (error) => outcome = error.code);
    await clock.advance(60_000);
    assert.equal(outcome, name === "close" ? "done" : "request_timeout", name);
    const closing = end();
    await clock.advance(60_000);
    await closing;
  }
  const opening: Readonly<Record<string, (client: PulsarClient) => Promise<unknown>>> = {
    partitionCount: (client) => client.partitionCount("orders"),
    openProducer: (client) => client.openProducer({ topic: "orders" }),
    openConsumer: (client) => client.openConsumer(SHARED),
    openReader: (client) => client.openReader({ topic: "orders" }),
    openTableView: (client) => client.openTableView({ topic: "orders" }),
    openSource: (client) =>
      client.openSource({
        topic: "orders",
        subscription: "s",
        subscriptionType: "exclusive",
      }),
    openConsumerOfPattern: (client) =>
      client.openConsumer({ subscription: "s", topicsPattern: "public/default/o.*" }),
  };
  for (const [name, open] of Object.entries(opening)) {
    const { broker, clock, client } = await connectFake();
    broker.hook = () => true;
    let outcome = "nothing";
    open(client).then(() => outcome = "done", (error) => outcome = error.code);
    await clock.advance(120_000);
    assert.match(outcome, /request_timeout|keep_alive_timeout|connect_timeout/, name);
    await client[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0, name);
  }
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

Deno.test("Consumer gives up what needs a connection when there is none for too long", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"]);
  broker.isDown = true;
  broker.dropAll();
  await settle(clock);
  const asked = [consumer.getLastMessageIds(), consumer.seek(MessageId.earliest)];
  const refused = asked.map((one) => rejectsWith(one, "request_timeout"));
  await clock.advance(10_000);
  await Promise.all(refused);
  broker.isDown = false;
  await clock.advance(20_000);
  assert.deepEqual(await available(consumer, clock), ["a"]);
  await end();
});

Deno.test("Consumer leaves a broker that has fallen silent, and goes on with it when it speaks again", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"]);
  await consumer.acknowledge(await consumer.receive());
  await clock.advance(200);
  // The connection stands, but nothing is answered any more.
  broker.hook = () => true;
  await clock.advance(95_000);
  assert.equal(consumer.isConnected, false);
  broker.hook = () => false;
  await clock.advance(60_000);
  assert.equal(consumer.isConnected, true);
  assert.deepEqual(await available(consumer, clock), ["b"]);
  await end();
});

Deno.test("Consumer.close() waits 5 s at most for a broker that has fallen silent", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"]);
  await consumer.acknowledge(await consumer.receive());
  broker.hook = () => true;
  let isClosed = false;
  const closing = consumer.close().then(() => isClosed = true);
  await clock.advance(4_999);
  assert.equal(isClosed, false);
  await clock.advance(1);
  await closing;
  broker.dropAll();
  await end();
});
