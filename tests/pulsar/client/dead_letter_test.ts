/** Letters and the producers that send them, against a scripted broker. */
import assert from "node:assert/strict";
import { Letters } from "../../../lib/pulsar/client/dead_letter.ts";
import { consuming } from "./consuming.ts";
import { settle, TOPIC } from "./setup.ts";

Deno.test("Letters that are closed leave no producer behind that a message still asks for", async () => {
  const { broker, client, clock, consumer, end } = await consuming(["a"]);
  const message = await consumer.receive();
  const letters = new Letters({
    topic: TOPIC,
    subscription: "s",
    consumerName: "c",
    policy: { maxRedeliverCount: 1 },
    schemaInfo: undefined,
    openProducer: (options) => client.openProducer(options),
  });
  await letters[Symbol.asyncDispose]();
  const buried = letters.bury(message).catch(() => {});
  await settle(clock);
  await clock.advance(1000);
  await buried;
  assert.deepEqual([broker.count("PRODUCER"), broker.count("CLOSE_PRODUCER")], [1, 1]);
  await end();
});
