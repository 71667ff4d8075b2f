/** Bytes and definitions are those of the Java client 4.2.4. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOfHex, hexOf, textOf, utf8 } from "../../../lib/base/mod.ts";
import { PulsarError, SchemaType } from "../../../lib/pulsar/wire/mod.ts";
import { keyHash } from "../../../lib/pulsar/client/key_hash.ts";
import type { Schema, SchemaInfo, WriterSchemas } from "../../../lib/pulsar/client/schema.ts";
import { splitKeyValueInfo } from "../../../lib/pulsar/client/schema_key_value.ts";
import { schema } from "../../../lib/pulsar/client/schemas.ts";

const ORDER =
  '{"type":"record","name":"Order","namespace":"Golden","fields":[{"name":"at","type":"long"},{"name":"count","type":"int"},{"name":"item","type":["null","string"],"default":null},{"name":"price","type":["null","double"],"default":null}]}';

interface Order {
  readonly at: number;
  readonly count: number;
  readonly item: string | null;
  readonly price: number | null;
}

const TEA: Order = { at: 1_790_000_000_123, count: 2, item: "tea", price: 2.5 };

/** A registry that holds these versions, from 0. */
function registryOf(...versions: SchemaInfo[]): WriterSchemas & { asked: number } {
  return {
    asked: 0,
    get(version) {
      this.asked++;
      return Promise.resolve(versions[version!.at(-1)!]);
    },
  };
}

const versionBytes = (version: number) => new Uint8Array([0, 0, 0, 0, 0, 0, 0, version]);

function assertGolden<T>(made: Schema<T>, value: T, hex: string): void {
  assert.equal(hexOf(made.encode(value)).replaceAll(" ", ""), hex);
  assert.deepEqual(made.decode(bytesOfHex(hex)), value);
}

function assertMismatch(action: () => unknown): void {
  assert.throws(
    action,
    (error) => error instanceof PulsarError && error.code === "schema_mismatch",
  );
}

Deno.test("keyHash() is Java's JavaStringHash and Murmur3_32Hash", () => {
  const golden: readonly (readonly [string, number, number])[] = [
    ["", 0, 0],
    ["a", 97, 1009084850],
    ["hello", 99162322, 613153351],
    ["key-1", 101943363, 414258592],
    ["Grüße", 69215351, 1791607040],
    ["日本語-キー", 1294416357, 172171954],
    ["abcdefgh", 1259673732, 1239272644],
    ["😀x", 54959989, 1914495294],
  ];
  for (const [key, java, murmur] of golden) {
    assert.equal(keyHash(key, "JavaStringHash"), java, key);
    assert.equal(keyHash(key, "Murmur3_32Hash"), murmur, key);
  }
  assert.equal(keyHash("polygenelubricants"), -2147483648 & 0x7fffffff);
});

Deno.test("schema has the bytes of Java's single values", () => {
  assertGolden(schema.boolean(), true, "01");
  assertGolden(schema.boolean(), false, "00");
  assertGolden(schema.int8(), -2, "fe");
  assertGolden(schema.int16(), -2, "fffe");
  assertGolden(schema.int32(), -2, "fffffffe");
  assertGolden(schema.int64(), -2n, "fffffffffffffffe");
  assertGolden(schema.int64(), 1234567890123456789n, "112210f47de98115");
  assertGolden(schema.float(), 1.5, "3fc00000");
  assertGolden(schema.double(), -1.5, "bff8000000000000");
  assertGolden(schema.string(), "Grüße", "4772c3bcc39f65");
  assertGolden(schema.bytes(), new Uint8Array([1]), "01");
});

Deno.test("schema has the bytes of Java's points in time", () => {
  assertGolden(schema.date(), new Date(1790000000123), "000001a0c4506c7b");
  assertGolden(schema.time(), new Date(3723000), "000000000038cef8");
  assertGolden(schema.timestamp(), new Date(1790000000123), "000001a0c4506c7b");
  const instant = schema.instant();
  assertGolden(instant, "2026-11-21T07:43:32.123456789Z", "000000006b014ba4075bcd15");
  assertGolden(instant, "1969-12-31T23:59:59.5Z", "ffffffffffffffff1dcd6500");
  assertGolden(schema.localDate(), "2026-11-21", "000000000000512a");
  assertGolden(schema.localDate(), "1969-12-31", "ffffffffffffffff");
  assertGolden(schema.localTime(), "07:43:32.123456789", "0000194b83bd3515");
  assertGolden(
    schema.localDateTime(),
    "2026-11-21T07:43:32.123456789",
    "000000000000512a0000194b83bd3515",
  );
});

Deno.test("schema registers single values under Java's names and types", () => {
  const expected: readonly (readonly [Pick<Schema<unknown>, "info">, string, SchemaType])[] = [
    [schema.boolean(), "Boolean", SchemaType.Bool],
    [schema.int8(), "INT8", SchemaType.Int8],
    [schema.int16(), "INT16", SchemaType.Int16],
    [schema.int32(), "INT32", SchemaType.Int32],
    [schema.int64(), "INT64", SchemaType.Int64],
    [schema.float(), "Float", SchemaType.Float],
    [schema.double(), "Double", SchemaType.Double],
    [schema.string(), "String", SchemaType.String],
    [schema.date(), "Date", SchemaType.Date],
    [schema.time(), "Time", SchemaType.Time],
    [schema.timestamp(), "Timestamp", SchemaType.Timestamp],
    [schema.instant(), "Instant", SchemaType.Instant],
    [schema.localDate(), "LocalDate", SchemaType.LocalDate],
    [schema.localTime(), "LocalTime", SchemaType.LocalTime],
    [schema.localDateTime(), "LocalDateTime", SchemaType.LocalDateTime],
  ];
  for (const [made, name, type] of expected) {
    assert.deepEqual([made.info!.name, made.info!.type], [name, type]);
    assert.equal(made.info!.schemaData.length, 0);
  }
  assert.equal(schema.bytes().info, undefined);
});

Deno.test("schema refuses values that do not fit, and bytes of another length", () => {
  assertMismatch(() => schema.int8().encode(128));
  assertMismatch(() => schema.int32().encode(0.5));
  assertMismatch(() => schema.int64().encode(1n << 63n));
  assertMismatch(() => schema.int64().encode(5 as unknown as bigint));
  assertMismatch(() => schema.boolean().encode(1 as unknown as boolean));
  assertMismatch(() => schema.string().encode(undefined as unknown as string));
  assertMismatch(() => schema.date().encode(new Date(NaN)));
  assertMismatch(() => schema.localDate().encode("2026-02-30"));
  assertMismatch(() => schema.localTime().encode("24:00:00"));
  assertMismatch(() => schema.instant().encode("2026-11-21T07:43:32"));
  assertMismatch(() => schema.int32().decode(new Uint8Array(3)));
  assertMismatch(() => schema.localTime().decode(new Uint8Array(8).fill(255)));
});

Deno.test("schema gives back every point in time", () => {
  const nanos = fc.integer({ min: 0, max: 999_999_999 });
  const seconds = fc.integer({ min: -8_640_000_000, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, nanos, (second, nano) => {
      const bytes = new Uint8Array(12);
      new DataView(bytes.buffer).setBigInt64(0, BigInt(second));
      new DataView(bytes.buffer).setInt32(8, nano);
      const instant = schema.instant();
      assert.deepEqual(instant.encode(instant.decode(bytes)), bytes);
    }),
    { seed: 7 },
  );
});

Deno.test("schema.avro() has the bytes of Java's", () => {
  const orders = schema.avro<Order>(ORDER);
  assert.equal(
    hexOf(orders.encode(TEA)).replaceAll(" ", ""),
    "f6b183c59868040206746561020000000000000440",
  );
  assert.deepEqual({ ...orders.decode(orders.encode(TEA)) }, TEA);
  assert.equal(textOf(orders.info!.schemaData), ORDER);
  assert.equal(orders.info!.type, SchemaType.Avro);
  assertMismatch(() => orders.encode({ ...TEA, count: "two" } as unknown as Order));
  assertMismatch(() => orders.decode(new Uint8Array([1])));
  assertMismatch(() => schema.avro("{"));
});

Deno.test("schema.avro() reads longs as bigint where it is told to", () => {
  const definition = { type: "record", name: "R", fields: [{ name: "id", type: "long" }] };
  const big = schema.avro<{ id: bigint }>(definition, { longs: "bigint" });
  const id = 1234567890123456789n;
  assert.equal(big.decode(big.encode({ id })).id, id);
  // As numbers they would lose their last digits: that is an error, not another number.
  assertMismatch(() => schema.avro(definition).decode(big.encode({ id })));
});

Deno.test("schema.avro() reads messages of other versions of the topic's schema", async () => {
  const field = (name: string, rest: object) => ({ name, ...rest });
  const [v0, v1] = [
    [field("item", { type: "string" }), field("gone", { type: "int" })],
    [field("item", { type: "string" }), field("size", { type: "string", default: "small" })],
  ].map((fields) => schema.avro<Record<string, unknown>>({ type: "record", name: "R", fields }));
  const registry = registryOf(v0!.info!, v1!.info!);
  const reader = v1!.forTopic!(registry);
  const old = { schemaVersion: versionBytes(0) };
  await reader.prepare(old.schemaVersion);
  const bytes = v0!.encode({ item: "tea", gone: 5 });
  assert.deepEqual({ ...reader.decode(bytes, old) }, { item: "tea", size: "small" });
  // Known versions are not asked for again.
  assert.equal(reader.prepare(old.schemaVersion), undefined);
  assert.equal(registry.asked, 1);
  const newer = { schemaVersion: versionBytes(1) };
  await reader.prepare(newer.schemaVersion);
  const own = v1!.encode({ item: "tea", size: "large" });
  assert.deepEqual({ ...reader.decode(own, newer) }, { item: "tea", size: "large" });
});

Deno.test("schema.avro() reads what was written under another name of the record, as Java's library", async () => {
  const version = (name: string) =>
    schema.avro<Record<string, unknown>>({
      type: "record",
      name,
      fields: [
        { name: "item", type: "string" },
        {
          name: "parts",
          type: {
            type: "array",
            items: { type: "record", name: `${name}Part`, fields: [{ name: "n", type: "int" }] },
          },
        },
      ],
    });
  const names = ["OrderV0", "OrderV1", "Order"];
  const reader = version("Order").forTopic!(
    registryOf(...names.map((name) => version(name).info!)),
  );
  for (const [i, name] of names.entries()) {
    const schemaVersion = versionBytes(i);
    await reader.prepare(schemaVersion);
    const { item, parts } = reader.decode(
      version(name).encode({ item: name, parts: [{ n: i }] }),
      { schemaVersion },
    );
    assert.deepEqual([item, (parts as { n: number }[])[0]!.n], [name, i]);
  }
});

Deno.test("schema.avro() says which version it cannot read", async () => {
  const reader = schema.avro(ORDER).forTopic!(registryOf(schema.string().info!));
  await assert.rejects(
    async () => await reader.prepare(versionBytes(0)),
    /schema String, which is not AVRO/,
  );
});

Deno.test("schema.json() writes JSON and registers AVRO's definition", () => {
  const orders = schema.json<Order>(ORDER);
  assert.deepEqual(JSON.parse(textOf(orders.encode(TEA))), TEA);
  assert.deepEqual(
    orders.decode(utf8('{"item":"tea","count":2,"at":1790000000123,"price":2.5}')),
    TEA,
  );
  assert.equal(orders.info!.type, SchemaType.Json);
  assert.equal(textOf(orders.info!.schemaData), ORDER);
  assertMismatch(() => orders.decode(utf8("{")));
  assertMismatch(() => schema.json<bigint>(ORDER).encode(5n));
  assertMismatch(() => schema.json<undefined>(ORDER).encode(undefined));
});

Deno.test("schema.keyValue() has the bytes of Java's pairs, inline and separated", () => {
  const inline = schema.keyValue(schema.string(), schema.int32());
  assertGolden(inline, { key: "k", value: 5 }, "000000016b0000000400000005");
  assertGolden(inline, { key: null, value: 5 }, "ffffffff0000000400000005");
  assertGolden(inline, { key: "k", value: null }, "000000016bffffffff");
  const separated = schema.keyValue(schema.string(), schema.int32(), "separated");
  const pair = { key: "k", value: 5 };
  assert.equal(hexOf(separated.encode(pair)).replaceAll(" ", ""), "00000005");
  assert.deepEqual(separated.encodeKey!(pair), utf8("k"));
  assert.deepEqual(separated.decode(bytesOfHex("00000005"), { keyBytes: utf8("k") }), pair);
  assertMismatch(() => inline.decode(bytesOfHex("000000016b00000004000000")));
  assertMismatch(() => inline.decode(bytesOfHex("000000016b000000040000000500")));
});

Deno.test("schema.keyValue() is registered as Java registers pairs", () => {
  const { info } = schema.keyValue(schema.avro(ORDER), schema.json(ORDER), "separated");
  const length = "000000eb";
  const order = hexOf(utf8(ORDER)).replaceAll(" ", "");
  assert.equal(hexOf(info!.schemaData).replaceAll(" ", ""), `${length}${order}${length}${order}`);
  const properties = Object.fromEntries(info!.properties!.map(({ key, value }) => [key, value]));
  assert.deepEqual(properties, {
    "key.schema.name": "Order",
    "key.schema.type": "AVRO",
    "key.schema.properties": "{}",
    "value.schema.name": "Order",
    "value.schema.type": "JSON",
    "value.schema.properties": "{}",
    "kv.encoding.type": "SEPARATED",
  });
  const parts = splitKeyValueInfo(info!);
  assert.deepEqual([parts.key.type, parts.value.type], [SchemaType.Avro, SchemaType.Json]);
  assert.equal(parts.encoding, "separated");
});

Deno.test("schema.keyValue() reads other versions of its parts", async () => {
  const fields = [{ name: "item", type: "string" }];
  const added = [...fields, { name: "size", type: "string", default: "small" }];
  const [old, now] = [fields, added].map((list) =>
    schema.avro<Record<string, string>>({ type: "record", name: "R", fields: list })
  );
  const written = schema.keyValue(schema.string(), old!);
  const reader = schema.keyValue(schema.string(), now!).forTopic!(registryOf(written.info!));
  const schemaVersion = versionBytes(0);
  await reader.prepare(schemaVersion);
  const bytes = written.encode({ key: "k", value: { item: "tea" } });
  const { key, value } = reader.decode(bytes, { schemaVersion });
  assert.deepEqual([key, { ...value }], ["k", { item: "tea", size: "small" }]);
});

Deno.test("schema.autoConsume() reads each message by the schema that it was written with", async () => {
  const orders = schema.avro<Order>(ORDER);
  const pairs = schema.keyValue(schema.string(), schema.int64());
  const registry = registryOf(schema.int32().info!, orders.info!, pairs.info!, {
    name: "P",
    type: SchemaType.Protobuf,
    schemaData: new Uint8Array(0),
  });
  const reader = schema.autoConsume().forTopic!(registry);
  const cases: readonly (readonly [Uint8Array, unknown])[] = [
    [schema.int32().encode(-5), -5],
    [orders.encode(TEA), TEA],
    [pairs.encode({ key: "k", value: 7n }), { key: "k", value: 7n }],
  ];
  for (const [version, [bytes, value]] of cases.entries()) {
    const schemaVersion = versionBytes(version);
    await reader.prepare(schemaVersion);
    const decoded = reader.decode(bytes, { schemaVersion });
    assert.deepEqual(typeof decoded === "object" ? { ...decoded } : decoded, value);
  }
  assert.deepEqual(reader.decode(utf8("raw")), utf8("raw"));
  const nothing = new Uint8Array(0);
  const [none, int32] = [{ isNull: true }, { isNull: true, schemaVersion: versionBytes(0) }];
  assert.deepEqual([reader.decode(nothing, none), reader.decode(nothing, int32)], [null, null]);
  await assert.rejects(async () => await reader.prepare(versionBytes(3)), /PROTOBUF/);
  assertMismatch(() => reader.encode("anything"));
});
