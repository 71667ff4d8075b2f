import assert from "node:assert/strict";
import type { MessageIdData } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const TOPIC = topicNamed("t");
const PATH = "persistent/public/default/t";
const SHARED = 1;
const FAILOVER = 2;

async function publishAll(port: number, count: number): Promise<MessageIdData[]> {
  await using producer = await RawClient.connect(port);
  await producer.produce(TOPIC);
  const ids = [];
  for (let i = 0; i < count; i++) ids.push((await producer.publish(i, `m${i}`)).messageId!);
  return ids;
}

/** Texts of the messages that come for 100 permits. */
async function texts(client: RawClient, consumerId = 0): Promise<string[]> {
  await client.send("FLOW", { consumerId, messagePermits: 100 });
  await client.caughtUp();
  const found: string[] = [];
  while (client.waiting > 0) found.push((await client.message()).text);
  return found;
}

async function subscriptionsOf(broker: TestBroker): Promise<string[]> {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${PATH}/subscriptions`);
  return await answer.json();
}

Deno.test("CLOSE_CONSUMER of a reader takes its subscription away, of a consumer it does not", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { subscription: "kept", consumerId: 0 });
  await client.subscribe(TOPIC, { subscription: "reader", consumerId: 1, durable: false });
  assert.deepEqual((await subscriptionsOf(broker)).sort(), ["kept", "reader"]);
  for (const consumerId of [0, 1]) await client.request("CLOSE_CONSUMER", { consumerId });
  assert.deepEqual(await subscriptionsOf(broker), ["kept"]);
});

Deno.test("SUBSCRIBE of a reader begins with the entry of its start message, which its client looks into", async () => {
  await using broker = await testBroker();
  const ids = await publishAll(broker.port, 4);
  await using client = await RawClient.connect(broker.port);
  const starts: readonly (readonly [MessageIdData, string])[] = [
    [{ ledgerId: -1, entryId: -1 }, "m0"],
    [ids[0]!, "m0"],
    [ids[2]!, "m2"],
    [ids[3]!, "m3"],
  ];
  for (const [consumerId, [startMessageId, first]] of starts.entries()) {
    await client.subscribe(TOPIC, {
      consumerId,
      subscription: `r${consumerId}`,
      durable: false,
      startMessageId,
    });
    assert.equal((await texts(client, consumerId))[0], first);
  }
});

Deno.test("SUBSCRIBE with a roll-back begins so many seconds before now", async () => {
  await using broker = await testBroker();
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const nowMs = Date.now();
  for (const [sequenceId, ageSec] of [3600, 600, 60].entries()) {
    const metadata = { publishTime: nowMs - ageSec * 1000 };
    const payload = new TextEncoder().encode(`${ageSec} s`);
    await producer.write(sendFrame({ sequenceId, payload, metadata }));
    await producer.expect("SEND_RECEIPT");
  }
  await using client = await RawClient.connect(broker.port);
  for (const [consumerId, startMessageRollbackDurationSec] of [7200, 1800, 300, 10].entries()) {
    const subscription = `s${consumerId}`;
    await client.subscribe(TOPIC, { consumerId, subscription, startMessageRollbackDurationSec });
    assert.equal((await texts(client, consumerId)).length, 3 - consumerId);
  }
});

Deno.test("SEEK goes to an id, before the log or behind it, and is the same after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    {
      await using broker = await testBroker({ folder });
      const ids = await publishAll(broker.port, 4);
      await using client = await RawClient.connect(broker.port);
      const behind = { ledgerId: ids[3]!.ledgerId + 5, entryId: 0 };
      const before = { ledgerId: 0, entryId: 7 };
      for (
        const [messageId, expected] of [
          [ids[3]!, ["m3"]],
          [before, ["m0", "m1", "m2", "m3"]],
          [behind, []],
          [ids[1]!, ["m1", "m2", "m3"]],
        ] as const
      ) {
        await client.subscribe(TOPIC);
        await client.request("SEEK", { consumerId: 0, messageId });
        await client.subscribe(TOPIC);
        assert.deepEqual(await texts(client), expected);
        await client.request("CLOSE_CONSUMER", { consumerId: 0 });
      }
    }
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    await client.subscribe(TOPIC);
    assert.deepEqual(await texts(client), ["m1", "m2", "m3"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ACK of a place in a batch, cumulative, acknowledges all entries before and leaves the rest of the batch", async () => {
  await using broker = await testBroker();
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const ids: MessageIdData[] = [];
  for (let i = 0; i < 3; i++) {
    const payload = new Uint8Array(50);
    await producer.write(sendFrame({ sequenceId: 3 * i, messageCount: 3, payload }));
    ids.push((await producer.expect("SEND_RECEIPT")).messageId!);
  }
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC);
  const messageId = [{ ...ids[1]!, ackSet: [0b110n] }];
  await client.request("ACK", { consumerId: 0, ackType: 1, messageId });
  await client.request("CLOSE_CONSUMER", { consumerId: 0 });
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  const [second, third] = [await client.message(), await client.message()];
  assert.deepEqual(
    [second, third].map(({ body }) => [body.messageId.entryId, body.ackSet]),
    [[ids[1]!.entryId, [0b110n]], [ids[2]!.entryId, undefined]],
  );
  await client.caughtUp();
  assert.equal(client.waiting, 0);
});

Deno.test("ACK of an entry that is not there yet acknowledges nothing", async () => {
  await using broker = await testBroker();
  const [first] = await publishAll(broker.port, 1);
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { subType: SHARED });
  const messageId = [{ ...first!, entryId: first!.entryId + 1 }];
  await client.request("ACK", { consumerId: 0, ackType: 0, messageId });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  await producer.publish(1, "m1");
  assert.deepEqual(await texts(client), ["m0", "m1"]);
});

Deno.test("REDELIVER counts an entry once that is named twice, and is no affair of who is not served", async () => {
  await using broker = await testBroker();
  const ids = await publishAll(broker.port, 2);
  await using shared = await RawClient.connect(broker.port);
  await shared.subscribe(TOPIC, { subType: SHARED, subscription: "shared" });
  await texts(shared);
  const messageIds = [ids[0]!, ids[0]!];
  await shared.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, messageIds });
  assert.equal((await shared.message()).body.redeliveryCount, 1);

  await using active = await RawClient.connect(broker.port);
  await using standby = await RawClient.connect(broker.port);
  for (const [client, consumerName] of [[active, "a"], [standby, "b"]] as const) {
    const priorityLevel = consumerName === "a" ? 0 : 1;
    await client.subscribe(TOPIC, { subType: FAILOVER, consumerName, priorityLevel });
    await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  }
  for (let i = 0; i < 2; i++) {
    while ((await active.next())!.command.type !== "MESSAGE");
  }
  await standby.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0 });
  await standby.caughtUp();
  await active.caughtUp();
  assert.equal(active.waiting, 0);
});
