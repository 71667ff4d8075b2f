import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import { ServerError } from "../../../../lib/pulsar/wire/mod.ts";
import type { CommandBodies, MessageIdData } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const TOPIC = topicNamed("shared");
const SHARED = 1;

/** A client with one consumer of the subscription, which may take `permits` messages. */
async function joined(
  port: number,
  { permits = 100, consumerId = 0, ...options }: {
    permits?: number;
    consumerId?: number;
    consumerName?: string;
    priorityLevel?: number;
  } = {},
): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.subscribe(TOPIC, { subType: SHARED, consumerId, ...options });
  if (permits > 0) await client.send("FLOW", { consumerId, messagePermits: permits });
  await client.caughtUp();
  return client;
}

async function ack(client: RawClient, ...messageId: MessageIdData[]): Promise<void> {
  await client.request("ACK", { consumerId: 0, ackType: 0, messageId });
}

/** Texts of the messages that have come by now. */
async function texts(client: RawClient): Promise<string[]> {
  await client.caughtUp();
  const found: string[] = [];
  while (client.waiting > 0) found.push((await client.message()).text);
  return found;
}

Deno.test("Shared gives messages to consumers in turn", async () => {
  await using broker = await testBroker();
  await using a = await joined(broker.port);
  await using b = await joined(broker.port);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 6; i++) await producer.publish(i, `m${i}`);
  assert.deepEqual(await texts(a), ["m0", "m2", "m4"]);
  assert.deepEqual(await texts(b), ["m1", "m3", "m5"]);
});

Deno.test("Shared serves the best priority while it has permits, then the next", async () => {
  await using broker = await testBroker();
  await using later = await joined(broker.port, { priorityLevel: 1 });
  await using first = await joined(broker.port, { permits: 2 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 4; i++) await producer.publish(i, `m${i}`);
  assert.deepEqual(await texts(first), ["m0", "m1"]);
  assert.deepEqual(await texts(later), ["m2", "m3"]);
});

Deno.test("Shared sends a whole batch for one permit, and waits until the permits are positive again", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port, { permits: 1 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 2; i++) {
    await producer.write(
      sendFrame({ sequenceId: 5 * i, messageCount: 5, payload: new Uint8Array(5) }),
    );
    await producer.expect("SEND_RECEIPT");
  }
  assert.equal((await texts(consumer)).length, 1);
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 4 });
  assert.equal((await texts(consumer)).length, 0, "4 of the 5 are paid back");
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 1 });
  assert.equal((await texts(consumer)).length, 1);
});

Deno.test("Shared sends what was given back before what is new, counting how often", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port, { permits: 3 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 5; i++) await producer.publish(i, `m${i}`);
  const messages = [await consumer.message(), await consumer.message(), await consumer.message()];
  const redeliver = (messageIds: CommandBodies["MESSAGE"]["messageId"][]) =>
    consumer.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, messageIds });
  await redeliver([messages[2]!.body.messageId, messages[0]!.body.messageId]);
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 1 });
  const first = await consumer.message();
  assert.deepEqual([first.text, first.body.redeliveryCount], ["m0", 1]);
  await redeliver([first.body.messageId]);
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 3 });
  const again = [await consumer.message(), await consumer.message(), await consumer.message()];
  assert.deepEqual(again.map(({ text, body }) => [text, body.redeliveryCount ?? 0]), [
    ["m0", 2],
    ["m2", 1],
    ["m3", 0],
  ]);
});

Deno.test("Shared gives what a consumer leaves behind to the others, without counting it", async () => {
  await using broker = await testBroker();
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const leaving = await joined(broker.port);
  for (let i = 0; i < 3; i++) await producer.publish(i, `m${i}`);
  const [, second] = [await leaving.message(), await leaving.message(), await leaving.message()];
  await using staying = await joined(broker.port);
  await ack(leaving, second!.body.messageId);
  leaving.socket.close();
  const again = [await staying.message(), await staying.message()];
  assert.deepEqual(again.map(({ text, body }) => [text, body.redeliveryCount ?? 0]), [
    ["m0", 0],
    ["m2", 0],
  ]);
});

Deno.test("Shared redelivers everything that one consumer holds when it names nothing", async () => {
  await using broker = await testBroker();
  await using a = await joined(broker.port);
  await using b = await joined(broker.port);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 4; i++) await producer.publish(i, `m${i}`);
  assert.deepEqual(await texts(a), ["m0", "m2"]);
  assert.deepEqual(await texts(b), ["m1", "m3"]);
  await a.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, messageIds: [] });
  await a.caughtUp();
  assert.deepEqual([...await texts(a), ...await texts(b)].sort(), ["m0", "m2"]);
});

Deno.test("Shared passes a cumulative acknowledgement over, and answers it", async () => {
  await using broker = await testBroker();
  await using consumer = await joined(broker.port);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 2; i++) await producer.publish(i, `m${i}`);
  const [, last] = [await consumer.message(), await consumer.message()];
  const [answer] = await consumer.request("ACK", {
    consumerId: 0,
    ackType: 1,
    messageId: [last!.body.messageId],
  });
  assert.equal(answer?.type === "ACK_RESPONSE" && answer.body.error, undefined);
  consumer.socket.close();
  await using next = await joined(broker.port);
  assert.deepEqual([(await next.message()).text, (await next.message()).text], ["m0", "m1"]);
});

Deno.test("single acknowledgements outlive a restart, and so do parts of a batch", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await testBroker({ folder });
    await using consumer = await joined(broker.port);
    await using producer = await RawClient.connect(broker.port);
    await producer.produce(TOPIC);
    for (let i = 0; i < 3; i++) await producer.publish(i, `m${i}`);
    await producer.write(
      sendFrame({ sequenceId: 3, messageCount: 4, payload: new Uint8Array([109]) }),
    );
    await producer.expect("SEND_RECEIPT");
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await consumer.message());
    await ack(consumer, all[1]!.body.messageId);
    await ack(consumer, { ...all[3]!.body.messageId, ackSet: [0b1011n] });
    await ack(consumer, { ...all[3]!.body.messageId, ackSet: [0b1101n] });
  }
  await using broker = await testBroker({ folder });
  await using consumer = await joined(broker.port);
  const left = [await consumer.message(), await consumer.message(), await consumer.message()];
  assert.deepEqual(left.map(({ text }) => text), ["m0", "m2", "m"]);
  assert.deepEqual(left[2]!.body.ackSet, [0b1001n]);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a consumer of another type is refused while one is connected, in Pulsar's words, and not afterwards", async () => {
  await using broker = await testBroker();
  await using other = await RawClient.connect(broker.port);
  {
    await using _consumer = await joined(broker.port);
    const refused = (await other.subscribe(TOPIC, { subType: 2 })).at(-1)!;
    assert(refused.type === "ERROR");
    assert.equal(refused.body.error, ServerError.ConsumerBusy);
    assert.equal(
      refused.body.message,
      "Subscription is of different type. Active subscription type of 'Shared' is different than the " +
        "connecting consumer's type 'Failover'.",
    );
  }
  for (let tries = 0;; tries++) {
    const answer = (await other.subscribe(TOPIC, { subType: 2 })).at(-1)!;
    if (answer.type === "SUCCESS") break;
    assert(tries < 100, "the connection that was closed is still counted");
  }
});

Deno.test("Shared gives the chunks of a message to another when who had the beginning is gone", async () => {
  await using broker = await testBroker();
  const first = await joined(broker.port, { permits: 1 });
  await using second = await joined(broker.port);
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const sendChunk = async (chunkId: number) => {
    const metadata = { uuid: "long", numChunksFromMsg: 3, totalChunkMsgSize: 6, chunkId };
    const payload = utf8(`c${chunkId}`);
    await producer.write(sendFrame({ sequenceId: 0, payload, metadata }));
    await producer.expect("SEND_RECEIPT");
  };
  await sendChunk(0);
  assert.deepEqual(await texts(first), ["c0"]);
  await first.request("CLOSE_CONSUMER", { consumerId: 0 });
  await first[Symbol.asyncDispose]();
  await sendChunk(1);
  await sendChunk(2);
  assert.deepEqual(await texts(second), ["c0", "c1", "c2"]);
});
