/**
 * What a service does with the client, run by Node: `node scenario.mjs URL CA_FILE`. No name of Deno's is used here.
 *
 * It says `cut` when its connections shall be broken, and `done` with what it saw.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { connectPulsar, type PulsarClient, schema } from "../../lib/pulsar/client/mod.ts";

const COUNT = 2000;
const TOPIC = "from-node";

interface Order {
  readonly item: string;
  readonly count: number;
}

const ORDERS = schema.avro<Order>({
  type: "record",
  name: "Order",
  fields: [{ name: "item", type: "string" }, { name: "count", type: "int" }],
});

function say(word: string, rest: object = {}): void {
  process.stdout.write(`${JSON.stringify({ word, ...rest })}\n`);
}

async function produce(client: PulsarClient): Promise<void> {
  const producer = await client.openProducer({
    topic: TOPIC,
    schema: ORDERS,
    producerName: "node",
    compression: "lz4",
    batching: { messagesMax: 100 },
  });
  const half = Array.from(
    { length: COUNT / 2 },
    (_, count) => producer.send({ value: { item: "tea", count }, key: `table-${count % 7}` }),
  );
  await Promise.all(half);
  say("cut");
  const rest = Array.from(
    { length: COUNT / 2 },
    (_, i) =>
      producer.send({ value: { item: "tea", count: COUNT / 2 + i }, key: `table-${i % 7}` }),
  );
  await Promise.all(rest);
  assert.equal(producer.stats.messagesAcknowledged, COUNT);
  await producer.close();
}

async function consume(client: PulsarClient): Promise<number> {
  const consumer = await client.openConsumer({
    topic: TOPIC,
    subscription: "node",
    initialPosition: "earliest",
    schema: ORDERS,
  });
  const seen = new Set<number>();
  let last = -1;
  while (seen.size < COUNT) {
    const message = await consumer.receive();
    const { count } = message!.value;
    // What was not acknowledged when the connection broke comes again; nothing new comes out of order.
    if (!seen.has(count)) assert.equal(count, ++last);
    seen.add(count);
    await consumer.acknowledge(message!);
  }
  await consumer.close();
  return seen.size;
}

async function main([serviceUrl, caFile]: readonly string[]): Promise<void> {
  const client = await connectPulsar({
    serviceUrl: serviceUrl!,
    caCertificates: [await readFile(caFile!, "utf8")],
  });
  try {
    const [consumed] = await Promise.all([consume(client), produce(client)]);
    say("done", { consumed, runtime: `${process.release.name} ${process.version}` });
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

// Node must end by itself: a timer or socket that is left would keep it.
await main(process.argv.slice(2));
