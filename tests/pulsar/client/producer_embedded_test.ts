import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import { connectPulsar, startBroker } from "../../../lib/pulsar/mod.ts";
import { producerContract } from "./producer_contract.ts";

Deno.test("a producer goes on where a broker that was away comes back, and stores everything once", async () => {
  const folder = await Deno.makeTempDir();
  const policies = { isDeduplicating: true };
  let broker = await startBroker({ folder, policies });
  const { port, url } = broker;
  await using client = await connectPulsar({
    serviceUrl: url,
    backoff: { initialMs: 20, maxMs: 100 },
  });
  const producer = await client.openProducer({
    topic: "t",
    producerName: "p",
    batching: { messagesMax: 7 },
    sendTimeoutMs: 0,
  });
  const texts = Array.from({ length: 3000 }, (_, i) => `m${i}`);
  const sent: Promise<unknown>[] = [];
  const send = (text: string) => {
    const sending = producer.send({ value: utf8(text) });
    // Told by the last line but one; until then nobody looks.
    sending.catch(() => {});
    sent.push(sending);
  };
  for (const [i, text] of texts.entries()) {
    send(text);
    if (i % 1000 !== 500) continue;
    // Some have their receipt, some are on their way, some wait.
    await sent[i - 100];
    const going = broker[Symbol.asyncDispose]();
    send(`${text} and while it goes`);
    await going;
    broker = await startBroker({ folder, port, policies });
  }
  await producer.flush();
  await Promise.all(sent);
  const expected = texts.flatMap((text, i) =>
    i % 1000 === 500 ? [text, `${text} and while it goes`] : [text]
  );
  const consumer = await client.openConsumer({
    topic: "t",
    subscription: "s",
    initialPosition: "earliest",
  });
  const found: string[] = [];
  while (found.length < expected.length) found.push(textOf((await consumer.receive()).data));
  assert.deepEqual(found, expected);
  await client[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

const folder = await Deno.makeTempDir();
const broker = await startBroker({ folder });

producerContract("the embedded broker", () => {
  return Promise.resolve({ serviceUrl: broker.url, adminUrl: broker.adminUrl });
});

Deno.test.afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Producer.send() refuses what cannot be sent, and nothing else suffers", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await startBroker({ folder });
    await using client = await connectPulsar({ serviceUrl: broker.url });
    await using producer = await client.openProducer({ topic: "t", batching: { delayMs: 5 } });
    const value = utf8("x");
    const huge = "k".repeat(6 * 1024 * 1024);
    const refused = [
      [{ value: undefined }, "PulsarError"],
      [{ value: "text" }, "PulsarError"],
      [{ value, key: 5 }, "TypeError"],
      [{ value, eventTimeMs: NaN }, "TypeError"],
      [{ value, deliverAfterMs: Infinity }, "TypeError"],
      [{ value, sequenceId: 0.5 }, "TypeError"],
      [{ value, properties: { a: 5 } }, "TypeError"],
      [{ value, key: huge }, "PulsarError"],
      [{ value, properties: { a: huge } }, "PulsarError"],
    ] as const;
    for (const [message, name] of refused) {
      const before = producer.send({ value });
      // As JavaScript would call it.
      await assert.rejects(producer.send(message as never), { name }, Object.keys(message).join());
      await before;
    }
    // Each is small enough; all of them in one batch would be more than a broker takes.
    const many = Array.from(
      { length: 700 },
      () => producer.send({ value, properties: { a: "p".repeat(10_000) } }),
    );
    assert.equal((await Promise.all(many)).length, 700);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PulsarClient.close() waits for what is on its way, and may be called twice", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await startBroker({ folder });
    const client = await connectPulsar({ serviceUrl: broker.url });
    const producer = await client.openProducer({ topic: "t", batching: { delayMs: 60_000 } });
    const consumer = await client.openConsumer({ topic: "t", subscription: "s" });
    const sent = producer.send({ value: utf8("x") });
    const received = consumer.receive().catch((error) => error.code);
    await client.close();
    assert.equal((await sent).entryId, 0);
    assert.notEqual(await received, undefined);
    await assert.rejects(producer.send({ value: utf8("y") }), { code: "closed" });
    await client.close();
  }
  await Deno.remove(folder, { recursive: true });
});
