/** What clients may do to a broker, by mistake or on purpose; in each case the others must not notice. */
import assert from "node:assert/strict";
import { FakeClock, utf8 } from "../../../lib/base/mod.ts";
import { CompressionType, encodeCommand } from "../../../lib/pulsar/wire/mod.ts";
import { untilTrue } from "../../until_true.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("t");
const MEBIBYTE = 1024 * 1024;

/** Somebody else can still do everything. */
async function assertUnharmed(broker: TestBroker): Promise<void> {
  await using client = await RawClient.connect(broker.port);
  const producerName = `unharmed-${crypto.randomUUID()}`;
  await client.produce(topicNamed("unharmed"), { producerName });
  await client.publish(0, "x");
}

/** The first eight bytes of a frame: both its sizes. */
function announcing(total: number, command: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, total);
  view.setUint32(4, command);
  return bytes;
}

Deno.test("who has not introduced himself may say little", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.dial(broker.port);
  await client.write(announcing(1024 * 1024, 1024 * 1024 - 4));
  assert.equal(await client.ended(), true);
  await assertUnharmed(broker);
});

Deno.test("frames that announce more than comes cost what has come, not what was announced", async () => {
  await using broker = await testBroker();
  await assertUnharmed(broker);
  const before = Deno.memoryUsage();
  const clients: RawClient[] = [];
  for (let i = 0; i < 200; i++) {
    const client = await RawClient.connect(broker.port);
    await client.write(announcing(5 * MEBIBYTE, 20));
    clients.push(client);
  }
  await assertUnharmed(broker);
  const { external, heapUsed } = Deno.memoryUsage();
  // A gigabyte was announced. Both ends of each connection are in this process, and RawClient takes 1 MiB.
  const grown = external + heapUsed - before.external - before.heapUsed - clients.length * MEBIBYTE;
  assert.ok(grown < 40 * MEBIBYTE, `${Math.round(grown / MEBIBYTE)} MiB`);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test("sizes that contradict each other end the connection", async () => {
  await using broker = await testBroker();
  const lies = [announcing(0, 0), announcing(3, 0), announcing(8, 100), announcing(2 ** 32 - 1, 4)];
  for (const lie of lies) {
    await using client = await RawClient.connect(broker.port);
    await client.write(lie);
    await client.write(new Uint8Array(64));
    assert.equal(await client.ended(), true, String(lie));
  }
  await assertUnharmed(broker);
});

Deno.test("a command with a number that its enum does not have ends the connection where the field is required, as in Pulsar", async () => {
  await using broker = await testBroker();
  const subscribe = { topic: TOPIC, subscription: "s", subType: 0, consumerId: 0 } as const;
  const refused = [
    encodeCommand("SUBSCRIBE", { ...subscribe, requestId: 1n, subType: 9 as 0 }),
    encodeCommand("SUBSCRIBE", {
      ...subscribe,
      requestId: 1n,
      subType: 3,
      keySharedMeta: { keySharedMode: 5 as 0 },
    }),
    encodeCommand("ACK", { consumerId: 0, ackType: 2 as 0 }),
    // Of no kind that there is: type 99 and a field of that number.
    new Uint8Array([0, 0, 0, 9, 0, 0, 0, 5, 0x08, 99, 0x9a, 0x06, 0x00]),
  ];
  for (const frame of refused) {
    await using client = await RawClient.connect(broker.port);
    await client.write(frame);
    assert.equal(await client.ended(), true);
  }
  // What need not come at all is then what it is by default: no access of its own, and the latest position.
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC, { subscription: "latest", initialPosition: 5 as 0 });
  const answer = await client.produce(TOPIC, { producerAccessMode: 8 as 0 });
  assert.equal(answer.type, "PRODUCER_SUCCESS");
  await assertUnharmed(broker);
});

Deno.test("a connection that says nothing, or nothing whole, is closed after half a minute", async () => {
  const clock = new FakeClock();
  await using broker = await testBroker({ clock });
  await using silent = await RawClient.dial(broker.port);
  await using slow = await RawClient.dial(broker.port);
  await using known = await RawClient.connect(broker.port);
  const hello = encodeCommand("CONNECT", { clientVersion: "slow", protocolVersion: 21 });
  for (let second = 0; second < 32; second++) {
    if (second < hello.length - 1 && !slow.isEnded) {
      await slow.write(hello.subarray(second, second + 1)).catch(() => {});
      await known.caughtUp();
    }
    await clock.advance(1000);
  }
  assert.equal(await silent.ended(), true);
  assert.equal(await slow.ended(), true);
  await known.caughtUp();
});

Deno.test("a client that falls silent is asked, and goes when it does not answer", async () => {
  const clock = new FakeClock();
  await using broker = await testBroker({ clock });
  await using alive = await RawClient.connect(broker.port);
  await using dead = await RawClient.connect(broker.port);
  dead.answersPing = false;
  await clock.advance(31_000);
  await dead.expect("PING");
  await alive.caughtUp();
  await clock.advance(31_000);
  assert.equal(await dead.ended(), true);
  await alive.caughtUp();
});

Deno.test("one client too many is told so, and another one may come when one has gone", async () => {
  await using broker = await testBroker({ connectionsMax: 2 });
  await using _first = await RawClient.connect(broker.port);
  const second = await RawClient.connect(broker.port);
  {
    await using third = await RawClient.dial(broker.port);
    const { message } = await third.expect("ERROR");
    assert.equal(message, "Reached the maximum number of connections");
    assert.equal(await third.ended(), true);
  }
  await second[Symbol.asyncDispose]();
  await untilTrue("the broker has noticed that the second one is gone", async () => {
    const metrics = await (await fetch(broker.metricsUrl)).text();
    return /active_connections\S+ 1$/m.test(metrics);
  });
  await assertUnharmed(broker);
});

Deno.test("a payload that would swell when decompressed goes through as it came", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.produce(TOPIC);
  await client.subscribe(TOPIC);
  const bomb = utf8("no zlib at all");
  const metadata = { compression: CompressionType.ZLIB, uncompressedSize: 2 ** 32 - 1 };
  await client.write(sendFrame({ sequenceId: 0, payload: bomb, metadata }));
  await client.expect("SEND_RECEIPT");
  await client.send("FLOW", { consumerId: 0, messagePermits: 1 });
  assert.equal((await client.message()).text, "no zlib at all");
  const path = "admin/v2/persistent/public/default/t/subscription/sub/position/1";
  const peek = await fetch(`${broker.adminUrl}/${path}`);
  assert.equal(peek.status, 500);
  assert.match(await peek.text(), /Cannot decompress a message/);
});

Deno.test("a producer that never reads its receipts is not listened to any more", async () => {
  await using broker = await testBroker();
  await using flood = await RawClient.connect(broker.port);
  await flood.produce(TOPIC);
  flood.isDeaf = true;
  const one = sendFrame({ sequenceId: 0, payload: utf8("x") });
  const many = new Uint8Array(one.length * 20_000);
  for (let at = 0; at < many.length; at += one.length) many.set(one, at);
  let written = 0;
  // The same sequence id again and again: each is answered, none is stored.
  const writing = (async () => {
    for (; written < 200; written++) await flood.write(many);
  })().catch(() => {});
  for (let before = -1; before !== written;) {
    before = written;
    for (let i = 0; i < 20; i++) await assertUnharmed(broker);
  }
  assert.ok(written < 200, "everything was taken");
  await flood[Symbol.asyncDispose]();
  await writing;
});

Deno.test("hundreds of connections and topics at once, all of them served, and everything closed in the end", async () => {
  await using broker = await testBroker();
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => RawClient.connect(broker.port)),
  );
  await Promise.all(clients.map(async (client, i) => {
    for (let j = 0; j < 4; j++) {
      await client.produce(topicNamed(`t-${i}-${j}`), { producerId: j, producerName: `p-${i}` });
      await client.publish(0, "x", j);
    }
  }));
  const text = await (await fetch(broker.metricsUrl)).text();
  assert.match(text, /^pulsar_broker_topics_count\S+ 1200$/m);
  assert.match(text, /^pulsar_broker_producers_count\S+ 1200$/m);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test("a broker ends a connection that asks for no messages, or for fewer than none", async () => {
  await using broker = await testBroker();
  for (const messagePermits of [0, 2 ** 31, 2 ** 32 - 1]) {
    await using client = await RawClient.connect(broker.port);
    await client.subscribe(topicNamed("t"), { subType: 1 });
    await client.send("FLOW", { consumerId: 0, messagePermits });
    assert.equal(await client.ended(), true);
  }
});
