import assert from "node:assert/strict";
import { Secret, utf8 } from "../../../lib/base/mod.ts";
import { startBroker } from "../../../lib/pulsar/broker/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("t");
const FAILOVER = 2;

Deno.test("a broker delivers an entry byte for byte as it came", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  const frame = sendFrame({
    sequenceId: 0,
    payload: crypto.getRandomValues(new Uint8Array(50_000)),
  });
  await client.write(frame);
  await client.expect("SEND_RECEIPT");
  const { command, section } = (await client.next())!;
  assert.equal(command.type, "MESSAGE");
  assert.equal(section.toHex(), frame.subarray(frame.length - section.length).toHex());
});

Deno.test("a broker speaks the older of both protocol versions, and names itself", async () => {
  await using broker = await testBroker({ version: "1.2.3" });
  for (const [asked, spoken] of [[20, 20], [21, 21], [99, 21]] as const) {
    await using client = await RawClient.dial(broker.port);
    await client.send("CONNECT", { clientVersion: "raw", protocolVersion: asked });
    const connected = await client.expect("CONNECTED");
    assert.equal(connected.protocolVersion, spoken);
    assert.equal(connected.maxMessageSize, 5_242_880);
    assert.equal(connected.serverVersion, "weir-embedded-1.2.3");
  }
});

Deno.test("a broker with a token lets in who shows it and nobody else", async () => {
  await using broker = await testBroker({ token: new Secret("open sesame") });
  await using friend = await RawClient.connect(broker.port, {
    authMethodName: "token",
    authData: utf8("open sesame"),
  });
  assert.equal((await friend.produce(TOPIC)).type, "PRODUCER_SUCCESS");
  for (const authData of [utf8("open sesamE"), new Uint8Array(0)]) {
    await using stranger = await RawClient.dial(broker.port);
    await stranger.send("CONNECT", { clientVersion: "raw", authMethodName: "token", authData });
    const error = await stranger.expect("ERROR");
    assert.deepEqual([error.error, error.requestId], [ServerError.AuthenticationError, -1n]);
    assert.equal(await stranger.ended(), true);
  }
  const answer = await fetch(`${broker.adminUrl}/admin/v2/tenants`);
  assert.equal(answer.status, 401);
  await answer.body?.cancel();
  const known = await fetch(`${broker.adminUrl}/admin/v2/tenants`, {
    headers: { authorization: "Bearer open sesame" },
  });
  assert.deepEqual(await known.json(), ["public", "pulsar"]);
});

Deno.test("messages, cursors, schemas, sequence ids and partitions outlive a restart", async () => {
  const folder = await Deno.makeTempDir();
  const schema = {
    name: "s",
    type: 4 as const,
    schemaData: utf8('{"type":"record","name":"R","fields":[]}'),
  };
  {
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    await client.produce(TOPIC, { schema });
    await client.subscribe(TOPIC);
    await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
    for (let i = 0; i < 4; i++) {
      await client.publish(i, `m${i}`);
      const { body } = await client.message();
      if (i !== 1) continue;
      await client.request("ACK", { consumerId: 0, ackType: 1, messageId: [body.messageId] });
    }
  }
  {
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    const created = await client.produce(TOPIC, { schema });
    assert.equal(created.type, "PRODUCER_SUCCESS");
    assert.equal(created.type === "PRODUCER_SUCCESS" && created.body.lastSequenceId, 3);
    await client.subscribe(TOPIC);
    await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
    assert.equal((await client.message()).text, "m2");
    assert.equal((await client.message()).text, "m3");
    const duplicate = await client.publish(3, "again");
    assert.equal(duplicate.messageId?.ledgerId, -1);
    await client.publish(4, "m4");
    assert.equal((await client.message()).text, "m4");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a message that comes twice is stored once, also while the first copy waits for its sync", async () => {
  await using broker = await testBroker({ durability: "fsync" });
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  const frames = [0, 0, 1, 0].map((sequenceId) => sendFrame({ sequenceId, payload: utf8("x") }));
  const joined = new Uint8Array(frames.flatMap((frame) => [...frame]));
  await client.write(joined);
  const receipts = [];
  for (let i = 0; i < 4; i++) receipts.push(await client.expect("SEND_RECEIPT"));
  const stored = receipts.filter((receipt) => receipt.messageId!.ledgerId >= 0);
  assert.deepEqual(stored.map((receipt) => receipt.sequenceId), [0, 1]);
});

Deno.test("a producer's name belongs to one connection until that is dead", async () => {
  await using broker = await testBroker();
  await using first = await RawClient.connect(broker.port);
  await using second = await RawClient.connect(broker.port);
  assert.equal((await first.produce(TOPIC)).type, "PRODUCER_SUCCESS");
  const refused = await second.produce(TOPIC);
  assert.equal(refused.type === "ERROR" && refused.body.error, ServerError.ProducerBusy);
  first.socket.close();
  assert.equal((await second.produce(TOPIC)).type, "PRODUCER_SUCCESS");
});

Deno.test("a producer without a name gets one that no other has", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const names = new Set<string>();
  for (let producerId = 0; producerId < 3; producerId++) {
    const created = await client.produce(TOPIC, { producerId, producerName: undefined });
    assert.equal(created.type, "PRODUCER_SUCCESS");
    if (created.type === "PRODUCER_SUCCESS") names.add(created.body.producerName);
  }
  assert.equal(names.size, 3);
});

Deno.test("an exclusive producer has the topic to itself, and one that fences takes it", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const as = (producerId: number, producerAccessMode: 0 | 1 | 2 | 3) =>
    client.produce(TOPIC, { producerId, producerName: `p${producerId}`, producerAccessMode });
  const exclusive = await as(0, 1);
  assert.equal(exclusive.type === "PRODUCER_SUCCESS" && exclusive.body.topicEpoch, 0);
  const shared = await as(1, 0);
  assert.equal(shared.type === "ERROR" && shared.body.error, ServerError.ProducerBusy);
  const second = await as(2, 1);
  assert.equal(second.type === "ERROR" && second.body.error, ServerError.ProducerFenced);
  const fencing = await client.request("PRODUCER", {
    topic: TOPIC,
    producerId: 3,
    producerName: "p3",
    producerAccessMode: 3,
  });
  // As Pulsar: who is fenced hears of it when it comes back.
  assert.deepEqual(fencing.map((one) => one.type), ["PRODUCER_SUCCESS"]);
  const last = fencing.at(-1)!;
  assert.equal(last.type === "PRODUCER_SUCCESS" && last.body.topicEpoch, 1);
  await client.write(sendFrame({ producerId: 0, sequenceId: 0, payload: utf8("fenced") }));
  assert.equal(await client.ended(), true);
});

Deno.test("Failover serves the first by priority and name, and moves on when he goes, from the last acknowledged", async () => {
  await using broker = await testBroker();
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  await using b = await RawClient.connect(broker.port);
  await using a = await RawClient.connect(broker.port);
  const join = (client: RawClient, consumerName: string) =>
    client.subscribe(TOPIC, { subType: FAILOVER, consumerName });
  await join(b, "b");
  await b.send("FLOW", { consumerId: 0, messagePermits: 100 });
  await producer.publish(0, "m0");
  assert.equal((await b.message()).text, "m0");
  await b.request("ACK", { consumerId: 0, ackType: 1, messageId: [{ ledgerId: 0, entryId: 0 }] });
  await producer.publish(1, "m1");
  assert.equal((await b.message()).text, "m1");

  const joined = await join(a, "a");
  // One of both is told on a topic without partitions: the ring decides, the names are fixed here.
  const isATaken = joined.some((one) => one.type === "ACTIVE_CONSUMER_CHANGE" && one.body.isActive);
  const [winner, loser] = isATaken ? [a, b] : [b, a];
  await winner.send("FLOW", { consumerId: 0, messagePermits: 100 });
  await loser.send("FLOW", { consumerId: 0, messagePermits: 100 });
  winner.socket.close();
  let told = await loser.next();
  while (told?.command.type === "ACTIVE_CONSUMER_CHANGE" && !told.command.body.isActive) {
    told = await loser.next();
  }
  assert.equal(told?.command.type, "ACTIVE_CONSUMER_CHANGE");
  assert.equal((await loser.message()).text, "m0");
  assert.equal((await loser.message()).text, "m1");
});

Deno.test("REDELIVER_UNACKNOWLEDGED_MESSAGES brings back everything behind the cursor, under the new epoch", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.subscribe(TOPIC, { consumerEpoch: 0 });
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  for (let i = 0; i < 3; i++) {
    await client.publish(i, `m${i}`);
    const { body } = await client.message();
    if (i === 1) {
      await client.request("ACK", { consumerId: 0, ackType: 0, messageId: [body.messageId] });
    }
  }
  await client.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, consumerEpoch: 1 });
  const again = [await client.message(), await client.message()];
  assert.deepEqual(again.map(({ text }) => text), ["m0", "m2"]);
  assert.deepEqual(again.map(({ body }) => body.consumerEpoch), [1, 1]);
});

Deno.test("a command that the broker does not know is answered with an error, not with silence", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const answers = await client.request("TC_CLIENT_CONNECT_REQUEST", { tcId: 0 });
  const [answer] = answers;
  assert.equal(answer?.type === "ERROR" && answer.body.error, ServerError.NotAllowedError);
});

Deno.test("the backlog quota closes producers and refuses new ones until the consumers have caught up", async () => {
  await using broker = await testBroker({ policies: { backlogBytesMax: 3000 } });
  await using consumer = await RawClient.connect(broker.port);
  await consumer.subscribe(TOPIC);
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.publish(0, "x".repeat(4000));
  const closed = await client.expect("CLOSE_PRODUCER");
  assert.deepEqual([closed.producerId, closed.requestId], [0, -1n]);
  const refused = await client.produce(TOPIC, { epoch: 1 });
  assert.equal(
    refused.type === "ERROR" && refused.body.error,
    ServerError.ProducerBlockedQuotaExceededError,
  );
  await consumer.send("FLOW", { consumerId: 0, messagePermits: 1 });
  const { body } = await consumer.message();
  await consumer.request("ACK", { consumerId: 0, ackType: 1, messageId: [body.messageId] });
  assert.equal((await client.produce(TOPIC, { epoch: 2 })).type, "PRODUCER_SUCCESS");
});

Deno.test("a frame over the maximum ends its connection and no other", async () => {
  await using broker = await testBroker();
  await using good = await RawClient.connect(broker.port);
  await using bad = await RawClient.connect(broker.port);
  await bad.write(new Uint8Array([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]));
  assert.equal(await bad.ended(), true);
  assert.match(broker.lines.join("\n"), /at most 5253120 allowed/);
  assert.equal((await good.produce(TOPIC)).type, "PRODUCER_SUCCESS");
});

Deno.test("a consumer that never reads costs bounded memory and holds nobody up", async () => {
  await using broker = await testBroker({ tailBytesMax: 4 * 1024 * 1024 });
  await using stuck = await RawClient.connect(broker.port);
  await stuck.subscribe(TOPIC);
  stuck.isDeaf = true;
  await stuck.send("FLOW", { consumerId: 0, messagePermits: 1_000_000 });
  await using reader = await RawClient.connect(broker.port);
  await reader.subscribe(TOPIC, { subscription: "other" });
  await reader.send("FLOW", { consumerId: 0, messagePermits: 1_000_000 });
  await using producer = await RawClient.connect(broker.port);
  await producer.produce(TOPIC);
  const payload = new Uint8Array(400_000);
  for (let i = 0; i < 60; i++) {
    await producer.write(sendFrame({ sequenceId: i, payload }));
    await producer.expect("SEND_RECEIPT");
    assert.equal((await reader.next())?.command.type, "MESSAGE");
  }
  const text = await (await fetch(broker.metricsUrl)).text();
  const slabBytes = Number(/weir_broker_slab_bytes\S* (\d+)/.exec(text)![1]);
  assert.ok(slabBytes < 12 * 1024 * 1024, `${slabBytes} bytes in slabs`);
});

Deno.test("startBroker() says plainly that another broker has the folder, or that a port is taken", async () => {
  await using broker = await testBroker();
  await assert.rejects(startBroker({ folder: broker.folder }), {
    code: "locked",
    message: /another broker is using it/,
  });
  const folder = await Deno.makeTempDir();
  await assert.rejects(startBroker({ folder, port: broker.port }), {
    code: "port_taken",
    cure: /--port/,
  });
  await assert.rejects(startBroker({ folder, adminPort: broker.adminPort }), {
    code: "port_taken",
    cure: /--admin-port/,
  });
  await assert.rejects(startBroker({ folder: "/proc/nothing" }), { code: "not_writable" });
  await using free = await testBroker({ folder });
  assert.notEqual(free.port, broker.port);
});

Deno.test("topics and subscriptions with names longer than those of files come back after a restart", async () => {
  const folder = await Deno.makeTempDir();
  const topic = topicNamed("Ünder ".repeat(60));
  const subscription = "UPPER".repeat(100);
  {
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    await client.subscribe(topic, { subscription });
    await client.produce(topic);
    await client.publish(0, "kept");
    const path = `${encodeURIComponent("parted ".repeat(60))}/partitions`;
    await fetch(`${broker.adminUrl}/admin/v2/persistent/public/default/${path}`, {
      method: "PUT",
      body: "2",
    });
  }
  {
    await using broker = await testBroker({ folder });
    await using client = await RawClient.connect(broker.port);
    await client.subscribe(topic, { subscription, initialPosition: 0 });
    await client.send("FLOW", { consumerId: 0, messagePermits: 1 });
    assert.equal((await client.message()).text, "kept");
    const [metadata] = await client.request("PARTITIONED_METADATA", {
      topic: topicNamed("parted ".repeat(60)),
    });
    assert.equal(metadata?.type === "PARTITIONED_METADATA_RESPONSE" && metadata.body.partitions, 2);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a cumulative acknowledgement of what is not there yet acknowledges nothing", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const topic = topicNamed("ahead");
  await client.subscribe(topic);
  await client.produce(topic);
  for (let i = 0; i < 3; i++) await client.publish(i, `m${i}`);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  const { ledgerId } = (await client.message()).body.messageId;
  for (const ahead of [{ ledgerId, entryId: 300 }, { ledgerId: ledgerId + 50, entryId: 0 }]) {
    await client.request("ACK", { consumerId: 0, ackType: 1, messageId: [ahead] });
  }
  const answer = await fetch(`${broker.adminUrl}/admin/v2/persistent/public/default/ahead/stats`);
  assert.equal((await answer.json()).subscriptions.sub.msgBacklog, 3);
});

Deno.test("a reader that starts behind the end gets what comes next", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  const topic = topicNamed("behind-the-end");
  await client.produce(topic);
  const { ledgerId } = (await client.publish(0, "old")).messageId!;
  await client.subscribe(topic, { durable: false, startMessageId: { ledgerId, entryId: 1_000 } });
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  await client.publish(1, "new");
  assert.equal((await client.message()).text, "new");
});
