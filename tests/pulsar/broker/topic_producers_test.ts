/** Who may write a topic, asked by raw clients: Pulsar's access modes (PIP-68). */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import type { Command, CommandBodies } from "../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("access");
const [SHARED, EXCLUSIVE, WAITING, FENCING] = [0, 1, 2, 3] as const;

type Mode = 0 | 1 | 2 | 3;

function errorOf(command: Command | undefined): ServerError | undefined {
  return command?.type === "ERROR" ? command.body.error : undefined;
}

function epochOf(command: Command | undefined): number | undefined {
  return command?.type === "PRODUCER_SUCCESS" ? command.body.topicEpoch : undefined;
}

class Clients implements AsyncDisposable {
  readonly all: RawClient[] = [];

  constructor(readonly port: number) {}

  async join(name: string, mode: Mode, more: Partial<CommandBodies["PRODUCER"]> = {}) {
    const client = await RawClient.connect(this.port);
    this.all.push(client);
    const answer = await client.produce(TOPIC, {
      producerName: name,
      producerAccessMode: mode,
      ...more,
    });
    return { client, answer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.all) await client[Symbol.asyncDispose]();
  }
}

Deno.test("TopicProducers.admit() lets producers that wait in one by one, each with the next epoch", async () => {
  await using broker = await testBroker();
  await using clients = new Clients(broker.port);
  const holder = await clients.join("holder", SHARED);
  const first = await clients.join("first", WAITING);
  const second = await clients.join("second", WAITING);
  for (const { answer } of [first, second]) {
    assert.equal(answer.type === "PRODUCER_SUCCESS" && answer.body.producerReady, false);
    assert.equal(epochOf(answer), undefined);
  }
  const late = await clients.join("late", SHARED);
  assert.equal(errorOf(late.answer), ServerError.ProducerBusy);
  const exclusive = await clients.join("exclusive", EXCLUSIVE);
  assert.equal(errorOf(exclusive.answer), ServerError.ProducerFenced);

  await holder.client.request("CLOSE_PRODUCER", { producerId: 0 });
  const ready = await first.client.expect("PRODUCER_SUCCESS");
  assert.deepEqual([ready.producerReady, ready.topicEpoch], [true, 0]);
  assert.equal((await first.client.publish(0, "mine")).sequenceId, 0);
  // A connection that breaks makes room just as well.
  first.client.socket.close();
  const next = await second.client.expect("PRODUCER_SUCCESS");
  assert.deepEqual([next.producerReady, next.topicEpoch], [true, 1]);
});

Deno.test("TopicProducers.admit() keeps a producer waiting until the last shared one has gone", async () => {
  await using broker = await testBroker();
  await using clients = new Clients(broker.port);
  const a = await clients.join("a", SHARED);
  const b = await clients.join("b", SHARED);
  const waiting = await clients.join("waiting", WAITING);
  await a.client.request("CLOSE_PRODUCER", { producerId: 0 });
  assert.equal(waiting.client.waiting, 0);
  await b.client.request("CLOSE_PRODUCER", { producerId: 0 });
  assert.equal((await waiting.client.expect("PRODUCER_SUCCESS")).producerReady, true);
});

Deno.test("TopicProducers.giveUp() frees the line of one that closes while it waits", async () => {
  await using broker = await testBroker();
  await using clients = new Clients(broker.port);
  const holder = await clients.join("holder", EXCLUSIVE);
  const waiting = await clients.join("waiting", WAITING);
  const dead = await clients.join("dead", WAITING);
  const closed = await waiting.client.request("CLOSE_PRODUCER", { producerId: 0 });
  assert.equal(closed.at(-1)!.type, "SUCCESS");
  dead.client.socket.close();
  await holder.client.request("CLOSE_PRODUCER", { producerId: 0 });
  let shared = await clients.join("shared", SHARED);
  // The broken connection is noticed a moment later.
  for (let i = 0; i < 100 && errorOf(shared.answer) !== undefined; i++) {
    shared = await clients.join("shared", SHARED);
  }
  assert.equal(shared.answer.type, "PRODUCER_SUCCESS");
  // As in Pulsar, every producer learns the epoch of a topic that has one.
  assert.equal(epochOf(shared.answer)! >= 0, true);
});

Deno.test("TopicProducers.admit() fences all with ExclusiveWithFencing, also those that wait, and who comes back with an old epoch", async () => {
  await using broker = await testBroker();
  await using clients = new Clients(broker.port);
  const holder = await clients.join("holder", EXCLUSIVE);
  const waiting = await clients.join("waiting", WAITING);
  const fencing = await clients.join("fencing", FENCING);
  assert.equal(epochOf(fencing.answer), 1);
  assert.equal(errorOf({ type: "ERROR", body: await waiting.client.expect("ERROR") }), 25);
  await holder.client.write(sendFrame({ sequenceId: 0, payload: utf8("late") }));
  assert.equal(await holder.client.ended(), true);
  fencing.client.socket.close();
  for (const mode of [EXCLUSIVE, FENCING, WAITING]) {
    // The broken connection is noticed a moment later.
    let back = await clients.join("holder", mode, { topicEpoch: 0 });
    while (back.answer.type === "PRODUCER_SUCCESS") {
      back = { ...back, answer: { type: "ERROR", body: await back.client.expect("ERROR") } };
    }
    assert.equal(errorOf(back.answer), ServerError.ProducerFenced, `mode ${mode}`);
  }
  const same = await clients.join("fencing", EXCLUSIVE, { topicEpoch: 1 });
  assert.equal(epochOf(same.answer), 1);
});

Deno.test("TopicProducers keeps the epoch over a restart", async () => {
  const folder = await Deno.makeTempDir();
  for (const epoch of [0, 1]) {
    await using broker = await testBroker({ folder });
    await using clients = new Clients(broker.port);
    assert.equal(epochOf((await clients.join("p", EXCLUSIVE)).answer), epoch);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a producer of a higher epoch on the same connection replaces the one before", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC, { epoch: 0 });
  assert.equal((await client.produce(TOPIC, { epoch: 1 })).type, "PRODUCER_SUCCESS");
  assert.equal((await client.publish(0, "x")).sequenceId, 0);
});

Deno.test("CLOSE_PRODUCER of a producer that is not there succeeds", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const answers = await client.request("CLOSE_PRODUCER", { producerId: 7 });
  assert.equal(answers.at(-1)!.type, "SUCCESS");
});

Deno.test("a message in chunks counts with its last chunk, also over a restart", async () => {
  const folder = await Deno.makeTempDir();
  const chunk = (sequenceId: number, chunkId: number) =>
    sendFrame({
      sequenceId,
      payload: utf8(`chunk ${chunkId}`),
      metadata: { uuid: `raw-${sequenceId}`, numChunksFromMsg: 3, totalChunkMsgSize: 21, chunkId },
    });
  {
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    await client.produce(TOPIC);
    for (const chunkId of [0, 1, 2, 0, 2]) await client.write(chunk(0, chunkId));
    const entries = [];
    for (let i = 0; i < 5; i++) {
      entries.push((await client.expect("SEND_RECEIPT")).messageId!.entryId);
    }
    assert.deepEqual(entries, [0, 1, 2, -1, -1]);
    for (const chunkId of [0, 1]) await client.write(chunk(1, chunkId));
    for (let i = 0; i < 2; i++) await client.expect("SEND_RECEIPT");
  }
  await using broker = await testBroker({ folder });
  await using client = await RawClient.connect(broker.port);
  const created = await client.produce(TOPIC);
  assert.equal(created.type === "PRODUCER_SUCCESS" && created.body.lastSequenceId, 0);
  for (const chunkId of [0, 1, 2]) await client.write(chunk(1, chunkId));
  for (let i = 0; i < 3; i++) {
    assert.equal((await client.expect("SEND_RECEIPT")).messageId!.entryId >= 0, true);
  }
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PRODUCER makes the subscription that it wants to be there first", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC, { initialSubscriptionName: "early" });
  await client.publish(0, "first");
  await client.subscribe(TOPIC, { subscription: "early", initialPosition: 0 });
  await client.send("FLOW", { consumerId: 0, messagePermits: 1 });
  assert.equal((await client.message()).text, "first");
});
