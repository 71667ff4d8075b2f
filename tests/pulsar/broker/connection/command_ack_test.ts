import assert from "node:assert/strict";
import type { MessageIdData } from "../../../../lib/pulsar/wire/mod.ts";
import { topicNamed } from "../_broker.ts";
import { BrokerProcess } from "../_broker_process.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const TOPIC = topicNamed("killed");
const SHARED = 1;

async function joined(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.subscribe(TOPIC, { subType: SHARED });
  await client.send("FLOW", { consumerId: 0, messagePermits: 1000 });
  return client;
}

Deno.test("an acknowledgement that was answered outlives kill -9, single entries and parts of them", async () => {
  const folder = await Deno.makeTempDir();
  const first = await BrokerProcess.start(folder);
  const acknowledged = new Set<number>();
  {
    await using producer = await RawClient.connect(first.port);
    await producer.produce(TOPIC);
    await using consumer = await joined(first.port);
    const ids: MessageIdData[] = [];
    for (let i = 0; i < 40; i++) {
      await producer.write(
        sendFrame({ sequenceId: 3 * i, messageCount: 3, payload: new Uint8Array(50) }),
      );
      await producer.expect("SEND_RECEIPT");
      ids.push((await consumer.message()).body.messageId);
    }
    for (const [i, id] of ids.entries()) {
      if (i % 3 === 0) continue;
      const messageId = i % 3 === 1 ? id : { ...id, ackSet: [0b101n] };
      const answer =
        (await consumer.request("ACK", { consumerId: 0, ackType: 0, messageId: [messageId] }))
          .at(-1)!;
      assert(answer.type === "ACK_RESPONSE" && answer.body.error === undefined);
      if (i % 3 === 1) acknowledged.add(id.entryId);
    }
    await first.kill();
  }
  const second = await BrokerProcess.start(folder);
  {
    await using consumer = await joined(second.port);
    for (let entryId = 0; entryId < 40; entryId++) {
      if (acknowledged.has(entryId)) continue;
      const { body } = await consumer.message();
      assert.equal(body.messageId.entryId, entryId);
      assert.deepEqual(body.ackSet ?? [], entryId % 3 === 2 ? [0b101n] : []);
    }
  }
  await second.kill();
  await Deno.remove(folder, { recursive: true });
});
