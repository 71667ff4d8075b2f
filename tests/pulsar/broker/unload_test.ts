/** Topics that are unloaded while they are used, asked by raw clients. */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const COUNT = 120;
/** A topic that is being unloaded refuses a producer or a consumer a few times in a row, not for ever. */
const ATTEMPTS_MAX = 1000;

async function admin(broker: TestBroker, method: string, path: string): Promise<void> {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method });
  assert.equal(answer.ok, true, `${method} ${path}: ${await answer.text()}`);
}

/** Sends message after message, and again after each CLOSE_PRODUCER, until all have their receipts. */
async function produceAll(client: RawClient, topic: string, received: () => void): Promise<void> {
  let epoch = 0;
  const open = async () => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const answer = await client.produce(topic, { epoch: epoch++ });
      if (answer.type === "PRODUCER_SUCCESS") return answer.body.lastSequenceId;
    }
    return assert.fail(`no producer was let in ${ATTEMPTS_MAX} times`);
  };
  let next = Number(await open()) + 1;
  let sent = next;
  while (next < COUNT) {
    for (; sent < Math.min(COUNT, next + 20); sent++) {
      await client.write(sendFrame({ sequenceId: sent, payload: utf8(`m${sent}`) }));
    }
    const command = (await client.next())?.command;
    assert(command !== undefined, "the broker closed the connection");
    const { type, body } = command;
    if (type === "SEND_RECEIPT") {
      next = Math.max(next, Number(body.sequenceId) + 1);
      received();
    } else if (type === "CLOSE_PRODUCER") sent = next = Number(await open()) + 1;
  }
}

/** Takes messages and acknowledges them, coming again after each CLOSE_CONSUMER. */
async function consumeAll(client: RawClient, topic: string): Promise<string[]> {
  const texts = new Set<string>();
  const open = async () => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if ((await client.subscribe(topic)).at(-1)!.type !== "SUCCESS") continue;
      return await client.send("FLOW", { consumerId: 0, messagePermits: 1000 });
    }
    assert.fail(`no consumer was let in ${ATTEMPTS_MAX} times`);
  };
  await open();
  while (texts.size < COUNT) {
    const received = await client.next();
    assert(received !== undefined, "the broker closed the connection");
    const { type, body } = received.command;
    if (type === "CLOSE_CONSUMER") await open();
    if (type !== "MESSAGE") continue;
    const { section } = received;
    const view = new DataView(section.buffer, section.byteOffset);
    texts.add(new TextDecoder().decode(section.subarray(10 + view.getUint32(6))));
    await client.send("ACK", { consumerId: 0, ackType: 1, messageId: [body.messageId] });
  }
  return [...texts];
}

for (
  const path of ["persistent/public/default/moving/unload", "namespaces/public/default/unload"]
) {
  Deno.test(`no message is lost or doubled over PUT ${path}`, async () => {
    await using broker = await testBroker();
    const topic = topicNamed("moving");
    await using producer = await RawClient.connect(broker.port);
    await using consumer = await RawClient.connect(broker.port);
    const consumed = consumeAll(consumer, topic);
    const unloads: Promise<void>[] = [];
    let receipts = 0;
    await produceAll(producer, topic, () => {
      if (++receipts % 7 === 0) unloads.push(admin(broker, "PUT", path));
    });
    await Promise.all(unloads);
    assert(unloads.length > 10, `${unloads.length} times unloaded`);
    const expected = Array.from({ length: COUNT }, (_, i) => `m${i}`);
    assert.deepEqual(await consumed, expected);
    const internal = await fetch(
      `${broker.adminUrl}/admin/v2/persistent/public/default/moving/internalStats`,
    );
    assert.equal((await internal.json()).numberOfEntries, COUNT);
  });
}
