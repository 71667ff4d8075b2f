import assert from "node:assert/strict";
import { ServerError } from "../../../../lib/pulsar/wire/mod.ts";
import type { Command, CommandBodies, MessageIdData } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";

const TOPIC = topicNamed("policies");
const SHARED = 1;

/** Sets a policy of the namespace. */
async function setPolicy(broker: TestBroker, name: string, value: unknown): Promise<void> {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/namespaces/public/default/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  assert(answer.ok, await answer.text());
}

async function refusal(
  client: RawClient,
  options: Partial<CommandBodies["SUBSCRIBE"]>,
): Promise<[number, string]> {
  const answer: Command = (await client.subscribe(TOPIC, options)).at(-1)!;
  assert(answer.type === "ERROR", answer.type);
  return [answer.body.error, answer.body.message];
}

Deno.test("a consumer gets no more than the namespace allows it to hold, and goes on at half of it", async () => {
  await using broker = await testBroker();
  await setPolicy(broker, "maxUnackedMessagesPerConsumer", 4);
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { subType: SHARED });
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  for (let i = 0; i < 8; i++) await producer.publish(i, `m${i}`);
  const held: MessageIdData[] = [];
  for (let i = 0; i < 4; i++) held.push((await client.message()).body.messageId);
  await client.caughtUp();
  assert.equal(client.waiting, 0);
  /** Messages that come because of it. */
  const ack = async (at: number): Promise<number> => {
    const messageId = [held[at]!];
    const answers = await client.request("ACK", { consumerId: 0, ackType: 0, messageId });
    await client.caughtUp();
    return answers.filter(({ type }) => type === "MESSAGE").length + client.waiting;
  };
  assert.equal(await ack(0), 0, "3 are more than half of 4");
  assert.equal(await ack(1), 2);
});

Deno.test("consumers, subscriptions and their types are bounded by the namespace's policies, in Pulsar's words", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await setPolicy(broker, "maxConsumersPerSubscription", 1);
  await client.subscribe(TOPIC, { subType: SHARED });
  assert.deepEqual(await refusal(client, { subType: SHARED, consumerId: 1 }), [
    ServerError.ConsumerBusy,
    "Subscription reached max consumers limit",
  ]);
  await setPolicy(broker, "maxSubscriptionsPerTopic", 1);
  assert.deepEqual(await refusal(client, { subscription: "another", consumerId: 2 }), [
    ServerError.NotAllowedError,
    `Exceed the maximum number of subscriptions of the topic: ${TOPIC}`,
  ]);
  await setPolicy(broker, "maxConsumersPerTopic", 1);
  assert.deepEqual(await refusal(client, { subType: SHARED, consumerId: 3 }), [
    ServerError.ConsumerBusy,
    "Topic reached max consumers limit",
  ]);
  await setPolicy(broker, "maxConsumersPerTopic", 0);
  await setPolicy(broker, "subscriptionTypesEnabled", ["Shared"]);
  assert.deepEqual(await refusal(client, { consumerId: 4 }), [
    ServerError.NotAllowedError,
    `Topic[{${TOPIC}}] doesn't support Exclusive sub type!`,
  ]);
});

Deno.test("names that Pulsar has for itself are refused for subscriptions, in its words", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  for (const subscription of ["pulsar.dedup", "pulsar.repl.elsewhere"]) {
    assert.deepEqual(await refusal(client, { subscription }), [
      ServerError.ProducerBusy,
      "Subscription with reserved subscription name attempted",
    ]);
  }
  assert.equal(
    (await client.subscribe(TOPIC, { subscription: "pulsar.mine" }))[0]?.type,
    "SUCCESS",
  );
});

Deno.test("a subscription whose consumers hold too much together goes on below half of it", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await setPolicy(broker, "maxUnackedMessagesPerSubscription", 4);
  await client.subscribe(TOPIC, { subType: SHARED });
  await client.produce(TOPIC);
  for (let i = 0; i < 8; i++) await client.publish(i, `m${i}`);
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  const held = [];
  for (let i = 0; i < 4; i++) held.push((await client.message()).body.messageId);
  const counts: number[] = [];
  for (const id of held.slice(0, 3)) {
    const answers = await client.request("ACK", { consumerId: 0, ackType: 0, messageId: [id] });
    await client.caughtUp();
    counts.push(answers.filter(({ type }) => type === "MESSAGE").length + client.waiting);
  }
  assert.deepEqual(counts, [0, 0, 3]);
});
