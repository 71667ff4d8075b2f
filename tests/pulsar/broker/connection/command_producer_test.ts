import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import { ServerError } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const TOPIC = topicNamed("t");
const EXCLUSIVE = { producerAccessMode: 1 } as const;
const WAITING = { producerAccessMode: 2 } as const;

/** A SEND whose last byte was changed on its way. */
function damagedFrame(sequenceId: number): Uint8Array {
  const frame = sendFrame({ sequenceId, payload: utf8("damaged") });
  frame[frame.length - 1]! ^= 1;
  return frame;
}

Deno.test("SEND with a wrong checksum is refused; where duplicates are dropped nothing behind it is stored before it comes again", async () => {
  for (const isDeduplicating of [false, true]) {
    await using broker = await testBroker({ policies: { isDeduplicating } });
    await using client = await RawClient.connect(broker.port);
    await client.produce(TOPIC);
    await client.write(damagedFrame(0));
    await client.write(sendFrame({ sequenceId: 1, payload: utf8("whole") }));
    const { sequenceId, error } = await client.expect("SEND_ERROR");
    assert.deepEqual([sequenceId, error], [0, ServerError.ChecksumError]);
    if (!isDeduplicating) {
      assert.equal((await client.expect("SEND_RECEIPT")).sequenceId, 1);
      continue;
    }
    await client.expect("CLOSE_PRODUCER");
    const again = await client.produce(TOPIC, { epoch: 1 });
    assert.equal(again.type === "PRODUCER_SUCCESS" && again.body.lastSequenceId, -1);
    for (const id of [0, 1]) {
      const { messageId } = await client.publish(id, "whole");
      assert.ok(messageId!.ledgerId >= 0, `${id} is stored`);
    }
  }
});

Deno.test("a producer that waits and goes, with its connection or by itself, leaves its place in line to the next", async () => {
  for (const goes of ["with its connection", "by itself"]) {
    await using broker = await testBroker();
    await using holder = await RawClient.connect(broker.port);
    await holder.produce(TOPIC, { ...EXCLUSIVE, producerName: "holder" });
    const clients: RawClient[] = [];
    for (const producerName of ["b", "c"]) {
      const client = await RawClient.connect(broker.port);
      const queued = await client.produce(TOPIC, { ...WAITING, producerName });
      assert.equal(queued.type === "PRODUCER_SUCCESS" && queued.body.producerReady, false);
      clients.push(client);
    }
    const [leaving, next] = clients as [RawClient, RawClient];
    if (goes === "by itself") {
      await leaving.send("CLOSE_PRODUCER", { producerId: 0, requestId: 900n });
      const answers = [await leaving.next(), await leaving.next()].map((one) => one!.command.type);
      assert.deepEqual(answers.sort(), ["ERROR", "SUCCESS"]);
    } else await leaving[Symbol.asyncDispose]();
    await holder.request("CLOSE_PRODUCER", { producerId: 0 });
    assert.equal((await next.expect("PRODUCER_SUCCESS")).producerReady, true);
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
});

Deno.test("CLOSE_PRODUCER is answered behind the receipts of all that was sent before", async () => {
  await using broker = await testBroker({ durability: "fsync" });
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  for (let i = 0; i < 20; i++) {
    await client.write(sendFrame({ sequenceId: i, payload: utf8(`m${i}`) }));
  }
  const answers = await client.request("CLOSE_PRODUCER", { producerId: 0 });
  assert.deepEqual(answers.map(({ type }) => type), [
    ...Array.from({ length: 20 }, () => "SEND_RECEIPT"),
    "SUCCESS",
  ]);
});

Deno.test("PRODUCER again under a higher epoch takes the place of the older one, under the same it is answered as before", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC, { epoch: 3 });
  await client.publish(0, "m0");
  for (const epoch of [3, 2, 4]) {
    const again = await client.produce(TOPIC, { epoch });
    assert.equal(again.type === "PRODUCER_SUCCESS" && again.body.lastSequenceId, 0);
  }
  assert.equal((await client.publish(1, "m1")).sequenceId, 1);
});
