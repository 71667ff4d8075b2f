/** The Java client reads what our producer sends, and ours what Java's sends: on a real Pulsar and on the embedded broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PULSAR_LIB_DIR } from "../../infra/pulsar/server.ts";
import { utf8 } from "../../lib/base/mod.ts";
import { connectPulsar, type PulsarClient, schema, startBroker } from "../../lib/pulsar/mod.ts";
import { interopServers } from "./harness.ts";

interface Order {
  readonly at: number;
  readonly count: number;
  readonly item: string | null;
  readonly price?: number | null;
}

const FIELDS = [
  { name: "at", type: "long" },
  { name: "count", type: "int" },
  { name: "item", type: ["null", "string"], default: null },
];
const PRICE = { name: "price", type: ["null", "double"], default: null };

/** As Java derives it from the class of the same name. */
function orders(...fields: object[]) {
  const record = { type: "record", name: "Order", namespace: "ReadsWhatWeSend", fields };
  return schema.avro<Order>(record);
}

const NOW = orders(...FIELDS, PRICE);

/** Java's `Arrays.hashCode(byte[])`. */
function javaHash(bytes: Uint8Array): number {
  let hash = 1;
  for (const byte of bytes) hash = (Math.imul(31, hash) + ((byte << 24) >> 24)) | 0;
  return hash;
}

const LARGE = new Uint8Array(11_000_000).map((_, i) => Math.imul(i, 2654435761) >>> 9);

async function sendBytes(client: PulsarClient, topic: string): Promise<void> {
  await using producer = await client.openProducer({
    topic,
    producerName: "weir",
    chunking: true,
    compression: "zstd",
  });
  const batch = [
    producer.send({
      value: utf8("one"),
      key: "k",
      orderingKey: utf8("o"),
      properties: { a: "b" },
      eventTimeMs: 77,
    }),
    producer.send({ value: utf8("two"), keyBytes: new Uint8Array([1, 2]) }),
    producer.send({ value: null, key: "gone" }),
  ];
  await producer.flush();
  await Promise.all(batch);
  await producer.send({ value: LARGE });
  await producer.send({ value: utf8("alone") });
  const options = { topic, producerName: "by-key", batching: { by: "key" } } as const;
  await using byKey = await client.openProducer({ ...options, compression: "snappy" });
  const keyed = ["s1", "s2"].map((text) => byKey.send({ value: utf8(text), key: "x" }));
  await byKey.flush();
  await Promise.all(keyed);
}

async function sendSchemas(client: PulsarClient, prefix: string): Promise<void> {
  const tea = { at: 1_790_000_000_123, count: 2, item: "tea", price: 2.5 };
  await using avro = await client.openProducer({ topic: `${prefix}avro`, schema: NOW });
  await avro.send({ value: tea });
  await avro.sendAs(orders(...FIELDS), { value: { at: 1, count: 1, item: "old" } });
  const pairs = schema.keyValue(schema.string(), NOW, "separated");
  await using pair = await client.openProducer({ topic: `${prefix}pairs`, schema: pairs });
  await pair.send({ value: { key: "a", value: tea } });
  await pair.send({ value: { key: "b", value: null } });
  await pair.send({ value: { key: null, value: tea } });
  const instant = schema.instant();
  await using time = await client.openProducer({ topic: `${prefix}instant`, schema: instant });
  await time.send({ value: "2026-11-21T07:43:32.123456789Z" });
  const definition = new TextDecoder().decode(NOW.info!.schemaData);
  const json = schema.json<Order>(definition);
  await using text = await client.openProducer({ topic: `${prefix}json`, schema: json });
  await text.send({ value: tea });
}

const EXPECTED = [
  "one key=k base64=false ordering=o properties={a=b} event=77 sequence=0 producer=weir",
  "two key=AQI= base64=true ordering=null properties={} event=0 sequence=1 producer=weir",
  "null key=gone base64=false ordering=null properties={} event=0 sequence=2 producer=weir",
  `11000000 bytes, ${
    javaHash(LARGE)
  } key=null base64=false ordering=null properties={} event=0 sequence=3 producer=weir`,
  "alone key=null base64=false ordering=null properties={} event=0 sequence=4 producer=weir",
  "s1 key=x base64=false ordering=null properties={} event=0 sequence=0 producer=by-key",
  "s2 key=x base64=false ordering=null properties={} event=0 sequence=1 producer=by-key",
  "avro tea 2 1790000000123 2.5",
  "auto tea of 4",
  "auto old of 3",
  "pair a tea",
  "pair b null",
  "pair null tea",
  "instant 2026-11-21T07:43:32.123456789Z",
  "json tea",
];

async function readBack(client: PulsarClient, prefix: string): Promise<void> {
  const options = { subscription: "weir", initialPosition: "earliest" } as const;
  const open = { ...options, topic: `${prefix}back-avro` };
  await using avro = await client.openConsumer({ ...open, schema: orders(...FIELDS) });
  assert.deepEqual({ ...(await avro.receive()).value }, { at: 0, count: 3, item: "from Java" });
  for (const [i, pairs] of [PAIRS, schema.autoConsume()].entries()) {
    const topic = `${prefix}back-pairs`;
    const subscription = `weir-${i}`;
    const all = { ...options, topic, subscription, schema: pairs };
    await using consumer = await client.openConsumer<unknown>(all);
    assert.deepEqual((await consumer.receive()).value, { key: 7n, value: "seven" });
    assert.deepEqual((await consumer.receive()).value, { key: 8n, value: null });
  }
  await using chunks = await client.openConsumer({ ...options, topic: `${prefix}back-chunks` });
  const { data } = await chunks.receive();
  assert.equal(data.length, 12_000_000);
  assert.ok(data.every((byte, i) => byte === ((i * 31) & 255)));
}

const PAIRS = schema.keyValue(schema.int64(), schema.string(), "separated");

async function assertUnderstood(serviceUrl: string): Promise<void> {
  await using client = await connectPulsar({ serviceUrl });
  const prefix = `persistent://public/default/java-${crypto.randomUUID().slice(0, 8)}-`;
  await sendBytes(client, `${prefix}bytes`);
  await sendSchemas(client, prefix);
  const source = join(import.meta.dirname!, "ReadsWhatWeSend.java");
  const { code, stdout, stderr } = await new Deno.Command("java", {
    args: ["-cp", `${PULSAR_LIB_DIR}/*`, source, serviceUrl, prefix],
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, error);
  const lines = out!.split("\n").filter((line) =>
    EXPECTED.some((known) => startsAlike(line, known))
  );
  assert.deepEqual(lines, EXPECTED);
  await readBack(client, prefix);
}

/** Java's logging writes to standard output as well. */
function startsAlike(line: string, expected: string): boolean {
  return line.split(" ", 1)[0] === expected.split(" ", 1)[0];
}

Deno.test("the Java client and ours understand one another on a real Pulsar", async () => {
  await assertUnderstood(interopServers().plain.serviceUrl);
});

Deno.test("the Java client and ours understand one another on the embedded broker", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using broker = await startBroker({ folder });
    await assertUnderstood(broker.url);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
