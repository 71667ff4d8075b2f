/** Compacted topics, written and read by raw clients; what is expected of the first was probed from Pulsar 4.2.4. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../../lib/base/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import type { MessageMetadata } from "../../../lib/pulsar/wire/mod.ts";
import type { StartOptions } from "../../../lib/pulsar/broker/mod.ts";
import { untilTrue } from "../../until_true.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { batchPayload, messagesOf } from "./_entries.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("compacted");
const PATH = "persistent/public/default/compacted";
const SEED = 20260711;

async function admin(broker: TestBroker, method: string, path: string): Promise<string> {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, { method });
  const text = await answer.text();
  assert.equal(answer.ok, true, `${method} ${path}: ${text}`);
  return text;
}

/** Compacts, and waits until that is done. */
async function compact(broker: TestBroker): Promise<void> {
  await admin(broker, "PUT", `${PATH}/compaction`);
  let status = "";
  await untilTrue("the compaction has ended", async () => {
    ({ status } = JSON.parse(await admin(broker, "GET", `${PATH}/compaction`)));
    return status !== "RUNNING";
  });
  assert.equal(status, "SUCCESS");
}

/** Writes and reads the topic. */
class Session implements AsyncDisposable {
  #sequenceId = 0;
  #consumerId = 0;

  private constructor(readonly writer: RawClient, readonly reader: RawClient) {}

  static async of(broker: TestBroker): Promise<Session> {
    const [writer, reader] = [
      await RawClient.connect(broker.port),
      await RawClient.connect(broker.port),
    ];
    await writer.produce(TOPIC, { producerName: crypto.randomUUID() });
    return new Session(writer, reader);
  }

  async send(
    partitionKey: string | undefined,
    value: string,
    more: Partial<MessageMetadata> = {},
  ): Promise<void> {
    const metadata = { ...(partitionKey === undefined ? {} : { partitionKey }), ...more };
    const sequenceId = this.#sequenceId++;
    await this.writer.write(sendFrame({ sequenceId, payload: utf8(value), metadata }));
    await this.writer.expect("SEND_RECEIPT");
  }

  async sendBatch(
    messages: readonly (readonly [string | undefined, string])[],
  ): Promise<void> {
    const sequenceId = this.#sequenceId;
    this.#sequenceId += messages.length;
    await this.writer.write(sendFrame({
      sequenceId,
      highestSequenceId: this.#sequenceId - 1,
      messageCount: messages.length,
      payload: batchPayload(messages),
      // A batch of one is one all the same.
      metadata: { numMessagesInBatch: messages.length },
    }));
    await this.writer.expect("SEND_RECEIPT");
  }

  /** What a new reader gets from the beginning up to the last message, by the topic's own account. */
  async read(readCompacted = true): Promise<(string | null)[]> {
    const consumerId = this.#consumerId++;
    await this.reader.subscribe(TOPIC, {
      consumerId,
      subscription: `reader-${consumerId}`,
      durable: false,
      startMessageId: { ledgerId: -1, entryId: -1 },
      readCompacted,
    });
    return await this.take(consumerId);
  }

  /** Everything up to the last message. */
  async take(consumerId: number): Promise<(string | null)[]> {
    const [last] = await this.reader.request("GET_LAST_MESSAGE_ID", { consumerId });
    assert(last?.type === "GET_LAST_MESSAGE_ID_RESPONSE");
    const { ledgerId, entryId } = last.body.lastMessageId;
    const messages: (string | null)[] = [];
    if (ledgerId < 0) return messages;
    await this.reader.send("FLOW", { consumerId, messagePermits: 100_000 });
    for (let isLast = false; !isLast;) {
      const received = await this.reader.next();
      assert(received?.command.type === "MESSAGE", JSON.stringify(received?.command.type));
      messages.push(...messagesOf(received.section));
      const id = received.command.body.messageId;
      isLast = id.ledgerId === ledgerId && id.entryId === entryId;
    }
    await this.reader.request("CLOSE_CONSUMER", { consumerId });
    return messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]();
    await this.reader[Symbol.asyncDispose]();
  }
}

const values = (messages: readonly (string | null)[]) => messages.filter((one) => one !== null);

Deno.test("Compaction keeps the last message of each key, none of an empty one, and places in batches", async () => {
  await using broker = await testBroker();
  await using session = await Session.of(broker);
  await session.send("a", "1");
  await session.send("b", "2");
  await session.send(undefined, "without a key");
  await session.send("d", "x");
  await session.send("d", "");
  await session.sendBatch([["a", "b0"], ["c", "b1"], ["c", "b2"], [undefined, "b3"], ["b", ""]]);
  await compact(broker);
  assert.deepEqual(await session.read(), ["a=b0", null, "c=b2", null, null]);
  await session.send("a", "after");
  assert.deepEqual(values(await session.read()), ["a=b0", "c=b2", "a=after"]);
  assert.equal((await session.read(false)).length, 11);
  await compact(broker);
  assert.deepEqual(values(await session.read()), ["c=b2", "a=after"]);
  await session.send("a", "");
  await session.send("c", "");
  await compact(broker);
  assert.deepEqual(await session.read(), []);
});

Deno.test("SUBSCRIBE reads compacted only where one consumer has the order", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  for (const subType of [1, 3] as const) {
    const answer = (await client.subscribe(TOPIC, { readCompacted: true, subType })).at(-1)!;
    assert.equal(answer.type === "ERROR" && answer.body.error, ServerError.NotAllowedError);
  }
});

Deno.test("Compaction keeps all chunks of a message, or none", async () => {
  await using broker = await testBroker();
  await using session = await Session.of(broker);
  const chunks = async (uuid: string) => {
    const whole = { uuid, numChunksFromMsg: 2, totalChunkMsgSize: 4 };
    for (const chunkId of [0, 1]) {
      await session.send("k", `${uuid}${chunkId}`, { ...whole, chunkId });
    }
  };
  await chunks("a");
  await chunks("b");
  await compact(broker);
  assert.deepEqual(await session.read(), ["k=b0", "k=b1"]);
});

/** Small segments, so that a few messages fill several. */
const SMALL: Partial<StartOptions> = { segmentBytesMax: 2000 };

Deno.test("Compaction outlives restarts and the segments that it stands for", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await testBroker({ folder, ...SMALL });
    await using session = await Session.of(broker);
    for (let i = 0; i < 200; i++) await session.send(`k${i % 10}`, `v${i}`);
    await compact(broker);
  }
  await using broker = await testBroker({ folder, ...SMALL });
  await using session = await Session.of(broker);
  const expected = Array.from({ length: 10 }, (_, i) => `k${i}=v${190 + i}`);
  assert.deepEqual(await session.read(), expected);
  // Nobody else needs the log: its sealed segments go, and the view still begins with the first message.
  await session.send("k0", "new");
  const stats = JSON.parse(await admin(broker, "GET", `${PATH}/stats`));
  assert.equal(stats.subscriptions["__compaction"].msgBacklog, 1);
  await admin(broker, "PUT", `${PATH}/unload`);
  await using again = await Session.of(broker);
  assert.deepEqual(await again.read(), [...expected, "k0=new"]);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Compaction clears away what a run left that did not end", async () => {
  const folder = await Deno.makeTempDir();
  const topicFolder = `${folder}/topics/public/default/compacted`;
  const views = async () => {
    const names = await Array.fromAsync(Deno.readDir(topicFolder), ({ name }) => name);
    return names.filter((name) => name.startsWith("compacted-"));
  };
  {
    await using broker = await testBroker({ folder });
    await using session = await Session.of(broker);
    await session.send("a", "1");
    await compact(broker);
    await session.send("a", "2");
    await compact(broker);
    assert.equal((await views()).length, 1);
  }
  await Deno.mkdir(`${topicFolder}/compacted-999999`);
  await Deno.writeTextFile(`${topicFolder}/compacted-999999/000000000001.log`, "torn");
  await using broker = await testBroker({ folder });
  await using session = await Session.of(broker);
  assert.deepEqual(await session.read(), ["a=2"]);
  assert.equal((await views()).length, 1);
  await admin(broker, "DELETE", `${PATH}?force=true`);
  await assert.rejects(Deno.stat(topicFolder), Deno.errors.NotFound);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a reader goes on over a compaction in front of it and behind it", async () => {
  await using broker = await testBroker(SMALL);
  await using session = await Session.of(broker);
  for (let i = 0; i < 100; i++) await session.send(`k${i % 50}`, `v${i}`);
  await compact(broker);
  const { reader } = session;
  await reader.subscribe(TOPIC, { consumerId: 99, readCompacted: true, subscription: "slow" });
  const got: (string | null)[] = [];
  const more = async (count: number) => {
    await reader.send("FLOW", { consumerId: 99, messagePermits: count });
    for (let i = 0; i < count; i++) {
      const received = await reader.next();
      got.push(...messagesOf(received!.section));
    }
  };
  await more(20);
  assert.equal(got.at(-1), "k19=v69");
  for (let i = 100; i < 150; i++) await session.send(`k${i % 50}`, `v${i}`);
  await compact(broker);
  await session.send("last", "one");
  // What it has read is gone, what it has not is replaced by what came later.
  await more(51);
  assert.deepEqual(got.slice(20, 22), ["k0=v100", "k1=v101"]);
  assert.equal(got.at(-1), "last=one");
  assert.equal(reader.waiting, 0);
});

Deno.test("SEEK to the earliest message begins with the compacted ones", async () => {
  await using broker = await testBroker(SMALL);
  await using session = await Session.of(broker);
  for (let i = 0; i < 60; i++) await session.send(`k${i % 3}`, `v${i}`);
  await compact(broker);
  const { reader } = session;
  const join = () => reader.subscribe(TOPIC, { consumerId: 50, readCompacted: true });
  await join();
  assert.deepEqual(await session.take(50), ["k0=v57", "k1=v58", "k2=v59"]);
  await join();
  await reader.request("SEEK", { consumerId: 50, messageId: { ledgerId: -1, entryId: -1 } });
  await join();
  assert.deepEqual(await session.take(50), ["k0=v57", "k1=v58", "k2=v59"]);
});

Deno.test("a compacted topic holds the last value of each key, whatever came, and whenever it was compacted", async () => {
  const key = fc.option(fc.constantFrom("a", "b", "c", "d", "e"), { nil: undefined });
  const message = fc.tuple(key, fc.constantFrom("", "x", "y", "z".repeat(300)));
  const step = fc.oneof(
    { weight: 6, arbitrary: message.map((one) => ({ kind: "send" as const, one })) },
    {
      weight: 4,
      arbitrary: fc.array(message, { minLength: 1, maxLength: 5 })
        .map((batch) => ({ kind: "batch" as const, batch })),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "compact" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "unload" as const }) },
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    await using broker = await testBroker(SMALL);
    let session = await Session.of(broker);
    const latest = new Map<string, string>();
    const note = ([k, value]: readonly [string | undefined, string]) => {
      if (k === undefined) return;
      if (value === "") latest.delete(k);
      else latest.set(k, `${k}=${value}`);
    };
    for (const one of steps) {
      if (one.kind === "send") {
        await session.send(...one.one);
        note(one.one);
      } else if (one.kind === "batch") {
        await session.sendBatch(one.batch);
        one.batch.forEach(note);
      } else if (one.kind === "compact") await compact(broker);
      else {
        await admin(broker, "PUT", `${PATH}/unload`);
        await session[Symbol.asyncDispose]();
        session = await Session.of(broker);
      }
    }
    await compact(broker);
    assert.deepEqual(values(await session.read()).sort(), [...latest.values()].sort());
    await session[Symbol.asyncDispose]();
  });
  await fc.assert(property, { numRuns: 25, seed: SEED });
});
