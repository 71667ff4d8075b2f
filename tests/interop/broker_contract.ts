/**
 * What a broker does, seen from the wire: the same tests for a real Pulsar and for the embedded broker.
 * What differs between the two is an option, and must be explained where it is set.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import { CommandSubscribeSubType, SchemaType, ServerError } from "../../lib/pulsar/wire/mod.ts";
import { admin, freshTopic } from "./harness.ts";
import { type Received, sendFrame, WireSession } from "./wire_session.ts";

/** The broker under test. */
export interface BrokerUnderTest {
  readonly serviceUrl: string;
  readonly adminUrl: string;
  /** Whether it keeps the last sequence id of a producer's name without being told to. */
  readonly deduplicates: boolean;
}

const BATCHES = [["a", "b", "c"], ["d"], ["e", "f"]];
const READING = '{"type":"record","name":"Reading","fields":[{"name":"value","type":"int"}]}';
const OTHER_READING = READING.replace('"int"', '"string"');

function avro(schema: string) {
  return { name: "Reading", schemaData: utf8(schema), type: SchemaType.Avro };
}

/** Sends the batches with a fresh producer, and gives the positions of their entries. */
async function fill(
  serviceUrl: string,
  topic: string,
): Promise<{ ledgerId: number; entryId: number }[]> {
  await using session = await WireSession.connected(serviceUrl);
  assert.equal((await session.produce(topic)).type, "PRODUCER_SUCCESS");
  const positions = [];
  let sequenceId = 0;
  for (const batch of BATCHES) {
    const receipt = await session.sendBatch(sequenceId, batch);
    assert(receipt.type === "SEND_RECEIPT");
    const { messageId } = receipt.body as Received<"SEND_RECEIPT">["body"];
    positions.push({ ledgerId: messageId!.ledgerId, entryId: messageId!.entryId });
    sequenceId += batch.length;
  }
  return positions;
}

async function receiveBatches(session: WireSession, count: number): Promise<string[][]> {
  const batches: string[][] = [];
  while (batches.length < count) batches.push([...(await session.receive("MESSAGE")).messages]);
  return batches;
}

function codeOf(answer: Received): number | undefined {
  return (answer.body as { error?: number }).error;
}

/** Subscribes to both partitions under one name; consumer ids are the partitions. Gives which of them are active. */
async function joinFailover(
  session: WireSession,
  topic: string,
  consumerName: string,
): Promise<boolean[]> {
  const activity: boolean[] = [];
  for (const consumerId of [0, 1]) {
    const subType = CommandSubscribeSubType.Failover;
    await session.subscribe(`${topic}-partition-${consumerId}`, {
      subType,
      consumerId,
      consumerName,
    });
    const change = await nextChange(session);
    assert.equal(change.consumerId, consumerId);
    activity.push(change.isActive);
  }
  return activity;
}

async function nextChange(
  session: WireSession,
): Promise<{ consumerId: number; isActive: boolean }> {
  const { consumerId, isActive } = (await session.receive("ACTIVE_CONSUMER_CHANGE")).body;
  return { consumerId, isActive: isActive ?? false };
}

/** Registers the tests for one broker. */
export function brokerContract(name: string, broker: () => BrokerUnderTest): void {
  const test = (behaviour: string, action: (broker: BrokerUnderTest) => Promise<void>) => {
    Deno.test(`${name} ${behaviour}`, async () => await action(broker()));
  };

  test("answers CONNECT with a protocol version of at most the client's", async ({ serviceUrl }) => {
    await using session = await WireSession.open(serviceUrl);
    const { body } = await session.receive("CONNECTED");
    assert.equal(body.protocolVersion, 21);
    assert.equal(body.maxMessageSize, 5 * 1024 * 1024);
  });

  test("answers PING with PONG", async ({ serviceUrl }) => {
    await using session = await WireSession.connected(serviceUrl);
    await session.send("PING", {});
    await session.receive("PONG");
  });

  test("hands out batches as they were sent, in order", async ({ serviceUrl }) => {
    const topic = freshTopic("batches");
    await fill(serviceUrl, topic);
    await using session = await WireSession.connected(serviceUrl);
    assert.equal((await session.subscribe(topic)).type, "SUCCESS");
    await session.send("FLOW", { consumerId: 0, messagePermits: 1000 });
    assert.deepEqual(await receiveBatches(session, 3), BATCHES);
  });

  test("sends no entry without a permit", async ({ serviceUrl }) => {
    const topic = freshTopic("permits");
    await fill(serviceUrl, topic);
    await using session = await WireSession.connected(serviceUrl);
    await session.subscribe(topic);
    await session.send("PING", {});
    await session.receive("PONG");
    await session.send("FLOW", { consumerId: 0, messagePermits: 1 });
    assert.deepEqual(await receiveBatches(session, 1), BATCHES.slice(0, 1));
  });

  test("refuses a batch with a wrong checksum and takes it when it comes whole", async ({ serviceUrl, deduplicates }) => {
    const topic = freshTopic("checksum");
    await using session = await WireSession.connected(serviceUrl);
    await session.produce(topic);
    const damaged = sendFrame(0, ["damaged"]);
    damaged[damaged.length - 1]! ^= 1;
    await session.sendBytes(damaged);
    const refusal = await session.receive("SEND_RECEIPT", "SEND_ERROR");
    assert.equal(refusal.type, "SEND_ERROR");
    assert.equal(codeOf(refusal), ServerError.ChecksumError);
    if (deduplicates) {
      // Were what follows stored before it, it would count as a duplicate when it comes again: so the producer must begin anew.
      await session.receive("CLOSE_PRODUCER");
      await session.produce(topic);
    }
    assert.equal((await session.sendBatch(0, ["whole"])).type, "SEND_RECEIPT");
  });

  test("goes on after what was acknowledged cumulatively", async ({ serviceUrl }) => {
    const topic = freshTopic("cumulative");
    const positions = await fill(serviceUrl, topic);
    {
      await using session = await WireSession.connected(serviceUrl);
      await session.subscribe(topic);
      await session.send("FLOW", { consumerId: 0, messagePermits: 1000 });
      await receiveBatches(session, 3);
      const requestId = session.nextRequestId();
      await session.send("ACK", {
        consumerId: 0,
        ackType: 1,
        messageId: [positions[1]!],
        requestId,
      });
      const { body } = await session.receive("ACK_RESPONSE");
      assert.deepEqual([body.requestId, body.error], [requestId, undefined]);
      const closing = session.nextRequestId();
      await session.send("CLOSE_CONSUMER", { consumerId: 0, requestId: closing });
      await session.receive("SUCCESS");
    }
    await using session = await WireSession.connected(serviceUrl);
    await session.subscribe(topic);
    await session.send("FLOW", { consumerId: 0, messagePermits: 1000 });
    assert.deepEqual(await receiveBatches(session, 1), BATCHES.slice(2));
  });

  test("knows the last message id", async ({ serviceUrl }) => {
    const topic = freshTopic("last-id");
    const positions = await fill(serviceUrl, topic);
    await using session = await WireSession.connected(serviceUrl);
    await session.subscribe(topic);
    await session.send("GET_LAST_MESSAGE_ID", {
      consumerId: 0,
      requestId: session.nextRequestId(),
    });
    const { lastMessageId } = (await session.receive("GET_LAST_MESSAGE_ID_RESPONSE")).body;
    const { ledgerId, entryId, batchIndex } = lastMessageId;
    assert.deepEqual({ ledgerId, entryId, batchIndex }, { ...positions[2]!, batchIndex: 1 });
  });

  test("closes the consumer on SEEK and goes on where it was told to", async ({ serviceUrl }) => {
    const topic = freshTopic("seek");
    const positions = await fill(serviceUrl, topic);
    await using session = await WireSession.connected(serviceUrl);
    await session.subscribe(topic);
    const requestId = session.nextRequestId();
    await session.send("SEEK", { consumerId: 0, requestId, messageId: positions[1]! });
    assert.equal((await session.receive("CLOSE_CONSUMER")).body.consumerId, 0);
    assert.equal((await session.receive("SUCCESS")).body.requestId, requestId);
    await session.subscribe(topic);
    await session.send("FLOW", { consumerId: 0, messagePermits: 1000 });
    assert.deepEqual(await receiveBatches(session, 2), BATCHES.slice(1));
  });

  test("lets one consumer of an exclusive subscription in, and names the reason to the other", async ({ serviceUrl }) => {
    const topic = freshTopic("exclusive");
    await using first = await WireSession.connected(serviceUrl);
    await using second = await WireSession.connected(serviceUrl);
    assert.equal((await first.subscribe(topic)).type, "SUCCESS");
    assert.equal(codeOf(await second.subscribe(topic)), ServerError.ConsumerBusy);
  });

  test("gives the partitions of a failover subscription to its consumers in turn, by name, and all to the one that is left", async ({ serviceUrl, adminUrl }) => {
    // Only partitions are shared out like this; on a topic without any a real Pulsar takes a hash of its name.
    const topic = freshTopic("failover");
    const path = `${topic.replace("://", "/")}/partitions`;
    await admin(adminUrl, { method: "PUT", path, body: 2 });
    await fill(serviceUrl, `${topic}-partition-0`);
    await using left = await WireSession.connected(serviceUrl);
    {
      await using leaving = await WireSession.connected(serviceUrl);
      assert.deepEqual(await joinFailover(left, topic, "b"), [true, true]);
      assert.deepEqual(await joinFailover(leaving, topic, "a"), [true, false]);
      assert.deepEqual(await nextChange(left), { consumerId: 0, isActive: false });
      await left.send("FLOW", { consumerId: 0, messagePermits: 1000 });
    }
    assert.deepEqual(await nextChange(left), { consumerId: 0, isActive: true });
    assert.deepEqual(await receiveBatches(left, 3), BATCHES);
  });

  test("refuses a schema that does not fit the topic's, from producer and consumer", async ({ serviceUrl }) => {
    const topic = freshTopic("schema");
    await using session = await WireSession.connected(serviceUrl);
    const { type, body } = await session.produce(topic, { schema: avro(READING) });
    assert(type === "PRODUCER_SUCCESS");
    const { schemaVersion } = body as Received<"PRODUCER_SUCCESS">["body"];
    assert.deepEqual(schemaVersion, new Uint8Array(8));
    await using other = await WireSession.connected(serviceUrl);
    const producing = await other.produce(topic, { schema: avro(OTHER_READING) });
    assert.equal(codeOf(producing), ServerError.IncompatibleSchema);
    const consuming = await other.subscribe(topic, { schema: avro(OTHER_READING) });
    assert.equal(codeOf(consuming), ServerError.IncompatibleSchema);
  });

  test("keeps the last sequence id of a producer's name only where it deduplicates", async ({ serviceUrl, deduplicates }) => {
    const topic = freshTopic("sequence");
    const lastSequenceId = async () => {
      await using session = await WireSession.connected(serviceUrl);
      const { body } = await session.produce(topic, { producerName: "numbered" });
      const { lastSequenceId } = body as Received<"PRODUCER_SUCCESS">["body"];
      await session.sendBatch((lastSequenceId ?? -1) + 1, ["a", "b", "c"]);
      await session.send("CLOSE_PRODUCER", { producerId: 0, requestId: session.nextRequestId() });
      await session.receive("SUCCESS");
      return lastSequenceId ?? -1;
    };
    assert.equal(await lastSequenceId(), -1);
    assert.equal(await lastSequenceId(), deduplicates ? 2 : -1);
  });

  test("creates, shows and deletes partitioned topics", async ({ serviceUrl, adminUrl }) => {
    const topic = freshTopic("partitioned");
    const path = `${topic.replace("://", "/")}/partitions`;
    const status = async (method: string, body?: unknown) =>
      (await admin(adminUrl, { method, path, body })).status;
    assert.equal(await status("GET"), 404);
    assert.equal(await status("PUT", 3), 204);
    assert.equal(await status("PUT", 3), 409);
    const { text } = await admin(adminUrl, { method: "GET", path });
    assert.equal(JSON.parse(text).partitions, 3);
    await using session = await WireSession.connected(serviceUrl);
    await session.send("PARTITIONED_METADATA", { topic, requestId: session.nextRequestId() });
    assert.equal((await session.receive("PARTITIONED_METADATA_RESPONSE")).body.partitions, 3);
    assert.equal(await status("DELETE"), 204);
    assert.equal(await status("DELETE"), 404);
  });
}
