/** Schemas. */
import { type Schema, schema } from "../../../../lib/pulsar/mod.ts";
import { assert, type Context, receive, refused, take } from "./context.ts";

interface Reading {
  readonly source: string;
  readonly value: number;
  readonly unit?: string;
}

const record = (...fields: object[]) => ({
  type: "record",
  name: "Reading",
  namespace: "weir",
  fields: [{ name: "source", type: "string" }, ...fields],
});
const READING = record({ name: "value", type: "int" });
const OTHER = record({ name: "value", type: "string" });
const WIDER = record(
  { name: "value", type: "int" },
  { name: "unit", type: "string", default: "none" },
);

/** A value there and back, and what the broker keeps of its schema. */
async function through<T>(
  c: Context,
  suffix: string,
  as: Schema<T>,
  value: T,
): Promise<{ seen: T; kind: string }> {
  const topic = c.topic(suffix);
  const consumer = await c.consumer<T>({ topic, schema: as });
  await (await c.producer<T>({ topic, schema: as })).send({ value });
  const seen = (await receive(consumer)).value;
  const { type } = await c.admin("GET", `schemas/public/default/${c.name(suffix)}/schema`);
  return { seen, kind: type };
}

async function holds<T>(
  c: Context,
  kind: string,
  as: Schema<T>,
  value: T,
): Promise<void> {
  const suffix = `-${kind}`;
  assert.deepEqual(await through(c, suffix, as, value), { seen: value, kind });
}

export async function schema_string(c: Context): Promise<void> {
  await holds(c, "STRING", schema.string(), "the text");
}

export async function schema_json(c: Context): Promise<void> {
  const { seen, kind } = await through(c, "", schema.json<Reading>(READING), {
    source: "a",
    value: 1,
  });
  assert.deepEqual({ ...seen, kind }, { source: "a", value: 1, kind: "JSON" });
}

export async function schema_avro(c: Context): Promise<void> {
  const { seen, kind } = await through(c, "", schema.avro<Reading>(READING), {
    source: "a",
    value: 1,
  });
  assert.deepEqual({ ...seen, kind }, { source: "a", value: 1, kind: "AVRO" });
}

export async function schema_numbers(c: Context): Promise<void> {
  await holds(c, "INT8", schema.int8(), -8);
  await holds(c, "INT16", schema.int16(), -1600);
  await holds(c, "INT32", schema.int32(), -320_000);
  await holds(c, "INT64", schema.int64(), -(1n << 40n));
  await holds(c, "FLOAT", schema.float(), 1.5);
  await holds(c, "DOUBLE", schema.double(), 2.25);
  await holds(c, "BOOLEAN", schema.boolean(), true);
}

export async function schema_time(c: Context): Promise<void> {
  const date = new Date(1_700_000_000_123);
  await holds(c, "DATE", schema.date(), date);
  await holds(c, "TIME", schema.time(), date);
  await holds(c, "TIMESTAMP", schema.timestamp(), date);
  await holds(c, "INSTANT", schema.instant(), "2023-11-14T22:13:20.000000123Z");
  await holds(c, "LOCAL_DATE", schema.localDate(), "2026-11-21");
  await holds(c, "LOCAL_TIME", schema.localTime(), "12:34:56.000789");
  await holds(c, "LOCAL_DATE_TIME", schema.localDateTime(), "2026-11-21T12:34:56.000789");
}

export async function schema_key_value(c: Context): Promise<void> {
  for (const encoding of ["inline", "separated"] as const) {
    const as = schema.keyValue(schema.string(), schema.avro<Reading>(READING), encoding);
    const value = { key: "key", value: { source: "a", value: 1 } };
    const { seen, kind } = await through(c, `-${encoding}`, as, value);
    assert.equal(kind, "KEY_VALUE");
    assert.equal(seen.key, "key");
    assert.deepEqual({ ...seen.value }, value.value);
  }
}

export async function schema_incompatible(c: Context): Promise<void> {
  const producer = await c.producer({ schema: schema.avro<Reading>(READING) });
  await producer.send({ value: { source: "a", value: 1 } });
  const other = schema.avro<Reading>(OTHER);
  c.note("producer", await refused(() => c.producer({ schema: other })));
  c.note("consumer", await refused(() => c.consumer({ subscription: "other", schema: other })));
  c.note("another kind", await refused(() => c.producer({ schema: schema.string() })));
}

async function sendBoth(c: Context): Promise<void> {
  const old = await c.producer({ schema: schema.avro<Reading>(READING) });
  await old.send({ value: { source: "old", value: 1 } });
  const wide = await c.producer({ schema: schema.avro<Reading>(WIDER) });
  await wide.send({ value: { source: "new", value: 2, unit: "K" } });
}

export async function schema_evolution(c: Context): Promise<void> {
  await sendBoth(c);
  const consumer = await c.consumer({ schema: schema.avro<Reading>(WIDER) });
  const messages = await take(consumer, 2);
  assert.deepEqual(messages.map(({ schemaVersion }) => schemaVersion?.at(-1)), [0, 1]);
  assert.deepEqual(messages.map(({ value }) => value.unit), ["none", "K"]);
}

export async function schema_auto_consume(c: Context): Promise<void> {
  await sendBoth(c);
  const consumer = await c.consumer({ schema: schema.autoConsume() });
  const [old, wide] = (await take(consumer, 2)).map(({ value }) => value as Reading);
  assert.deepEqual({ ...old }, { source: "old", value: 1 });
  assert.deepEqual({ ...wide }, { source: "new", value: 2, unit: "K" });
}
