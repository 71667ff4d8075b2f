/** Topics, their life, and connections to them. */
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
  silent,
  sleep,
  take,
  textOf,
  texts,
} from "./context.ts";

export async function partitioned_by_key(c: Context): Promise<void> {
  await c.partitioned(4);
  const consumer = await c.consumer();
  const producer = await c.producer();
  for (let i = 0; i < 40; i++) await producer.send(of(`${i}`, { key: `key ${i % 8}` }));
  const used = new Set<number>();
  for (const messages of Map.groupBy(await take(consumer, 40), ({ key }) => key).values()) {
    const partitions = new Set(messages.map(({ id }) => id.partition));
    assert.equal(partitions.size, 1);
    partitions.forEach((partition) => used.add(partition));
    const order = messages.map((message) => Number(textOf(message)));
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
  }
  assert(used.size > 1, "one partition got all");
  await silent(consumer);
}

export async function round_robin(c: Context): Promise<void> {
  await c.partitioned(3);
  const consumer = await c.consumer();
  await send(await c.producer(), numbered(30));
  assert.equal(new Set((await take(consumer, 30)).map(({ id }) => id.partition)).size, 3);
}

export async function custom_router(c: Context): Promise<void> {
  await c.partitioned(3);
  const consumer = await c.consumer();
  const producer = await c.producer({ routing: (_, { partitionCount }) => partitionCount - 1 });
  await send(producer, numbered(5));
  for (const { id } of await take(consumer, 5)) assert.equal(id.partition, 2);
}

/** Compared with the other clients: the same keys must go to the same partitions. */
async function keyHash(c: Context, hashing: "JavaStringHash" | "Murmur3_32Hash"): Promise<void> {
  await c.partitioned(7);
  const consumer = await c.consumer();
  const producer = await c.producer({ hashing });
  const keys = ["a", "key", "zwei ä", "a longer key that is hashed in several steps"];
  for (const key of keys) await producer.send(of(key, { key }));
  const seen = new Map((await take(consumer, 4)).map(({ key, id }) => [key, id.partition]));
  c.note("partitions", keys.map((key) => seen.get(key)));
}

export const key_hash_java = (c: Context): Promise<void> => keyHash(c, "JavaStringHash");
export const key_hash_murmur3 = (c: Context): Promise<void> => keyHash(c, "Murmur3_32Hash");

export async function non_persistent(c: Context): Promise<void> {
  const topic = `non-persistent://public/default/${c.name()}`;
  const producer = await c.producer({ topic });
  await send(producer, ["nobody listens"]);
  const consumer = await c.consumer({ topic });
  const two = { topic, subscription: "two" };
  const [first, second] = [await c.shared(two), await c.shared(two)];
  await send(producer, numbered(10));
  assert.deepEqual(texts(await take(consumer, 10)), numbered(10));
  const both = [...texts(await drain(first)), ...texts(await drain(second))];
  assert.deepEqual(both.sort(), numbered(10));
  await consumer.close();
  await silent(await c.consumer({ topic }));
}

export async function multi_topic(c: Context): Promise<void> {
  const topics = [c.topic("-0"), c.topic("-1"), c.topic("-2")];
  const consumer = await c.consumer({ topics });
  for (const topic of topics) await send(await c.producer({ topic }), [topic]);
  const messages = await take(consumer, 3);
  assert.deepEqual(texts(messages).sort(), topics);
  for (const message of messages) {
    assert.equal(message.topic, textOf(message));
    await consumer.acknowledge(message);
  }
  await silent(consumer);
}

export async function pattern(c: Context): Promise<void> {
  await send(await c.producer({ topic: c.topic("-0") }), ["zero"]);
  // No interval is set: the broker tells of it, by the watcher of the list of topics.
  const consumer = await c.consumer({ topicsPattern: `${c.topic("-")}.*` });
  assert.equal(textOf(await receive(consumer)), "zero");
  await send(await c.producer({ topic: c.topic("-1") }), ["one"]);
  assert.equal(textOf(await receive(consumer)), "one");
  await silent(consumer);
}

export async function topic_listing(c: Context): Promise<void> {
  await c.partitioned(3, "-p");
  const client = await c.client();
  assert.equal(await client.partitionCount(c.topic("-p")), 3);
  await (await c.producer()).close();
  assert.equal(await client.partitionCount(c.topic()), 0);
  assert((await c.admin("GET", "persistent/public/default")).includes(c.topic()));
}

export async function partition_growth(c: Context): Promise<void> {
  await c.partitioned(2);
  const producer = await c.producer({ partitionsUpdateIntervalMs: 1_000 });
  const consumer = await c.consumer({ autoUpdatePartitionsIntervalMs: 1_000 });
  await c.admin("POST", `${c.path()}/partitions`, 4);
  const used = new Set<number>();
  let open = 0;
  const get = async (timeoutMs: number) => {
    const message = await consumer.receive({ timeoutMs });
    if (message === undefined) return;
    used.add(message.id.partition);
    open--;
  };
  await eventually("all partitions are used", async () => {
    await send(producer, ["x"]);
    open++;
    await get(200);
    return used.size === 4;
  });
  await eventually("nothing is lost", async () => {
    if (open > 0) await get(1_000);
    return open === 0;
  });
}

export async function missing_namespace(c: Context): Promise<void> {
  const topic = `persistent://public/${c.name("-nowhere")}/topic`;
  c.note("producer", await refused(() => c.producer({ topic })));
  c.note("consumer", await refused(() => c.consumer({ topic })));
}

export async function termination(c: Context): Promise<void> {
  const producer = await c.producer();
  const consumer = await c.consumer();
  await send(producer, numbered(3));
  const last = await c.admin("POST", `${c.path()}/terminate`);
  c.note("error of the producer", await refused(() => send(producer, ["too late"])));
  c.note("error of a new producer", await refused(() => c.producer()));
  const messages = await take(consumer, 3);
  assert.equal(last.entryId, messages[2]!.id.entryId);
  await silent(consumer);
  const late = await c.consumer({ subscription: "late" });
  assert.deepEqual(texts(await take(late, 3)), numbered(3));
}

export async function end_of_topic(c: Context): Promise<void> {
  const consumer = await c.consumer();
  await send(await c.producer(), numbered(2));
  assert(!consumer.hasReachedEndOfTopic, "it has not ended");
  await c.admin("POST", `${c.path()}/terminate`);
  for (const message of await take(consumer, 2)) await consumer.acknowledge(message);
  await eventually("the consumer knows", () => consumer.hasReachedEndOfTopic);
}

export async function unload(c: Context): Promise<void> {
  const producer = await c.producer();
  const consumer = await c.consumer();
  await send(producer, numbered(5));
  for (const message of await take(consumer, 5)) await consumer.acknowledge(message);
  await sleep(500);
  await c.admin("PUT", `${c.path()}/unload`);
  await send(producer, numbered(5, "later"));
  assert.deepEqual(texts(await take(consumer, 5)), numbered(5, "later"));
  await silent(consumer);
}

export async function delete_in_use(c: Context): Promise<void> {
  const producer = await c.producer();
  await c.consumer();
  c.note("status", (await c.adminStatus("DELETE", c.path())).status);
  await send(producer, ["still there"]);
  await c.admin("DELETE", `${c.path()}?force=true`);
  await eventually("it is gone or anew", async () => {
    const { status, text } = await c.adminStatus("GET", `${c.path()}/stats`);
    return status === 404 || JSON.parse(text).msgInCounter === 0;
  });
}

export async function several_service_urls(c: Context): Promise<void> {
  const live = c.config.serviceUrl.slice("pulsar://".length);
  const client = await c.open({ serviceUrl: `pulsar://127.0.0.1:1,${live}` });
  await send(await client.openProducer({ topic: c.topic() }), ["x"]);
}

export async function broker_restart(c: Context): Promise<void> {
  const producer = await c.producer({ sendTimeoutMs: 60_000 });
  const consumer = await c.consumer();
  await send(producer, numbered(10));
  const seen = new Set(texts(await take(consumer, 5)));
  await c.control("restart");
  await send(producer, numbered(10, "later"));
  for (const text of texts(await drain(consumer, 3_000))) seen.add(text);
  assert.equal(seen.size, 20);
}
