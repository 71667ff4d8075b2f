import assert from "node:assert/strict";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";

const TOPIC = topicNamed("ends");

Deno.test("a consumer is told once that a topic has ended, and again when it is ended again", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { consumerId: 3 });
  const terminate = async () => {
    const path = `${TOPIC.replace("://", "/")}/terminate`;
    const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method: "POST" });
    await answer.body?.cancel();
  };
  const heard = async () => {
    await client.caughtUp();
    const types: string[] = [];
    while (client.waiting > 0) types.push((await client.next())!.command.type);
    return types;
  };
  await terminate();
  assert.deepEqual(await heard(), ["REACHED_END_OF_TOPIC"]);
  await client.send("FLOW", { consumerId: 3, messagePermits: 10 });
  assert.deepEqual(await heard(), []);
  await terminate();
  assert.deepEqual(await heard(), ["REACHED_END_OF_TOPIC"]);
});
