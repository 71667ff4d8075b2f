import assert from "node:assert/strict";
import { FakeClock } from "../../../../lib/base/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";

const TOPIC = topicNamed("single");
const FAILOVER = 2;
const EARLIEST = { ledgerId: -1, entryId: -1 };

Deno.test("a seek closes the active consumer of a failover subscription and leaves the others alone", async () => {
  await using broker = await testBroker({ failoverDelayMs: 60_000 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 2; i++) await producer.publish(i, `m${i}`);
  const clients = [];
  for (const consumerName of ["a", "b"]) {
    const client = await RawClient.connect(broker.port);
    await client.subscribe(TOPIC, { subType: FAILOVER, consumerName });
    await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
    await client.caughtUp();
    clients.push(client);
  }
  const typesOf = async (client: RawClient) => {
    await client.caughtUp();
    const types: string[] = [];
    while (client.waiting > 0) types.push((await client.next())!.command.type);
    return types;
  };
  const [first, second] = clients as [RawClient, RawClient];
  await typesOf(second);
  // Whoever asks, it is the one who is served that must come again.
  const answer = (await second.request("SEEK", {
    consumerId: 0,
    messageId: { ledgerId: 0, entryId: 0 },
  })).map((one) => one.type);
  const toldFirst = await typesOf(first);
  const toldSecond = [...answer, ...await typesOf(second)];
  const closed = [toldFirst, toldSecond].filter((types) => types.includes("CLOSE_CONSUMER"));
  assert.equal(closed.length, 1);
  assert(toldSecond.includes("SUCCESS"));
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test("nobody takes the place of a consumer that a seek has sent away, until it has not come back for 5 s", async () => {
  const clock = new FakeClock();
  await using broker = await testBroker({ failoverDelayMs: 0, clock });
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.publish(0, "m0");
  for (const [consumerId, consumerName] of ["a", "b"].entries()) {
    await client.subscribe(TOPIC, {
      consumerId,
      consumerName,
      subType: FAILOVER,
      initialPosition: 1,
    });
    await client.send("FLOW", { consumerId, messagePermits: 100 });
  }
  const heard = async () => {
    await client.caughtUp();
    const all: { type: string; consumerId: number }[] = [];
    while (client.waiting > 0) {
      const { type, body } = (await client.next())!.command;
      all.push({ type, consumerId: (body as { consumerId: number }).consumerId });
    }
    return all;
  };
  await heard();
  await client.send("SEEK", { consumerId: 0, requestId: 77n, messageId: EARLIEST });
  const told = await heard();
  const closed = told.find(({ type }) => type === "CLOSE_CONSUMER")!.consumerId;
  assert.deepEqual(told.filter(({ type }) => type === "MESSAGE"), []);
  await clock.advance(4999);
  assert.deepEqual(await heard(), []);
  await clock.advance(1);
  assert.deepEqual(await heard(), [
    { type: "ACTIVE_CONSUMER_CHANGE", consumerId: 1 - closed },
    { type: "MESSAGE", consumerId: 1 - closed },
  ]);
});

Deno.test("consumers that an unload sends away hear nothing of each other", async () => {
  await using broker = await testBroker({ failoverDelayMs: 0 });
  await using client = await RawClient.connect(broker.port);
  for (const [consumerId, consumerName] of ["a", "b"].entries()) {
    await client.subscribe(TOPIC, { consumerId, consumerName, subType: FAILOVER });
  }
  await client.caughtUp();
  while (client.waiting > 0) await client.next();
  const path = `${TOPIC.replace("://", "/")}/unload`;
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method: "PUT" });
  await answer.body?.cancel();
  await client.caughtUp();
  const types: string[] = [];
  while (client.waiting > 0) types.push((await client.next())!.command.type);
  assert.deepEqual(types, ["CLOSE_CONSUMER", "CLOSE_CONSUMER"]);
});

Deno.test("an older epoch does not replace the one that a consumer has", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.subscribe(TOPIC, { consumerEpoch: 0 });
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  await client.publish(0, "m0");
  await client.message();
  const epochs = [];
  for (const consumerEpoch of [3, 2, 4]) {
    await client.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, consumerEpoch });
    epochs.push((await client.message()).body.consumerEpoch);
  }
  assert.deepEqual(epochs, [3, 3, 4]);
});
