/** Subscriptions of all four types. */
import type { Consumer } from "../../../../lib/pulsar/mod.ts";
import {
  assert,
  type Context,
  drain,
  eventually,
  numbered,
  of,
  receive,
  refused,
  send,
  SILENCE_MS,
  silent,
  sleep,
  take,
  textOf,
  texts,
} from "./context.ts";

export async function exclusive(c: Context): Promise<void> {
  const first = await c.consumer();
  c.note("error", await refused(() => c.consumer()));
  c.note("another type", await refused(() => c.shared()));
  await first.close();
  await c.consumer();
}

export async function failover_by_name(c: Context): Promise<void> {
  await c.partitioned(2);
  const failover = (consumerName: string) =>
    c.consumer({ subscriptionType: "failover", consumerName });
  const second = await failover("b");
  const first = await failover("a");
  // A consumer that lives hands over after a second.
  await sleep(1_500);
  const producers = [
    await c.producer({ topic: c.topic("-partition-0") }),
    await c.producer({ topic: c.topic("-partition-1") }),
  ];
  for (const text of numbered(5)) {
    for (const [i, producer] of producers.entries()) {
      await producer.send(of(text, { properties: { partition: `${i}` } }));
    }
  }
  const seen = [await take(first, 5), await take(second, 5)];
  seen.forEach((messages, i) => {
    assert.deepEqual(texts(messages), numbered(5));
    for (const { properties } of messages) assert.equal(properties["partition"], `${i}`);
  });
  for (const message of seen[0]!.slice(0, 3)) await first.acknowledge(message);
  for (const message of seen[1]!) await second.acknowledge(message);
  await first.close();
  assert.deepEqual(texts(await take(second, 2)), ["message 3", "message 4"]);
  await send(producers[0]!, ["another"]);
  assert.equal(textOf(await receive(second)), "another");
}

/** Without partitions a hash chooses; the names are without the run, to compare brokers. */
export async function failover_by_ring(c: Context): Promise<void> {
  const names = ["a", "b", "c"];
  const topics = numbered(8, "").map((i) =>
    `persistent://public/default/weir-failover-ring-${i.trim()}`
  );
  const consumers = new Map<string, Consumer[]>();
  for (const topic of topics) {
    const ofTopic: Consumer[] = [];
    for (const consumerName of names) {
      ofTopic.push(await c.consumer({ topic, subscriptionType: "failover", consumerName }));
    }
    consumers.set(topic, ofTopic);
  }
  await sleep(2_500);
  let active = "";
  for (const topic of topics) {
    await send(await c.producer({ topic }), ["x"]);
    const counts = await Promise.all(consumers.get(topic)!.map((one) => drain(one, 150)));
    const got = names.filter((_, i) => counts[i]!.length > 0);
    assert.equal(got.length, 1);
    active += got[0];
  }
  c.note("active", active);
}

export async function failover_by_priority(c: Context): Promise<void> {
  await c.partitioned(1);
  const failover = (consumerName: string, priority: number) =>
    c.consumer({ subscriptionType: "failover", consumerName, priority });
  const low = await failover("a", 1);
  const high = await failover("b", 0);
  await sleep(1_500);
  const producer = await c.producer();
  await send(producer, numbered(3));
  for (const message of await take(high, 3)) await high.acknowledge(message);
  await silent(low);
  await high.close();
  await send(producer, numbered(3, "later"));
  assert.deepEqual(texts(await take(low, 3)), numbered(3, "later"));
}

export async function shared(c: Context): Promise<void> {
  const consumers = [];
  for (let i = 0; i < 3; i++) consumers.push(await c.shared({ receiverQueueSize: 10 }));
  await send(await c.producer(), numbered(60));
  const seen = await Promise.all(consumers.map((consumer) => drain(consumer)));
  for (const one of seen) assert(one.length >= 10, `one got ${one.length} only`);
  assert.deepEqual(texts(seen.flat()).sort(), numbered(60).sort());
}

export async function shared_priority(c: Context): Promise<void> {
  const low = await c.shared({ receiverQueueSize: 20, priority: 1 });
  const high = await c.shared({ receiverQueueSize: 5, priority: 0 });
  await send(await c.producer(), numbered(10));
  await sleep(SILENCE_MS);
  // What it may hold is full; the rest goes down.
  assert.deepEqual(texts(await take(high, 5)), numbered(10).slice(0, 5));
  assert.deepEqual(texts(await take(low, 5)), numbered(10).slice(5));
}

export async function key_shared(c: Context): Promise<void> {
  const open = () => c.consumer({ subscriptionType: "key_shared" });
  const consumers = [await open(), await open()];
  const producer = await c.producer();
  for (let i = 0; i < 100; i++) await producer.send(of(`${i}`, { key: `key ${i % 20}` }));
  const seen = await Promise.all(consumers.map((consumer) => drain(consumer)));
  assert.equal(seen.flat().length, 100);
  const keys = seen.map((messages) => new Set(messages.map(({ key }) => key)));
  assert(keys.every(({ size }) => size > 0), "a consumer got nothing");
  assert(keys[0]!.isDisjointFrom(keys[1]!), "a key has two consumers");
  for (const messages of Map.groupBy(seen.flat(), ({ key }) => key).values()) {
    const order = messages.map((message) => Number(textOf(message)));
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
  }
}

interface Member {
  leave(): Promise<void>;
}

/** Takes and acknowledges until it is told to leave. */
async function join(c: Context, arrivals: Map<number, string>): Promise<Member> {
  const consumer = await c.consumer({ subscriptionType: "key_shared", receiverQueueSize: 20 });
  let isLeaving = false;
  const loop = (async () => {
    while (!isLeaving) {
      const message = await consumer.receive({ timeoutMs: 100 });
      if (message === undefined) continue;
      const number = Number(textOf(message));
      // Only the first time counts: what was not acknowledged by one that left comes again.
      if (!arrivals.has(number)) arrivals.set(number, message.key!);
      await consumer.acknowledge(message);
      await sleep(2);
    }
    await consumer.close();
  })();
  return {
    async leave() {
      isLeaving = true;
      await loop;
    },
  };
}

export async function key_shared_order(c: Context): Promise<void> {
  const arrivals = new Map<number, string>();
  const members = [await join(c, arrivals)];
  const producer = await c.producer();
  for (let i = 0; i < 300; i++) {
    await producer.send(of(`${i}`, { key: `key ${i % 10}` }));
    if ([50, 100, 200].includes(i)) members.push(await join(c, arrivals));
    if ([150, 250].includes(i)) await members.shift()!.leave();
  }
  await eventually("all arrive", () => arrivals.size === 300);
  for (const member of members) await member.leave();
  for (const ofKey of Map.groupBy(arrivals, ([, key]) => key).values()) {
    const order = ofKey.map(([number]) => number);
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
  }
}

export async function key_shared_sticky(c: Context): Promise<void> {
  const sticky = (start: number, end: number) =>
    c.consumer({
      subscriptionType: "key_shared",
      keySharedPolicy: { mode: "sticky", ranges: [{ start, end }] },
    });
  const low = await sticky(0, 32_767);
  const high = await sticky(32_768, 65_535);
  c.note("overlap", await refused(() => sticky(100, 200)));
  const producer = await c.producer();
  for (let i = 0; i < 40; i++) await producer.send(of(`${i}`, { key: `key ${i}` }));
  const lower = texts(await drain(low));
  assert.equal(lower.length + (await drain(high)).length, 40);
  // By Murmur3 of the key, modulo 65536: the same for every broker.
  c.note("low half", lower.sort());
}

export async function initial_position(c: Context): Promise<void> {
  const producer = await c.producer();
  await send(producer, ["before"]);
  const earliest = await c.consumer({ subscription: "earliest" });
  const latest = await c.consumer({ subscription: "latest", initialPosition: "latest" });
  await send(producer, ["after"]);
  assert.deepEqual(texts(await take(earliest, 2)), ["before", "after"]);
  assert.deepEqual(texts(await take(latest, 1)), ["after"]);
}

export async function consumer_properties(c: Context): Promise<void> {
  await c.consumer({
    consumerName: "me",
    properties: { a: "1" },
    subscriptionProperties: { b: "2" },
  });
  const { consumers, subscriptionProperties } = (await c.stats()).subscriptions.sub;
  assert.equal(consumers.length, 1);
  assert.equal(consumers[0].consumerName, "me");
  assert.deepEqual(consumers[0].metadata, { a: "1" });
  assert.deepEqual(subscriptionProperties, { b: "2" });
}

export async function unsubscribe(c: Context): Promise<void> {
  const producer = await c.producer();
  const consumer = await c.consumer();
  await send(producer, ["before"]);
  await consumer.acknowledge(await receive(consumer));
  await consumer.unsubscribe();
  assert.deepEqual((await c.stats()).subscriptions, {});
  assert.equal(textOf(await receive(await c.consumer())), "before");
}
