/** Which topics clients may open and what comes into being, asked by raw clients; expectations were probed from Pulsar 4.2.4. */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

async function admin(broker: TestBroker, method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method, headers, ...init });
  assert.equal(answer.ok, true, `${method} ${path}: ${await answer.text()}`);
}

/** Partitions, or the error's number as text. */
async function partitions(client: RawClient, topic: string, create = true) {
  const metadataAutoCreationEnabled = create;
  const [answer] = await client.request("PARTITIONED_METADATA", {
    topic,
    metadataAutoCreationEnabled,
  });
  assert(answer?.type === "PARTITIONED_METADATA_RESPONSE");
  return answer.body.error === undefined ? answer.body.partitions : `error ${answer.body.error}`;
}

const NOT_FOUND = `error ${ServerError.TopicNotFound}`;

Deno.test("partitionsFor() makes nothing where the client does not want it", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const topic = topicNamed("maybe");
  assert.equal(await partitions(client, topic, false), NOT_FOUND);
  assert.equal(await partitions(client, topic, true), 0);
  assert.equal(await partitions(client, topic, false), NOT_FOUND);
  await client.produce(topic);
  assert.equal(await partitions(client, topic, false), 0);
  assert.equal(await partitions(client, `non-${topic}`, false), NOT_FOUND);
});

Deno.test("partitionsFor() and openWritable() keep partitions and topics without apart", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await admin(broker, "PUT", "persistent/public/default/parts/partitions", 2);
  const topic = topicNamed("parts");
  assert.equal(await partitions(client, topic), 2);
  assert.equal(await partitions(client, `${topic}-partition-0`, false), 0);
  assert.equal(await partitions(client, `${topic}-partition-2`), NOT_FOUND);
  const base = await client.produce(topic);
  assert.equal(base.type === "ERROR" && base.body.error, ServerError.NotAllowedError);
  const beyond = await client.produce(`${topic}-partition-2`);
  assert.equal(beyond.type === "ERROR" && beyond.body.error, ServerError.TopicNotFound);
  await admin(broker, "POST", "persistent/public/default/parts/partitions", 3);
  assert.equal(await partitions(client, topic), 3);
  assert.equal((await client.produce(`${topic}-partition-2`)).type, "PRODUCER_SUCCESS");
});

Deno.test("openWritable() and openReadable() make no partition of a topic that has none", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  for (const topic of [topicNamed("orphan-partition-0"), `non-${topicNamed("x-partition-3")}`]) {
    const produced = await client.produce(topic);
    assert.equal(produced.type === "ERROR" && produced.body.error, ServerError.NotAllowedError);
    const subscribed = (await client.subscribe(topic)).at(-1)!;
    assert.equal(subscribed.type === "ERROR" && subscribed.body.error, ServerError.NotAllowedError);
  }
  assert.equal((await client.produce(topicNamed("x-partition-00"))).type, "PRODUCER_SUCCESS");
});

Deno.test("partitionsFor() makes partitioned topics where the namespace says so", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await admin(broker, "POST", "namespaces/public/default/autoTopicCreation", {
    allowAutoTopicCreation: true,
    topicType: "partitioned",
    defaultNumPartitions: 4,
  });
  assert.equal(await partitions(client, topicNamed("auto"), false), NOT_FOUND);
  assert.equal(await partitions(client, topicNamed("auto")), 4);
  assert.equal(await partitions(client, topicNamed("auto"), false), 4);
  assert.equal((await client.produce(topicNamed("auto-partition-3"))).type, "PRODUCER_SUCCESS");
});

Deno.test("openReadable() and openWritable() make nothing where the namespace forbids it", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(topicNamed("there"), { producerId: 9 });
  const off = { allowAutoTopicCreation: false };
  await admin(broker, "POST", "namespaces/public/default/autoTopicCreation", off);
  for (const topic of [topicNamed("no"), `non-${topicNamed("no")}`]) {
    assert.equal(await partitions(client, topic), NOT_FOUND);
    const produced = await client.produce(topic);
    assert.equal(produced.type === "ERROR" && produced.body.error, ServerError.TopicNotFound);
    const subscribed = (await client.subscribe(topic)).at(-1)!;
    assert.equal(subscribed.type === "ERROR" && subscribed.body.error, ServerError.TopicNotFound);
  }
  assert.equal(
    (await client.produce(topicNamed("there"), { producerName: "b" })).type,
    "PRODUCER_SUCCESS",
  );
});

Deno.test("openWritable() stops at the namespace's bounds", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await admin(broker, "POST", "namespaces/public/default/maxTopicsPerNamespace", 1);
  await admin(broker, "POST", "namespaces/public/default/maxProducersPerTopic", 1);
  await client.produce(topicNamed("one"), { producerId: 0, producerName: "a" });
  const topic = await client.produce(topicNamed("two"), { producerId: 1 });
  assert.equal(topic.type === "ERROR" && topic.body.error, ServerError.NotAllowedError);
  const second = await client.produce(topicNamed("one"), { producerId: 2, producerName: "b" });
  assert.equal(second.type === "ERROR" && second.body.error, ServerError.ProducerBusy);
});

Deno.test("partitionsFor() answers clients that look up over HTTP", async () => {
  await using broker = await testBroker();
  const at = `${broker.adminUrl}/admin/v2/persistent/public/default/new/partitions`;
  const allowed = await fetch(`${at}?checkAllowAutoCreation=true`);
  assert.deepEqual(await allowed.json(), { partitions: 0, deleted: false });
  const refused = await fetch(at);
  assert.equal(refused.status, 404);
  await refused.body?.cancel();
});

Deno.test("LOOKUP answers for any topic of a namespace, and for no listener", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const lookup = async (topic: string, more: object = {}) => {
    const [answer] = await client.request("LOOKUP", { topic, authoritative: false, ...more });
    assert(answer?.type === "LOOKUP_RESPONSE");
    return answer.body.error ?? answer.body.brokerServiceUrl;
  };
  assert.equal(await lookup(topicNamed("any")), broker.url);
  assert.equal(await lookup(topicNamed("any"), { advertisedListenerName: "" }), broker.url);
  const named = await lookup(topicNamed("any"), { advertisedListenerName: "other" });
  assert.equal(named, ServerError.ServiceNotReady);
  assert.equal(await lookup("persistent://public/none/any"), ServerError.TopicNotFound);
  assert.equal(await lookup("persistent://any"), ServerError.InvalidTopicName);
});

Deno.test("commands of transactions are answered as by a Pulsar that has them switched off", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const topic = topicNamed("plain");
  const id = { txnidMostBits: 0, txnidLeastBits: 1 };
  const subscription = { topic, subscription: "sub" };
  const answers = [
    await client.request("TC_CLIENT_CONNECT_REQUEST", { tcId: 0 }),
    await client.request("NEW_TXN", { tcId: 0 }),
    await client.request("ADD_PARTITION_TO_TXN", { ...id, partitions: [topic] }),
    await client.request("ADD_SUBSCRIPTION_TO_TXN", { ...id, subscription: [subscription] }),
    await client.request("END_TXN", { ...id, txnAction: 0 }),
  ];
  for (const [answer] of answers) {
    assert(answer?.type === "ERROR");
    assert.equal(answer.body.error, ServerError.NotAllowedError);
    assert.equal(answer.body.message, "Transactions are not enabled.");
  }
  const [partition] = await client.request("END_TXN_ON_PARTITION", { ...id, topic, txnAction: 0 });
  assert.equal(partition?.type, "END_TXN_ON_PARTITION_RESPONSE");
  const [on] = await client.request("END_TXN_ON_SUBSCRIPTION", {
    ...id,
    subscription,
    txnAction: 0,
  });
  assert.equal(on?.type, "END_TXN_ON_SUBSCRIPTION_RESPONSE");
  await client.produce(topic);
  const plain = sendFrame({ sequenceId: 0, payload: utf8("x") });
  await client.write(plain);
  await client.expect("SEND_RECEIPT");
});
