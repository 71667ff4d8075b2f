import assert from "node:assert/strict";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("t");

Deno.test("a broker keeps a message and delivers it byte for byte", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const created = await client.produce(TOPIC);
  assert.equal(created.type, "PRODUCER_SUCCESS");
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  const frame = sendFrame({ sequenceId: 0, payload: new TextEncoder().encode("hello") });
  await client.write(frame);
  const receipt = await client.expect("SEND_RECEIPT");
  const { command, section } = (await client.next())!;
  assert.equal(command.type, "MESSAGE");
  assert.deepEqual(command.body.messageId.entryId, receipt.messageId?.entryId);
  assert.equal(section.toHex(), frame.subarray(frame.length - section.length).toHex());
});
