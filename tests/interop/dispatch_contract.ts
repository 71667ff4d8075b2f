/**
 * What a broker does with several consumers of one subscription, seen from the wire: the same tests for a real Pulsar and for the
 * embedded broker.
 */
import assert from "node:assert/strict";
import { crc32cPortable, utf8 } from "../../lib/base/mod.ts";
import type { Consumer } from "../../lib/pulsar/broker/dispatch/consumer.ts";
import { KeyRing } from "../../lib/pulsar/broker/dispatch/key_ring.ts";
import { murmur3 } from "../../lib/pulsar/wire/murmur3.ts";
import {
  closePayload,
  type CommandBodies,
  CommandSubscribeSubType as SubType,
  encodeMessage,
  KeySharedMode,
  MESSAGE_METADATA,
  type MessageIdData,
  type MessageMetadata,
  ProtoWriter,
  ServerError,
  writeSend,
} from "../../lib/pulsar/wire/mod.ts";
import type { BrokerUnderTest } from "./broker_contract.ts";
import { freshTopic } from "./harness.ts";
import { WireSession } from "./wire_session.ts";

type Message = CommandBodies["MESSAGE"];

const STATS_TRIES_MAX = 2000;

/** One plain message with what the test wants in its metadata. */
export function messageFrame(sequenceId: number, metadata: Partial<MessageMetadata>): Uint8Array {
  const writer = new ProtoWriter();
  const payload = utf8(`m${sequenceId}`);
  writer.raw(payload);
  encodeMessage(MESSAGE_METADATA, {
    ...{ producerName: "p", sequenceId, publishTime: 1_700_000_000_000 },
    ...metadata,
  }, writer);
  closePayload(writer, payload.length, crc32cPortable);
  writeSend(writer, { producerId: 0, sequenceId, numMessages: 1, highestSequenceId: sequenceId });
  return writer.finish();
}

/** A producer and consumers on one topic. */
class Stage implements AsyncDisposable {
  readonly topic: string;
  readonly #sessions: WireSession[] = [];
  #producer: WireSession | undefined;
  #sequenceId = 0;

  constructor(private readonly serviceUrl: string, name: string) {
    this.topic = freshTopic(name);
  }

  async session(): Promise<WireSession> {
    const session = await WireSession.connected(this.serviceUrl);
    this.#sessions.push(session);
    return session;
  }

  async join(
    options: Partial<CommandBodies["SUBSCRIBE"]>,
    permits = 100,
  ): Promise<WireSession> {
    const session = await this.session();
    const answer = await session.subscribe(this.topic, options);
    assert.equal(
      answer.type,
      "SUCCESS",
      JSON.stringify((answer.body as { message?: string }).message),
    );
    if (permits > 0) await session.send("FLOW", { consumerId: 0, messagePermits: permits });
    return session;
  }

  async #producing(): Promise<WireSession> {
    if (this.#producer === undefined) {
      this.#producer = await this.session();
      assert.equal((await this.#producer.produce(this.topic)).type, "PRODUCER_SUCCESS");
    }
    return this.#producer;
  }

  /** Sends one message and waits for its receipt. */
  async send(metadata: Partial<MessageMetadata> = {}): Promise<void> {
    const producer = await this.#producing();
    await producer.sendBytes(messageFrame(this.#sequenceId++, metadata));
    assert.equal((await producer.receive("SEND_RECEIPT", "SEND_ERROR")).type, "SEND_RECEIPT");
  }

  async sendBatch(messages: readonly string[]): Promise<void> {
    const producer = await this.#producing();
    assert.equal((await producer.sendBatch(this.#sequenceId, messages)).type, "SEND_RECEIPT");
    this.#sequenceId += messages.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }
}

async function take(session: WireSession, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) messages.push((await session.receive("MESSAGE")).body);
  return messages;
}

const entries = (messages: readonly Message[]) => messages.map((one) => one.messageId.entryId);
const counts = (messages: readonly Message[]) => messages.map((one) => one.redeliveryCount ?? 0);

async function ack(session: WireSession, ...messageId: MessageIdData[]): Promise<void> {
  const requestId = session.nextRequestId();
  await session.send("ACK", { consumerId: 0, ackType: 0, messageId, requestId });
  const { body } = await session.receive("ACK_RESPONSE");
  assert.equal(body.error, undefined, body.message);
}

async function redeliver(session: WireSession, messageIds: MessageIdData[]): Promise<void> {
  await session.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, messageIds });
}

async function stats(session: WireSession): Promise<CommandBodies["CONSUMER_STATS_RESPONSE"]> {
  await session.send("CONSUMER_STATS", { consumerId: 0, requestId: session.nextRequestId() });
  return (await session.receive("CONSUMER_STATS_RESPONSE")).body;
}

/** What each consumer gets when all of them together have been sent so many messages. */
async function takeAll(sessions: readonly WireSession[], total: number): Promise<number[][]> {
  const held = await untilHeld(sessions, total);
  return await Promise.all(
    sessions.map(async (session, i) => entries(await take(session, held[i]!))),
  );
}

/** How many unacknowledged messages each of them has, when it is `total` together. */
async function untilHeld(sessions: readonly WireSession[], total: number): Promise<number[]> {
  for (let tries = 0; tries < STATS_TRIES_MAX; tries++) {
    const held: number[] = [];
    for (const session of sessions) held.push((await stats(session)).unackedMessages ?? 0);
    if (held.reduce((sum, count) => sum + count, 0) >= total) return held;
  }
  throw new Error(`Cannot receive ${total} messages: they have not been sent`);
}

const SHARED = { subType: SubType.Shared };
const KEY_SHARED = { subType: SubType.Key_Shared };

/** Registers one test of one broker. */
type Register = (behaviour: string, action: (stage: Stage) => Promise<void>) => void;

/** Registers the tests for one broker. */
export function dispatchContract(name: string, broker: () => BrokerUnderTest): void {
  const test: Register = (behaviour, action) => {
    Deno.test(`${name} ${behaviour}`, async () => {
      await using stage = new Stage(broker().serviceUrl, "dispatch");
      await action(stage);
    });
  };
  const parts = [sharing, acknowledging, holding, choosingKeys, movingKeys, sticking, admitting];
  for (const part of parts) part(test);
}

function sharing(test: Register): void {
  test("gives messages of a shared subscription to consumers in turn", async (stage) => {
    const a = await stage.join(SHARED);
    const b = await stage.join(SHARED);
    for (let i = 1; i <= 6; i++) {
      await stage.send();
      // One by one: what a real broker reads at once it may give to one of them.
      await untilHeld([a, b], i);
    }
    const both = await takeAll([a, b], 6);
    assert(both.every((one) => one.length >= 2), JSON.stringify(both));
    assert.deepEqual(both.flat().sort(), [0, 1, 2, 3, 4, 5]);
  });

  test("serves the consumers with the best priority first", async (stage) => {
    const second = await stage.join({ ...SHARED, priorityLevel: 2 });
    const first = await stage.join({ ...SHARED, priorityLevel: 1 }, 2);
    for (let i = 0; i < 3; i++) await stage.send();
    assert.deepEqual(entries(await take(first, 2)), [0, 1]);
    assert.deepEqual(entries(await take(second, 1)), [2]);
  });

  test("counts how often a message was given back, and not that its consumer went", async (stage) => {
    const leaving = await stage.join(SHARED);
    for (let i = 0; i < 3; i++) await stage.send();
    const first = await take(leaving, 3);
    await redeliver(leaving, [first[1]!.messageId]);
    const again = await take(leaving, 1);
    assert.deepEqual([entries(again), counts(again)], [[1], [1]]);
    await redeliver(leaving, []);
    const all = await take(leaving, 3);
    assert.deepEqual([entries(all), counts(all)], [[0, 1, 2], [1, 2, 1]]);
    const staying = await stage.join(SHARED);
    await leaving[Symbol.asyncDispose]();
    const left = await take(staying, 3);
    assert.deepEqual([entries(left), counts(left)], [[0, 1, 2], [1, 2, 1]]);
  });

  test("forgets how often a message was given back when no consumer is left", async (stage) => {
    const first = await stage.join(SHARED);
    await stage.send();
    await redeliver(first, [(await take(first, 1))[0]!.messageId]);
    assert.deepEqual(counts(await take(first, 1)), [1]);
    await first[Symbol.asyncDispose]();
    assert.deepEqual(counts(await take(await stage.join(SHARED), 1)), [0]);
  });
}

function acknowledging(test: Register): void {
  test("brings back of a batch what is not acknowledged", async (stage) => {
    const consumer = await stage.join(SHARED);
    await stage.sendBatch(["a", "b", "c", "d"]);
    const [batch] = await take(consumer, 1);
    await ack(consumer, { ...batch!.messageId, ackSet: [0b1101n] });
    assert.equal((await stats(consumer)).unackedMessages, 3);
    await redeliver(consumer, [batch!.messageId]);
    const [again] = await take(consumer, 1);
    assert.deepEqual(again!.ackSet, [0b1101n]);
    await ack(consumer, { ...batch!.messageId, ackSet: [0b0100n] });
    await redeliver(consumer, [batch!.messageId]);
    assert.deepEqual((await take(consumer, 1))[0]!.ackSet, [0b0100n]);
    await ack(consumer, { ...batch!.messageId });
    assert.equal((await stats(consumer)).unackedMessages, 0);
  });

  test("takes a whole batch for one permit, and shows that there are fewer than none", async (stage) => {
    const consumer = await stage.join(SHARED, 1);
    await stage.sendBatch(["a", "b", "c", "d"]);
    await take(consumer, 1);
    const { availablePermits, unackedMessages } = await stats(consumer);
    assert.deepEqual([availablePermits, unackedMessages], [-3, 4]);
  });

  test("passes over a cumulative acknowledgement of a shared subscription, and answers it", async (stage) => {
    const consumer = await stage.join(SHARED);
    for (let i = 0; i < 2; i++) await stage.send();
    const [, last] = await take(consumer, 2);
    const requestId = consumer.nextRequestId();
    await consumer.send("ACK", {
      ...{ consumerId: 0, ackType: 1, messageId: [last!.messageId], requestId },
    });
    assert.equal((await consumer.receive("ACK_RESPONSE")).body.error, undefined);
    await redeliver(consumer, []);
    assert.deepEqual(entries(await take(consumer, 2)), [0, 1]);
  });
}

function holding(test: Register): void {
  test("lets any consumer acknowledge what another one has", async (stage) => {
    const owner = await stage.join(SHARED);
    await stage.send();
    const [message] = await take(owner, 1);
    const other = await stage.join(SHARED);
    await ack(other, message!.messageId);
    assert.equal((await stats(owner)).unackedMessages, 0);
  });

  test("keeps the chunks of a message together", async (stage) => {
    const a = await stage.join(SHARED);
    const b = await stage.join(SHARED);
    for (let chunkId = 0; chunkId < 3; chunkId++) {
      await stage.send({ uuid: "u", numChunksFromMsg: 3, totalChunkMsgSize: 6, chunkId });
      await stage.send({});
    }
    const got = await takeAll([a, b], 6);
    const chunks = got.map((found) => found.filter((entryId) => entryId % 2 === 0));
    assert(chunks.some((one) => one.join() === "0,2,4"), JSON.stringify(got));
  });

  test("delivers at a time, the rest before it", async (stage) => {
    const consumer = await stage.join(SHARED);
    const now = Date.now();
    await stage.send({ deliverAtTime: now + 2500 });
    await stage.send();
    assert.deepEqual(entries(await take(consumer, 2)), [1, 0]);
    assert(Date.now() - now > 1000, "a real broker may be a tick of a second early");
  });
}

function choosingKeys(test: Register): void {
  test("gives each key of a Key_Shared subscription to one consumer, the one that a real Pulsar chooses", async (stage) => {
    const names = ["a", "b", "b", "something longer"];
    const sessions: WireSession[] = [];
    const ring = new KeyRing();
    const consumers = names.map((consumerName) => ({ name: consumerName }) as Consumer);
    for (const [i, consumerName] of names.entries()) {
      sessions.push(await stage.join({ ...KEY_SHARED, consumerName }));
      ring.add(consumers[i]!);
    }
    const wanted = names.map((): number[] => []);
    for (let i = 0; i < 60; i++) {
      const key = `key ${i}`;
      // An ordering key counts before a partition key.
      const isOrdered = i % 3 === 0;
      await stage.send(
        isOrdered ? { partitionKey: "x", orderingKey: utf8(key) } : { partitionKey: key },
      );
      const owner = ring.select(ring.hashOf(murmur3(utf8(key))))!;
      wanted[consumers.indexOf(owner)]!.push(i);
    }
    for (const [i, session] of sessions.entries()) {
      assert.deepEqual(entries(await take(session, wanted[i]!.length)), wanted[i]);
    }
  });

  test("decodes keys in base64, and takes producer and sequence id where there is no key", async (stage) => {
    const sessions = new Map<Consumer, WireSession>();
    const ring = new KeyRing();
    for (const consumerName of ["a", "b"]) {
      const consumer = { name: consumerName } as Consumer;
      ring.add(consumer);
      sessions.set(consumer, await stage.join({ ...KEY_SHARED, consumerName }));
    }
    const next = async (key: string, metadata: Partial<MessageMetadata>) => {
      await stage.send(metadata);
      const owner = ring.select(ring.hashOf(murmur3(utf8(key))))!;
      return (await take(sessions.get(owner)!, 1)).length;
    };
    for (let i = 0; i < 6; i++) assert.equal(await next(`p-${i}`, {}), 1);
    for (let i = 0; i < 6; i++) {
      const partitionKey = utf8(`key ${i}`).toBase64();
      assert.equal(await next(`key ${i}`, { partitionKey, partitionKeyB64Encoded: true }), 1);
    }
  });
}

function movingKeys(test: Register): void {
  test("gives a key to a new consumer when the old one has acknowledged what it has of it", async (stage) => {
    const old = await stage.join({ ...KEY_SHARED, consumerName: "old" });
    const ring = new KeyRing();
    for (const consumerName of ["old", "new"]) ring.add({ name: consumerName } as Consumer);
    const partitionKey = Array.from({ length: 100 }, (_, i) => `key ${i}`)
      .find((key) => ring.select(ring.hashOf(murmur3(utf8(key))))!.name === "new")!;
    await stage.send({ partitionKey });
    const [first] = await take(old, 1);
    const joined = await stage.join({ ...KEY_SHARED, consumerName: "new" });
    await stage.send({ partitionKey });
    await stage.send({ partitionKey });
    assert.equal((await stats(old)).unackedMessages, 1);
    assert.equal((await stats(joined)).unackedMessages, 0);
    await ack(old, first!.messageId);
    assert.deepEqual(entries(await take(joined, 2)), [1, 2]);
  });
}

/** A consumer that names its hashes. */
const sticky = (...hashRanges: { start: number; end: number }[]) => ({
  ...KEY_SHARED,
  keySharedMeta: { keySharedMode: KeySharedMode.STICKY, hashRanges },
});

function sticking(test: Register): void {
  test("gives each consumer the hashes it asks for, and refuses those that are taken", async (stage) => {
    const low = await stage.join(sticky({ start: 0, end: 32_767 }));
    const high = await stage.join(sticky({ start: 32_768, end: 65_535 }));
    const refused = await (await stage.session()).subscribe(
      stage.topic,
      sticky({ start: 100, end: 200 }),
    );
    assert(refused.type === "ERROR");
    const { error, message } = refused.body as CommandBodies["ERROR"];
    assert.equal(error, ServerError.ConsumerAssignError);
    assert.match(message, /^Range conflict with consumer /);
    const wanted: [number[], number[]] = [[], []];
    for (let i = 0; i < 20; i++) {
      await stage.send({ partitionKey: `key ${i}` });
      wanted[murmur3(utf8(`key ${i}`)) % 65_536 < 32_768 ? 0 : 1].push(i);
    }
    assert.deepEqual(entries(await take(low, wanted[0].length)), wanted[0]);
    assert.deepEqual(entries(await take(high, wanted[1].length)), wanted[1]);
  });

  for (
    const [what, range, words] of [
      ["no hashes", [], /Ranges for KeyShared policy must not be empty/],
      ["a range that ends before it starts", [{ start: 5, end: 4 }], /start > end/],
      ["ranges that overlap", [{ start: 1, end: 4 }, { start: 4, end: 9 }], /own ranges conflict/],
    ] as const
  ) {
    test(`refuses a sticky consumer with ${what}`, async (stage) => {
      const session = await stage.session();
      const answer = await session.subscribe(stage.topic, sticky(...range));
      const { error, message } = answer.body as CommandBodies["ERROR"];
      assert.equal(error, ServerError.ConsumerAssignError);
      assert.match(message, words);
    });
  }
}

function admitting(test: Register): void {
  test("refuses a consumer of another type or policy, and says what differs", async (stage) => {
    const other = await stage.session();
    const refusal = async (options: Partial<CommandBodies["SUBSCRIBE"]>) => {
      const { body } = await other.subscribe(stage.topic, options);
      const { error, message } = body as CommandBodies["ERROR"];
      assert.equal(error, ServerError.ConsumerBusy);
      return message;
    };
    const meta = { keySharedMode: KeySharedMode.AUTO_SPLIT };
    await stage.join({ ...KEY_SHARED, keySharedMeta: meta });
    assert.match(
      await refusal(SHARED),
      /Active subscription type of 'Key_Shared' is different than the connecting consumer's type 'Shared'/,
    );
    assert.match(
      await refusal(sticky({ start: 0, end: 9 })),
      /key_shared mode of 'AUTO_SPLIT' is different than the connecting consumer's key_shared mode 'STICKY'/,
    );
    assert.match(
      await refusal({ ...KEY_SHARED, keySharedMeta: { ...meta, allowOutOfOrderDelivery: true } }),
      /Active subscription does not allow out of order delivery while the connecting consumer allows it/,
    );
  });

  test("starts a reader with the entry that it names, and does not mix it with a durable subscription", async (stage) => {
    for (let i = 0; i < 3; i++) await stage.send();
    const first = await stage.join({ ...SHARED, subscription: "durable" });
    const [, second] = await take(first, 3);
    const startMessageId = second!.messageId;
    const reader = await stage.join({ subscription: "reader", durable: false, startMessageId });
    assert.deepEqual(entries(await take(reader, 2)), [1, 2]);
    const refused = await (await stage.session()).subscribe(stage.topic, {
      ...{ subscription: "durable", durable: false, startMessageId },
    });
    const { error, message } = refused.body as CommandBodies["ERROR"];
    assert.equal(error, ServerError.NotAllowedError);
    assert.equal(message, "Durable subscription with the same name already exists.");
  });

  test("makes no topic for a consumer that does not want one", async (stage) => {
    const session = await stage.session();
    const answer = await session.subscribe(stage.topic, { ...SHARED, forceTopicCreation: false });
    assert.equal((answer.body as CommandBodies["ERROR"]).error, ServerError.TopicNotFound);
  });

  test("brings everything back to an exclusive consumer under its new epoch", async (stage) => {
    const consumer = await stage.join({ consumerEpoch: 0 });
    for (let i = 0; i < 2; i++) await stage.send();
    const before = await take(consumer, 2);
    await ack(consumer, before[0]!.messageId);
    await consumer.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, consumerEpoch: 1 });
    const [again] = await take(consumer, 1);
    assert.deepEqual([again!.messageId.entryId, again!.consumerEpoch], [1, 1]);
    assert.deepEqual(counts([again!]), [0]);
  });
}
