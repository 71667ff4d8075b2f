/** Letters and the producers that send them, against a scripted broker. */
import assert from "node:assert/strict";
import { Letters } from "../../../lib/pulsar/client/dead_letter.ts";
import type { PulsarClient } from "../../../lib/pulsar/client/client.ts";
import { consuming, section } from "./consuming.ts";
import { rejectsWith, settle, TOPIC } from "./setup.ts";

/** Letters of a client's, that go to the dead letter topic after one delivery. */
const lettersOf = (client: PulsarClient) =>
  new Letters({
    topic: TOPIC,
    subscription: "s",
    consumerName: "c",
    policy: { maxRedeliverCount: 1 },
    schemaInfo: undefined,
    openProducer: (options) => client.openProducer(options),
  });

Deno.test("Letters that are closed leave no producer behind that a message still asks for", async () => {
  const { broker, client, clock, consumer, end } = await consuming(["a"]);
  const message = await consumer.receive();
  const letters = lettersOf(client);
  await letters[Symbol.asyncDispose]();
  const buried = letters.bury(message).catch(() => {});
  await settle(clock);
  await clock.advance(1000);
  await buried;
  assert.deepEqual([broker.count("PRODUCER"), broker.count("CLOSE_PRODUCER")], [1, 1]);
  await end();
});

Deno.test("Letters ask for a producer again that they were refused, and say whose subscription a message comes from now", async () => {
  const properties = [
    { key: "REAL_SUBSCRIPTION", value: "earlier" },
    { key: "REAL_TOPIC", value: "first" },
  ];
  const { broker, client, clock, consumer, end } = await consuming([section("a", { properties })]);
  const message = await consumer.receive();
  const letters = lettersOf(client);
  broker.hook = (command, connection) => {
    if (command.type !== "PRODUCER") return false;
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  const refused = rejectsWith(letters.bury(message), "authorization_error");
  await settle(clock);
  await refused;
  broker.hook = () => false;
  const buried = letters.bury(message);
  await clock.advance(1000);
  await buried;
  const letter = await client.openConsumer({
    topic: `${TOPIC}-s-DLQ`,
    subscription: "d",
    initialPosition: "earliest",
  });
  await settle(clock);
  const { properties: found } = await letter.receive();
  assert.deepEqual([found["REAL_SUBSCRIPTION"], found["REAL_TOPIC"]], ["s", "first"]);
  await letters[Symbol.asyncDispose]();
  await end();
});
