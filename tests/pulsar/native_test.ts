/** The driver over npm:pulsar-client: with a stand-in for the addon, which no registry has, and what is said where it is missing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { textOf, utf8 } from "../../lib/base/mod.ts";
import {
  END_MARKER_PROPERTY,
  type MessageBatch,
  type Position,
  type Producer,
} from "../../lib/contract.ts";
import {
  type BrokerHandle,
  connectNative,
  loadNative,
  PulsarAdmin,
  SchemaType,
  startBroker,
  tokenAuthentication,
} from "../../lib/pulsar/mod.ts";
import { rejectsWith } from "./client/setup.ts";
import { standIn } from "./native_stand_in.ts";

async function withBroker(run: (broker: BrokerHandle) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using broker = await startBroker({ folder });
    await run(broker);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sendTexts(
  producer: Producer,
  { partition, sequenceId }: { partition: number; sequenceId: number },
  texts: readonly string[],
) {
  const batch = producer.openBatch(partition)!;
  for (const text of texts) {
    const bytes = utf8(text);
    const start = batch.reserve(bytes.length);
    batch.bytes.set(bytes, start);
    batch.commit(start + bytes.length);
  }
  return await producer.send(batch, sequenceId);
}

/** What a handler saw, and where it stands. */
class Notes {
  readonly texts: string[] = [];
  readonly ends: number[] = [];
  readonly positions = new Map<number, Position>();

  constructor(readonly stop: AbortController, readonly endCount: number) {}

  activated(partition: number): Promise<Position | undefined> {
    return Promise.resolve(this.positions.get(partition));
  }

  deactivated(): void {}

  batch({ partition, position, bytes, bounds, messageCount, properties }: MessageBatch): void {
    this.positions.set(partition, position);
    if (END_MARKER_PROPERTY in properties) this.ends.push(partition);
    for (let i = 0; i < messageCount; i++) {
      const [start, end] = [bounds[2 * i], bounds[2 * i + 1]];
      this.texts.push(`${partition}:${textOf(bytes.subarray(start, end))}`);
    }
    if (this.ends.length === this.endCount) this.stop.abort();
  }
}

Deno.test("NativeClient sends batches whole, reads them whole, and goes on where the handler stands", async () => {
  await withBroker(async (broker) => {
    const loaded = standIn();
    await new PulsarAdmin({ adminUrl: broker.adminUrl }).createPartitionedTopic("t", 2);
    await using client = await connectNative({ serviceUrl: broker.url, loaded });
    const producer = await client.openBatchProducer({ topic: "t", producerName: "p" });
    assert.equal(producer.partitionCount, 2);
    assert.equal(producer.systemName, "embedded broker");
    assert.equal(producer.lastSequenceId(0), -1);
    const [first, second] = await Promise.all([
      sendTexts(producer, { partition: 0, sequenceId: 0 }, ["a", "b", "c"]),
      sendTexts(producer, { partition: 0, sequenceId: 3 }, ["d"]),
      sendTexts(producer, { partition: 1, sequenceId: 0 }, ["x", "y"]),
    ]);
    assert.ok(first.position.entryId < second.position.entryId);
    assert.equal(first.duplicate, false);
    for (const partition of [0, 1]) await producer.sendEndMarker(partition, 10);

    const source = await client.openSource({
      topic: "t",
      subscription: "s",
      subscriptionType: "failover",
    });
    const stop = new AbortController();
    const notes = new Notes(stop, 2);
    await source.run(notes, stop.signal);
    assert.deepEqual(notes.texts.filter((text) => text.startsWith("0")), [
      "0:a",
      "0:b",
      "0:c",
      "0:d",
    ]);
    assert.deepEqual(notes.texts.filter((text) => text.startsWith("1")), ["1:x", "1:y"]);
    assert.deepEqual(notes.ends.sort(), [0, 1]);
    assert.equal(await source.isIdle(0), false);
    await source.acknowledge(0, first.position);
    await source[Symbol.asyncDispose]();

    // A reader that stands behind the first entry gets the rest, though the cursor may be before it.
    await using again = await client.openSource({
      topic: "t",
      subscription: "s",
      subscriptionType: "failover",
    });
    // Only partition 0 has something left.
    const rest = new Notes(new AbortController(), 1);
    rest.positions.set(0, first.position).set(1, notes.positions.get(1)!);
    await again.run(rest, rest.stop.signal);
    assert.deepEqual(rest.texts, ["0:d"]);
  });
});

Deno.test("NativeClient hands over schema, compression, names and tokens as npm:pulsar-client wants them", async () => {
  await withBroker(async (broker) => {
    const loaded = standIn();
    const authentication = tokenAuthentication("secret");
    const caFile = new URL("client/tls/ca.pem", import.meta.url).pathname;
    await using client = await connectNative({
      serviceUrl: broker.url,
      authentication,
      caFile,
      loaded,
    });
    const schema = { name: "R", type: SchemaType.Avro, schemaData: utf8("{}") };
    await client.openBatchProducer({ topic: "t", producerName: "p", schema, compression: "zstd" });
    const [made, producer] = loaded.configs;
    assert.deepEqual({ ...made!.authentication as object }, { token: "secret" });
    assert.equal(made!.tlsTrustCertsFilePath, caFile);
    assert.equal(producer!.producerName, "p");
    assert.equal(producer!.compressionType, "ZSTD");
    assert.deepEqual(producer!.schema, { schemaType: "Avro", name: "R", schema: "{}" });
    assert.equal(producer!.sendTimeoutMs, 0);
    const text = { ...schema, type: SchemaType.String };
    await rejectsWith(
      client.openBatchProducer({ topic: "t", producerName: "q", schema: text }),
      "not_supported",
    );
  });
});

Deno.test("connectNative() says how to get npm:pulsar-client where it is missing, or its addon is", async () => {
  const folder = await Deno.makeTempDir();
  const error = await rejectsWith(
    connectNative({ serviceUrl: "pulsar://127.0.0.1:1", folder }),
    "native_client_missing",
  );
  assert.match(error.message, /not installed/);
  assert.match(error.cure!, /npm install pulsar-client@/);
  // As it is after `npm install --ignore-scripts`.
  const place = join(folder, "node_modules", "pulsar-client");
  await Deno.mkdir(place, { recursive: true });
  await Deno.writeTextFile(join(place, "package.json"), '{"version":"1.18.0","main":"index.js"}');
  await Deno.writeTextFile(join(place, "index.js"), 'require("./lib/binding/pulsar.node");');
  assert.throws(
    () => loadNative(folder),
    /version 1\.18\.0 is there, and its addon cannot be loaded: Cannot find module/,
  );
  await Deno.writeTextFile(join(place, "index.js"), "module.exports = { Client: 1 };");
  assert.equal(loadNative(folder).name, "npm:pulsar-client 1.18.0");
  await Deno.remove(folder, { recursive: true });
});
