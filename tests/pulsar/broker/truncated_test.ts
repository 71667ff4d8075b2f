/** Commands about topics, cut at every byte: the broker answers or closes that connection, and serves the others. */
import assert from "node:assert/strict";
import { utf8, writeUint32 } from "../../../lib/base/mod.ts";
import { encodeCommand, SchemaType } from "../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";

const TOPIC = topicNamed("whole");
const NAMESPACE = "public/default";
const SCHEMA = { name: "s", type: SchemaType.String, schemaData: utf8("") };

const FRAMES: readonly Uint8Array[] = [
  encodeCommand("PRODUCER", {
    topic: TOPIC,
    producerId: 1,
    requestId: 1n,
    producerAccessMode: 2,
    topicEpoch: 3,
  }),
  encodeCommand("SUBSCRIBE", {
    topic: `non-${TOPIC}`,
    subscription: "s",
    subType: 3,
    consumerId: 1,
    requestId: 1n,
    readCompacted: true,
  }),
  encodeCommand("WATCH_TOPIC_LIST", {
    requestId: 1n,
    watcherId: 1,
    namespace: NAMESPACE,
    topicsPattern: "a.*",
  }),
  encodeCommand("WATCH_TOPIC_LIST_CLOSE", { requestId: 1n, watcherId: 1 }),
  encodeCommand("GET_TOPICS_OF_NAMESPACE", { requestId: 1n, namespace: NAMESPACE, mode: 2 }),
  encodeCommand("GET_OR_CREATE_SCHEMA", { requestId: 1n, topic: TOPIC, schema: SCHEMA }),
  encodeCommand("GET_SCHEMA", { requestId: 1n, topic: TOPIC, schemaVersion: new Uint8Array(8) }),
  encodeCommand("NEW_TXN", { requestId: 1n, tcId: 0, txnTtlSeconds: 5 }),
];

/** The frame's first bytes as a frame of its own, whose sizes tell the truth. */
function cut(frame: Uint8Array, length: number): Uint8Array {
  const part = frame.slice(0, length);
  writeUint32(part, 0, length - 4);
  writeUint32(part, 4, length - 8);
  return part;
}

Deno.test("commands about topics that end early harm nobody but who sent them", async () => {
  await using broker = await testBroker();
  await using good = await RawClient.connect(broker.port);
  await good.produce(TOPIC);
  let sequenceId = 0;
  for (const frame of FRAMES) {
    for (let length = 9; length < frame.length; length++) {
      await using client = await RawClient.connect(broker.port);
      await client.write(cut(frame, length));
      await client.send("PING", {});
      // Closed, or every answer up to the PONG.
      while (((await client.next())?.command.type ?? "PONG") !== "PONG");
    }
    assert.equal((await good.publish(sequenceId, "x")).sequenceId, sequenceId);
    sequenceId++;
  }
});
