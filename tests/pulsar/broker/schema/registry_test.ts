/** Schemas of topics, asked by raw clients; what is expected was probed from Pulsar 4.2.4. */
import assert from "node:assert/strict";
import { crc32cPortable, seededRandom, utf8 } from "../../../../lib/base/mod.ts";
import { SchemaRegistry } from "../../../../lib/pulsar/broker/schema/registry.ts";
import { parseTopicName } from "../../../../lib/pulsar/broker/topic_name.ts";
import { SchemaType, ServerError } from "../../../../lib/pulsar/wire/mod.ts";
import type { Schema } from "../../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";
import { SimDisk } from "../_sim_disk.ts";

const TOPIC = topicNamed("schema");
const A = { name: "a", type: "int" };
const B = { name: "b", type: "string" };
const B_DEFAULT = { ...B, default: "" };

const avro = (...fields: unknown[]): Schema => ({
  name: "R",
  type: SchemaType.Avro,
  schemaData: utf8(JSON.stringify({ type: "record", name: "R", fields })),
});

class Asker implements AsyncDisposable {
  #id = 0;

  private constructor(readonly client: RawClient) {}

  static async of(broker: TestBroker): Promise<Asker> {
    return new Asker(await RawClient.connect(broker.port));
  }

  /** The version that a producer is told, −1 for none, or the error's number as text. */
  async produce(schema?: Schema): Promise<number | string> {
    const producerId = this.#id++;
    const answer = await this.client.produce(TOPIC, {
      producerId,
      producerName: `p${producerId}`,
      ...(schema === undefined ? {} : { schema }),
    });
    if (answer.type === "ERROR") return `error ${answer.body.error}`;
    assert(answer.type === "PRODUCER_SUCCESS");
    return answer.body.schemaVersion?.at(-1) ?? -1;
  }

  async subscribe(schema: Schema): Promise<string> {
    const consumerId = this.#id++;
    const subscription = `s${consumerId}`;
    const answer = (await this.client.subscribe(TOPIC, { consumerId, subscription, schema }))
      .at(-1)!;
    return answer.type === "ERROR" ? `error ${answer.body.error}` : answer.type;
  }

  async get(schemaVersion?: number) {
    const version = schemaVersion === undefined
      ? {}
      : { schemaVersion: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, schemaVersion) };
    const [answer] = await this.client.request("GET_SCHEMA", { topic: TOPIC, ...version });
    assert(answer?.type === "GET_SCHEMA_RESPONSE");
    return answer.body;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }
}

const INCOMPATIBLE = `error ${ServerError.IncompatibleSchema}`;

async function admin(broker: TestBroker, method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method, headers, ...init });
  assert.equal(answer.ok, true, `${method} ${path}: ${await answer.clone().text()}`);
  return answer.text();
}

Deno.test("SchemaRegistry gives one version to one schema, however it is written", async () => {
  await using broker = await testBroker();
  await using ask = await Asker.of(broker);
  assert.equal(await ask.produce(avro(A)), 0);
  const data = '{ "name": "R", "fields": [{"type":"int","name":"a","doc":"x"}], "type": "record" }';
  assert.equal(await ask.produce({ ...avro(A), schemaData: utf8(data) }), 0);
  assert.equal(await ask.produce(avro(A, B)), INCOMPATIBLE);
  assert.equal(await ask.produce(avro(A, B_DEFAULT)), 1);
  assert.equal(await ask.produce({ ...avro(A), type: SchemaType.Json }), INCOMPATIBLE);
  assert.equal(await ask.produce({ ...avro(A), type: SchemaType.String }), INCOMPATIBLE);
  assert.equal(await ask.produce(), -1);
  assert.equal((await ask.get()).schemaVersion?.at(-1), 1);
  assert.equal((await ask.get(0)).schema?.type, SchemaType.Avro);
  assert.equal((await ask.get(9)).errorCode, ServerError.TopicNotFound);
});

Deno.test("SchemaRegistry lets a consumer in that can read the latest version", async () => {
  await using broker = await testBroker();
  await using ask = await Asker.of(broker);
  await ask.produce(avro(A, B_DEFAULT));
  // Reads what is written, but what it writes could not be read: a consumer may.
  assert.equal(await ask.subscribe(avro(A, B)), "SUCCESS");
  assert.equal(await ask.subscribe(avro({ name: "c", type: "int" })), INCOMPATIBLE);
  assert.equal(await ask.subscribe({ ...avro(A), type: SchemaType.String }), INCOMPATIBLE);
  // Whoever takes what there is: not in PulsarApi.proto's list, but sent.
  assert.equal(await ask.subscribe({ ...avro(A), type: 21 as SchemaType }), "SUCCESS");
});

Deno.test("SchemaRegistry takes a consumer's schema on an idle topic, and refuses it on one that is written without", async () => {
  await using broker = await testBroker();
  await using ask = await Asker.of(broker);
  assert.equal(await ask.subscribe(avro(A)), "SUCCESS");
  assert.equal((await ask.get()).schemaVersion?.at(-1), 0);
  await using other = await testBroker();
  await using second = await Asker.of(other);
  assert.equal(await second.produce(), -1);
  assert.equal(await second.subscribe(avro(A)), INCOMPATIBLE);
});

Deno.test("SchemaRegistry.delete() counts on behind what was deleted, also over a restart", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await testBroker({ folder });
    await using ask = await Asker.of(broker);
    await ask.produce(avro(A));
    const path = "schemas/public/default/schema/schema";
    assert.equal(await admin(broker, "DELETE", path), '{"version":1}');
    assert.equal((await ask.get()).errorCode, ServerError.TopicNotFound);
    assert.equal(await ask.produce(avro(B)), 2);
  }
  await using broker = await testBroker({ folder });
  await using ask = await Asker.of(broker);
  assert.equal(await ask.produce(avro(B)), 2);
  assert.equal((await ask.get(0)).errorCode, ServerError.TopicNotFound);
  await admin(broker, "DELETE", "schemas/public/default/schema/schema?force=true");
  assert.equal(await ask.produce(avro(A)), 0);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("SchemaRegistry.admit() keeps to the namespace's rules for producers", async () => {
  await using broker = await testBroker();
  await using ask = await Asker.of(broker);
  assert.equal(await ask.produce(avro(A)), 0);
  await admin(broker, "POST", "namespaces/public/default/isAllowAutoUpdateSchema", false);
  assert.equal(await ask.produce(avro(A, B_DEFAULT)), INCOMPATIBLE);
  assert.equal(await ask.produce(avro(A)), 0);
  await admin(broker, "POST", "namespaces/public/default/schemaValidationEnforced", true);
  assert.equal(await ask.produce(), INCOMPATIBLE);
});

Deno.test("GET_OR_CREATE_SCHEMA registers on a topic that is there", async () => {
  await using broker = await testBroker();
  await using ask = await Asker.of(broker);
  const create = async (topic: string, schema: Schema) => {
    const [answer] = await ask.client.request("GET_OR_CREATE_SCHEMA", { topic, schema });
    assert(answer?.type === "GET_OR_CREATE_SCHEMA_RESPONSE");
    return answer.body;
  };
  assert.equal((await create(TOPIC, avro(A))).errorCode, ServerError.TopicNotFound);
  await ask.produce();
  assert.equal((await create(TOPIC, avro(A))).schemaVersion?.length, 8);
  assert.equal((await create(TOPIC, avro(B))).errorCode, ServerError.IncompatibleSchema);
  const bytes = await create(TOPIC, { ...avro(A), type: SchemaType.None });
  assert.deepEqual([bytes.errorCode, bytes.schemaVersion?.length ?? 0], [undefined, 0]);
});

Deno.test("a consumer that reads whatever there is does not stand in the way of a topic's first schema", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const schemaOf = (type: SchemaType): Schema => ({ name: "s", type, schemaData: utf8("") });
  let consumerId = 0;
  const subscribe = async (topic: string, schema?: Schema) => {
    const subscription = `s${++consumerId}`;
    const options = { subscription, consumerId, ...(schema === undefined ? {} : { schema }) };
    return (await client.subscribe(topic, options)).at(-1)!.type;
  };
  for (const domain of ["persistent", "non-persistent"]) {
    const [any, bytes] = [`${domain}://public/default/any`, `${domain}://public/default/bytes`];
    assert.equal(await subscribe(any, schemaOf(SchemaType.AutoConsume)), "SUCCESS");
    assert.equal(await subscribe(any, schemaOf(SchemaType.String)), "SUCCESS");
    // Who says nothing says bytes.
    assert.equal(await subscribe(bytes), "SUCCESS");
    assert.equal(await subscribe(bytes, schemaOf(SchemaType.String)), "ERROR");
  }
});

Deno.test("SchemaRegistry.remove() waits for what is being registered, and is not undone by a power loss", async () => {
  const disk = new SimDisk(seededRandom(1));
  const registryOn = (disk: SimDisk) => {
    const place = { disk, durability: "fsync", crc32c: crc32cPortable, folder: "data" } as const;
    return new SchemaRegistry(place, () => 1_000);
  };
  const registry = registryOn(disk);
  const [name, other] = [parseTopicName(TOPIC), parseTopicName(topicNamed("other"))];
  const info = { type: SchemaType.String, data: new Uint8Array(0), properties: {} };
  await registry.getOrCreate(other, info, "FULL");
  const registered = registry.getOrCreate(name, info, "FULL");
  await registry.remove(name);
  await registered;
  for (const there of [registry, registryOn(disk.afterPowerLoss())]) {
    assert.deepEqual([there.versions(name).length, there.versions(other).length], [0, 1]);
  }
});
