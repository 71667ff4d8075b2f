/** What a seek does to what is under way, against a scripted broker. */
import assert from "node:assert/strict";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import { schema } from "../../../lib/pulsar/client/schemas.ts";
import { SchemaType } from "../../../lib/pulsar/wire/mod.ts";
import { available, consuming, SHARED } from "./consuming.ts";
import type { Hook } from "./fake_broker.ts";
import { connectFake, settle } from "./setup.ts";

/** Keeps a SEEK until it is told to answer. */
function holdSeek(broker: { hook: Hook; answer: (...held: Parameters<Hook>) => void }) {
  let answer: () => void = () => assert.fail("nobody has asked for a seek");
  broker.hook = (...held) => {
    if (held[0].type !== "SEEK") return false;
    answer = () => broker.answer(...held);
    return true;
  };
  return () => answer();
}

Deno.test("Consumer.seek() drops at once what was received before it", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b", "c"]);
  const answer = holdSeek(broker);
  const seeking = consumer.seek({ ledgerId: 7, entryId: 1, partition: -1, batchIndex: -1 });
  await settle(clock);
  assert.deepEqual(await available(consumer, clock), []);
  answer();
  await clock.advance(1000);
  await seeking;
  assert.deepEqual(await available(consumer, clock), ["c"]);
  await end();
});

Deno.test("Consumer.seek() forgets what is acknowledged while it lasts: that would move the new cursor", async () => {
  const { consumer, broker, clock, end } = await consuming(["a", "b"]);
  const [first, second] = [await consumer.receive(), await consumer.receive()];
  const answer = holdSeek(broker);
  const seeking = consumer.seek(MessageId.earliest);
  await settle(clock);
  await consumer.acknowledge(first);
  await consumer.acknowledge(second);
  answer();
  await clock.advance(1000);
  await seeking;
  assert.equal(broker.count("ACK"), 0);
  assert.deepEqual(await available(consumer, clock), ["a", "b"]);
  await end();
});

Deno.test("Consumer waits longer and longer for a broker that takes and drops it in turn", async () => {
  const { broker, clock, end } = await consuming([]);
  await clock.advance(30_000);
  const before = broker.count("SUBSCRIBE");
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SUBSCRIBE") return false;
    broker.answer(command, connection, frame);
    // The answer arrives, and then the connection ends.
    void Promise.resolve().then(() => clock.sleep(1)).then(() => connection.drop());
    return true;
  };
  broker.dropAll();
  await clock.advance(60_000);
  const count = broker.count("SUBSCRIBE") - before;
  assert.ok(count > 5 && count < 20, `${count} times in a minute`);
  await end();
});

Deno.test("Consumer says that it reads whatever there is only to brokers that know of it", async () => {
  for (const [protocolVersion, type] of [[21, SchemaType.AutoConsume], [20, undefined]] as const) {
    const { broker, clock, client } = await connectFake({ serviceUrl: "pulsar://127.0.0.1:6651" });
    broker.hook = (command, connection) => {
      if (command.type !== "CONNECT") return false;
      connection.send("CONNECTED", { serverVersion: "Pulsar Server3.0.0", protocolVersion });
      return true;
    };
    broker.dropAll();
    await settle(clock);
    const opening = client.openConsumer({ ...SHARED, schema: schema.autoConsume() });
    await clock.advance(1000);
    await opening;
    assert.equal(broker.bodies("SUBSCRIBE")[0]!.schema?.type, type);
    await client[Symbol.asyncDispose]();
  }
});
