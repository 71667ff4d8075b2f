/** What our client does with a broker: the same tests against a real Pulsar and against the embedded broker. */
import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import {
  type CompressionName,
  connectPulsar,
  type PulsarClient,
  PulsarError,
  SchemaType,
} from "../../lib/pulsar/mod.ts";
import { admin, freshTopic, runPython } from "./harness.ts";
import { Notes, sendTexts, whileRunning } from "./client_session.ts";

/** The broker under test. */
export interface ClientTarget {
  readonly serviceUrl: string;
  readonly adminUrl: string;
  /** As `systemName` says it. */
  readonly systemName: string;
}

const READING = '{"type":"record","name":"Reading","fields":[{"name":"value","type":"int"}]}';

function avro(schema: string) {
  return { name: "Reading", schemaData: utf8(schema), type: SchemaType.Avro };
}

/** A rejection of this code. */
export async function assertRefused(
  promise: Promise<unknown>,
  code: string,
  extra: Partial<{ retryable: boolean; cure: RegExp }> = {},
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert(error instanceof PulsarError, String(error));
    assert.equal(error.code, code, error.message);
    if (extra.retryable !== undefined) assert.equal(error.retryable, extra.retryable);
    if (extra.cure !== undefined) assert.match(error.cure ?? "", extra.cure);
    return true;
  });
}

async function makePartitions(adminUrl: string, topic: string, count: number): Promise<void> {
  const path = `${topic.replace("://", "/")}/partitions`;
  assert.equal((await admin(adminUrl, { method: "PUT", path, body: count })).status, 204);
}

function texts(label: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${label} ${i}`);
}

/** Sends `batchCount` batches of 10 to a partition. */
async function produce(
  client: PulsarClient,
  topic: string,
  options: { batchCount: number; partition?: number; compression?: CompressionName },
): Promise<string[]> {
  const { batchCount, partition = 0, compression } = options;
  await using producer = await client.openBatchProducer({ topic, producerName: "p", compression });
  // Where the broker deduplicates, numbers must go on; where it does not, this is 0.
  const firstSequenceId = producer.lastSequenceId(partition) + 1;
  const all: string[] = [];
  for (let i = 0; i < batchCount; i++) {
    const batch = texts(`${partition}/${i}`, 10);
    const sequenceId = firstSequenceId + all.length;
    const { duplicate } = await sendTexts(producer, { partition, sequenceId }, batch);
    assert.equal(duplicate, false);
    all.push(...batch);
  }
  return all;
}

/** Registers the tests for one broker. */
export function clientContract(name: string, target: () => ClientTarget): void {
  const test = (
    behaviour: string,
    action: (client: PulsarClient, target: ClientTarget) => Promise<void>,
  ) => {
    Deno.test(`client × ${name}: ${behaviour}`, async () => {
      await using client = await connectPulsar({ serviceUrl: target().serviceUrl });
      await action(client, target());
    });
  };

  test(
    "batches of several partitions come as they were sent, with their end markers",
    async (client, { adminUrl, systemName }) => {
      const topic = freshTopic("client-partitions");
      await makePartitions(adminUrl, topic, 3);
      assert.equal(await client.partitionCount(topic), 3);
      const expected: string[][] = [];
      for (const partition of [0, 1, 2]) {
        expected.push(await produce(client, topic, { batchCount: 5, partition }));
      }
      await using producer = await client.openBatchProducer({ topic, producerName: "marker" });
      assert.equal(producer.systemName, systemName);
      for (const partition of [0, 1, 2]) await producer.sendEndMarker(partition, 0);
      await using source = await client.openSource({
        topic,
        subscription: "sub",
        subscriptionType: "exclusive",
      });
      assert.equal(source.systemName, systemName);
      const notes = new Notes();
      await whileRunning(source, notes, async () => {
        const markers = () => notes.batches.filter((batch) => batch.isEndMarker).length;
        await notes.until(() => markers() === 3, "the end markers");
      });
      for (const partition of [0, 1, 2]) {
        assert.deepEqual(notes.textsOf(partition), expected[partition]);
        assert.equal(
          notes.batches.filter((batch) => batch.partition === partition).at(-1)?.isEndMarker,
          true,
        );
      }
    },
  );

  for (const compression of ["lz4", "zlib", "zstd", "snappy"] as const) {
    test(`batches compressed with ${compression} come as they were sent`, async (client) => {
      const topic = freshTopic(`client-${compression}`);
      const sent = await produce(client, topic, { batchCount: 3, compression });
      await using source = await client.openSource({
        topic,
        subscription: "sub",
        subscriptionType: "exclusive",
      });
      const notes = new Notes();
      await whileRunning(
        source,
        notes,
        () => notes.until(() => notes.texts.length === sent.length, "all messages"),
      );
      assert.deepEqual(notes.texts, sent);
    });
  }

  test("a batch of 1,000 messages gets the position that the receiver sees", async (client) => {
    const topic = freshTopic("client-large");
    await using producer = await client.openBatchProducer({ topic, producerName: "p" });
    const sent = texts("message", 1000);
    const receipt = await sendTexts(producer, { partition: 0, sequenceId: 0 }, sent);
    assert.equal(receipt.duplicate, false);
    await using source = await client.openSource({
      topic,
      subscription: "sub",
      subscriptionType: "exclusive",
    });
    assert.deepEqual(await source.lastPosition(0), receipt.position);
    const notes = new Notes();
    await whileRunning(source, notes, () => notes.until(() => notes.batches.length === 1, "it"));
    assert.deepEqual(notes.batches[0]!.position, receipt.position);
    assert.deepEqual(notes.texts, sent);
  });

  test("reading goes on after what was acknowledged", async (client) => {
    const topic = freshTopic("client-ack");
    const sent = await produce(client, topic, { batchCount: 4 });
    const options = { topic, subscription: "sub", subscriptionType: "exclusive" } as const;
    const first = new Notes();
    {
      await using source = await client.openSource(options);
      await whileRunning(source, first, () => first.until(() => first.batches.length === 4, "all"));
      await source.acknowledge(0, first.batches[1]!.position);
    }
    const checkpoint = new Map([[0, first.batches[1]!.position]]);
    const second = new Notes(checkpoint);
    await using source = await client.openSource(options);
    await whileRunning(source, second, () => second.until(() => second.batches.length === 2, "2"));
    assert.deepEqual(second.texts, sent.slice(20));
  });

  test("a cursor beyond the checkpoint stops with an error", async (client) => {
    const topic = freshTopic("client-beyond");
    await produce(client, topic, { batchCount: 3 });
    const options = { topic, subscription: "sub", subscriptionType: "exclusive" } as const;
    const first = new Notes();
    {
      await using source = await client.openSource(options);
      await whileRunning(source, first, () => first.until(() => first.batches.length === 3, "all"));
      await source.acknowledge(0, first.batches[1]!.position);
    }
    await using source = await client.openSource(options);
    await assertRefused(
      source.run(new Notes(), AbortSignal.timeout(20_000)),
      "cursor_beyond_checkpoint",
    );
  });

  test("seek to the earliest brings everything again", async (client) => {
    const topic = freshTopic("client-seek");
    const sent = await produce(client, topic, { batchCount: 3 });
    await using source = await client.openSource({
      topic,
      subscription: "sub",
      subscriptionType: "exclusive",
    });
    const notes = new Notes();
    await whileRunning(source, notes, async () => {
      await notes.until(() => notes.batches.length === 3, "the first time");
      notes.positions.clear();
      await source.seek(0, "earliest");
      await notes.until(() => notes.batches.length === 6, "the second time");
    });
    assert.deepEqual(notes.texts, [...sent, ...sent]);
  });

  test("an idle partition says so, a partition with entries to read does not", async (client) => {
    const topic = freshTopic("client-idle");
    await produce(client, topic, { batchCount: 2 });
    await using source = await client.openSource({
      topic,
      subscription: "sub",
      subscriptionType: "exclusive",
    });
    assert.equal(await source.isIdle(0), false);
    const notes = new Notes();
    await whileRunning(source, notes, async () => {
      await notes.until(() => notes.batches.length === 2, "all");
      while (!await source.isIdle(0));
    });
  });

  test(
    "failover sources share the partitions and take over without a gap",
    async (client, { adminUrl, serviceUrl }) => {
      const topic = freshTopic("client-failover");
      await makePartitions(adminUrl, topic, 2);
      const sent = [
        await produce(client, topic, { batchCount: 3, partition: 0 }),
        await produce(client, topic, { batchCount: 3, partition: 1 }),
      ];
      const positions = new Map();
      const options = { topic, subscription: "sub", subscriptionType: "failover" } as const;
      const stays = new Notes(positions);
      const leaves = new Notes(positions);
      await using staying = await client.openSource({ ...options, consumerName: "a" });
      await whileRunning(staying, stays, async () => {
        await stays.until(() => stays.texts.length === 60, "all of the first");
        {
          await using other = await connectPulsar({ serviceUrl });
          await using leaving = await other.openSource({ ...options, consumerName: "b" });
          await whileRunning(leaving, leaves, async () => {
            await leaves.until(() => leaves.active.has(1), "a partition for the other");
            await stays.until(() => !stays.active.has(1), "one partition less");
            const more = await produce(client, topic, { batchCount: 2, partition: 1 });
            sent[1]!.push(...more);
            await leaves.until(() => leaves.texts.length === 20, "what came after");
          });
        }
        await stays.until(() => stays.active.size === 2, "both partitions again");
        const more = await produce(client, topic, { batchCount: 2, partition: 1 });
        sent[1]!.push(...more);
        await stays.until(() => stays.texts.length === 80, "the last of it");
      });
      assert.deepEqual(stays.textsOf(0), sent[0]);
      assert.deepEqual(stays.textsOf(1), [...sent[1]!.slice(0, 30), ...sent[1]!.slice(50)]);
      assert.deepEqual(leaves.textsOf(1), sent[1]!.slice(30, 50));
      assert.deepEqual(leaves.textsOf(0), []);
    },
  );

  test(
    "the official Python client reads what ours has sent, message by message",
    async (client, { serviceUrl }) => {
      const topic = freshTopic("client-to-python");
      const sent: string[] = [];
      for (const compression of ["none", "lz4", "zlib", "zstd", "snappy"] as const) {
        sent.push(...await produce(client, topic, { batchCount: 2, compression }));
      }
      const count = `${sent.length}`;
      const script = "tests/interop/exchange.py";
      const { success, stdout, stderr } = await runPython(script, [
        ...["receive", serviceUrl, topic, count],
      ]);
      assert(success, stderr);
      assert.deepEqual(JSON.parse(stdout), sent);
    },
  );

  test(
    "ours reads what the official Python client has sent: batches of every codec and plain messages",
    async (client, { serviceUrl }) => {
      const topic = freshTopic("client-from-python");
      const script = "tests/interop/exchange.py";
      const { success, stderr } = await runPython(script, ["send", serviceUrl, topic, "50"]);
      assert(success, stderr);
      await using source = await client.openSource({
        topic,
        subscription: "sub",
        subscriptionType: "exclusive",
      });
      const notes = new Notes();
      await whileRunning(source, notes, () => notes.until(() => notes.texts.length === 50, "all"));
      assert.deepEqual(notes.texts, texts("message", 50));
      assert(new Set(notes.batches.map((batch) => batch.texts.length)).has(7), "no batch of seven");
    },
  );

  test("a second exclusive source is refused", async (client, { serviceUrl }) => {
    const topic = freshTopic("client-busy");
    const options = { topic, subscription: "sub", subscriptionType: "exclusive" } as const;
    await using _first = await client.openSource(options);
    await using other = await connectPulsar({ serviceUrl, openTimeoutMs: 500 });
    await assertRefused(other.openSource(options), "consumer_busy", { cure: /another consumer/ });
  });

  test("a schema that does not fit is refused at once, to producer and source", async (client) => {
    const topic = freshTopic("client-schema");
    await using _producer = await client.openBatchProducer({
      topic,
      producerName: "p",
      schema: avro(READING),
    });
    const schema = avro(READING.replace('"int"', '"string"'));
    const refused = { retryable: false, cure: /another topic/ };
    await assertRefused(
      client.openBatchProducer({ topic, producerName: "q", schema }),
      "incompatible_schema",
      refused,
    );
    await assertRefused(
      client.openSource({ topic, subscription: "sub", subscriptionType: "exclusive", schema }),
      "incompatible_schema",
      refused,
    );
  });

  test("topics that cannot be are refused at once", async (client) => {
    const options = { topic: "persistent://public/no-such-namespace/t", producerName: "p" };
    await assertRefused(client.openBatchProducer(options), "topic_not_found", { retryable: false });
  });

  test("unloading the topic loses nothing and keeps the order", async (client, { adminUrl }) => {
    const topic = freshTopic("client-unload");
    await using producer = await client.openBatchProducer({ topic, producerName: "p" });
    await using source = await client.openSource({
      topic,
      subscription: "sub",
      subscriptionType: "exclusive",
    });
    const notes = new Notes();
    const sent: string[] = [];
    await whileRunning(source, notes, async () => {
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 10; i++) {
          const batch = texts(`${round}/${i}`, 10);
          await sendTexts(producer, { partition: 0, sequenceId: sent.length }, batch);
          sent.push(...batch);
        }
        const path = `${topic.replace("://", "/")}/unload`;
        assert.equal((await admin(adminUrl, { method: "PUT", path })).status, 204);
      }
      const marker = "after the last unload";
      await sendTexts(producer, { partition: 0, sequenceId: sent.length }, [marker]);
      sent.push(marker);
      await notes.until(() => notes.texts.at(-1) === marker, "the last message");
    });
    assert.deepEqual(notes.texts, sent);
    assert(source.counters.reconnects >= 1, "the source was not moved");
    assert(producer.counters.reconnects >= 1, "the producer was not moved");
  });
}
