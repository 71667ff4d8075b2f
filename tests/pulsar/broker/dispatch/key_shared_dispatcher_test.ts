import assert from "node:assert/strict";
import { utf8 } from "../../../../lib/base/mod.ts";
import type { Consumer } from "../../../../lib/pulsar/broker/dispatch/consumer.ts";
import { KeyRing } from "../../../../lib/pulsar/broker/dispatch/key_ring.ts";
import { murmur3 } from "../../../../lib/pulsar/wire/murmur3.ts";
import { KeySharedMode, ServerError } from "../../../../lib/pulsar/wire/mod.ts";
import type { KeySharedMeta } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const TOPIC = topicNamed("key-shared");
const KEY_SHARED = 3;

async function joined(
  port: number,
  consumerName: string,
  { permits = 100, keySharedMeta }: { permits?: number; keySharedMeta?: KeySharedMeta } = {},
): Promise<RawClient> {
  const client = await RawClient.connect(port);
  const answer =
    (await client.subscribe(TOPIC, { subType: KEY_SHARED, consumerName, keySharedMeta })).at(-1)!;
  assert.equal(answer.type, "SUCCESS");
  if (permits > 0) await client.send("FLOW", { consumerId: 0, messagePermits: permits });
  await client.caughtUp();
  return client;
}

async function publish(producer: RawClient, sequenceId: number, partitionKey: string) {
  const payload = utf8(`m${sequenceId}`);
  await producer.write(sendFrame({ sequenceId, payload, metadata: { partitionKey } }));
  await producer.expect("SEND_RECEIPT");
}

/** A key that `name` has when all of `names` are there. */
function keyOf(name: string, names: readonly string[]): string {
  const ring = new KeyRing();
  for (const one of names) ring.add({ name: one } as Consumer);
  for (let i = 0;; i++) {
    const owner = ring.select(ring.hashOf(murmur3(utf8(`key ${i}`))))!;
    if (owner.name === name) return `key ${i}`;
  }
}

async function texts(client: RawClient): Promise<string[]> {
  await client.caughtUp();
  const found: string[] = [];
  while (client.waiting > 0) found.push((await client.message()).text);
  return found;
}

Deno.test("Key_Shared looks past the messages of a consumer that takes none, up to a bound", async () => {
  await using broker = await testBroker();
  await using _slow = await joined(broker.port, "slow", { permits: 0 });
  await using fast = await joined(broker.port, "fast", { permits: 10_000 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const names = ["slow", "fast"];
  for (let i = 0; i < 50; i++) await publish(producer, i, keyOf("slow", names));
  await publish(producer, 50, keyOf("fast", names));
  assert.deepEqual(await texts(fast), ["m50"]);
});

Deno.test("Key_Shared keeps a key with its consumer until that has acknowledged it, and gives it on in order", async () => {
  await using broker = await testBroker();
  await using old = await joined(broker.port, "old");
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const key = keyOf("new", ["old", "new"]);
  for (let i = 0; i < 3; i++) await publish(producer, i, key);
  const first = [await old.message(), await old.message(), await old.message()];
  await using joining = await joined(broker.port, "new");
  for (let i = 3; i < 5; i++) await publish(producer, i, key);
  for (const { body } of first) {
    assert.deepEqual(await texts(joining), []);
    await old.request("ACK", { consumerId: 0, ackType: 0, messageId: [body.messageId] });
  }
  assert.deepEqual(await texts(joining), ["m3", "m4"]);
  assert.deepEqual(await texts(old), []);
});

Deno.test("Key_Shared gives a key back when its new consumer goes before it got anything", async () => {
  await using broker = await testBroker();
  await using old = await joined(broker.port, "old");
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const key = keyOf("new", ["old", "new"]);
  await publish(producer, 0, key);
  const joining = await joined(broker.port, "new");
  await publish(producer, 1, key);
  assert.deepEqual(await texts(joining), []);
  await joining.request("CLOSE_CONSUMER", { consumerId: 0 });
  assert.deepEqual(await texts(old), ["m0", "m1"]);
  await joining[Symbol.asyncDispose]();
});

Deno.test("Key_Shared out of order gives a key to its new consumer at once", async () => {
  await using broker = await testBroker();
  const keySharedMeta = {
    keySharedMode: KeySharedMode.AUTO_SPLIT,
    allowOutOfOrderDelivery: true,
  };
  await using _old = await joined(broker.port, "old", { keySharedMeta });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const key = keyOf("new", ["old", "new"]);
  await publish(producer, 0, key);
  await using joining = await joined(broker.port, "new", { keySharedMeta });
  await publish(producer, 1, key);
  assert.deepEqual(await texts(joining), ["m1"]);
});

Deno.test("a sticky consumer takes over the hashes of one whose connection is dead", async () => {
  await using broker = await testBroker();
  const keySharedMeta = {
    keySharedMode: KeySharedMode.STICKY,
    hashRanges: [{ start: 0, end: 65_535 }],
  };
  const holder = await joined(broker.port, "holder", { keySharedMeta });
  await using other = await RawClient.connect(broker.port);
  const join = async () =>
    (await other.subscribe(TOPIC, { subType: KEY_SHARED, keySharedMeta })).at(-1)!;
  const refused = await join();
  assert.equal(refused.type === "ERROR" && refused.body.error, ServerError.ConsumerAssignError);
  holder.socket.close();
  assert.equal((await join()).type, "SUCCESS");
});

Deno.test("statistics name the hashes of each consumer, and those that it still has to acknowledge", async () => {
  await using broker = await testBroker();
  await using old = await joined(broker.port, "old");
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const key = keyOf("new", ["old", "new"]);
  await publish(producer, 0, key);
  const { body } = await old.message();
  await using _joining = await joined(broker.port, "new");
  await publish(producer, 1, key);
  const stats = async () => {
    const url = `${broker.adminUrl}/admin/v2/persistent/public/default/key-shared/stats`;
    return (await (await fetch(url)).json()).subscriptions.sub;
  };
  const before = await stats();
  assert.deepEqual(
    [before.keySharedMode, before.drainingHashesCount, before.drainingHashesUnackedMessages],
    ["AUTO_SPLIT", 1, 1],
  );
  const [first, second] = before.consumers;
  assert.deepEqual([first.consumerName, first.drainingHashes.length], ["old", 1]);
  const hashes = [first, second].flatMap((one) => one.keyHashRangeArrays as [number, number][]);
  assert.equal(hashes.reduce((sum, [start, end]) => sum + end - start + 1, 0), 65_535);
  await old.request("ACK", { consumerId: 0, ackType: 0, messageId: [body.messageId] });
  const after = await stats();
  assert.deepEqual([after.drainingHashesCount, after.drainingHashesClearedTotal], [0, 1]);
});
