/** What a kill -9 of the broker's process must not take: of topics, not of messages (log_test.ts cuts those at every write). */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { SchemaType, ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { untilTrue } from "../../until_true.ts";
import { topicNamed } from "./_broker.ts";
import { BrokerProcess } from "./_broker_process.ts";
import { messagesOf } from "./_entries.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const SCHEMA = {
  name: "R",
  type: SchemaType.Avro,
  schemaData: utf8('{"type":"record","name":"R","fields":[]}'),
};

async function prepare(broker: BrokerProcess): Promise<void> {
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("ended"), { producerId: 0 });
  await client.publish(0, "the last", 0);
  await broker.admin("POST", "persistent/public/default/ended/terminate");
  await client.expect("CLOSE_PRODUCER");
  await client.produce(topicNamed("compacted"), { producerId: 1 });
  for (const [sequenceId, value] of ["1", "2", "3"].entries()) {
    const metadata = { partitionKey: "k" };
    await client.write(sendFrame({ producerId: 1, sequenceId, payload: utf8(value), metadata }));
    await client.expect("SEND_RECEIPT");
  }
  await broker.admin("PUT", "persistent/public/default/compacted/compaction");
  await untilTrue("the topic is compacted", async () => {
    const path = "persistent/public/default/compacted/compaction";
    return (await broker.admin("GET", path)).includes("SUCCESS");
  });
  const exclusive = { producerId: 2, producerName: "exclusive", producerAccessMode: 1 } as const;
  await client.produce(topicNamed("exclusive"), exclusive);
  await client.produce(topicNamed("schema"), { producerId: 3, schema: SCHEMA });
  await broker.admin("DELETE", "schemas/public/default/schema/schema");
}

Deno.test("ends of topics, compacted views, epochs and versions of schemas outlive kill -9", async () => {
  const folder = await Deno.makeTempDir();
  const first = await BrokerProcess.start(folder);
  await prepare(first);
  await first.kill();
  const second = await BrokerProcess.start(folder);
  try {
    await using client = await RawClient.connect(second.port);
    const ended = await client.produce(topicNamed("ended"), { producerId: 0 });
    assert.equal(ended.type === "ERROR" && ended.body.error, ServerError.TopicTerminatedError);
    await client.subscribe(topicNamed("ended"), { consumerId: 0 });
    await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
    const { body, text } = await client.message();
    assert.equal(text, "the last");
    await client.send("ACK", { consumerId: 0, ackType: 1, messageId: [body.messageId] });
    await client.expect("REACHED_END_OF_TOPIC");

    await client.subscribe(topicNamed("compacted"), { consumerId: 1, readCompacted: true });
    await client.send("FLOW", { consumerId: 1, messagePermits: 10 });
    assert.deepEqual(messagesOf((await client.next())!.section), ["k=3"]);

    const exclusive = { producerId: 1, producerName: "exclusive", producerAccessMode: 1 } as const;
    const produced = await client.produce(topicNamed("exclusive"), exclusive);
    assert.equal(produced.type === "PRODUCER_SUCCESS" && produced.body.topicEpoch, 1);
    const again = await client.produce(topicNamed("schema"), { producerId: 2, schema: SCHEMA });
    assert.equal(again.type === "PRODUCER_SUCCESS" && again.body.schemaVersion?.at(-1), 2);
    assert.equal(client.waiting, 0);
  } finally {
    await second.kill();
    await Deno.remove(folder, { recursive: true });
  }
});
