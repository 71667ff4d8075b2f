/** The client and the embedded broker together, over real sockets and a real disk. */
import assert from "node:assert/strict";
import { END_MARKER_PROPERTY, type MessageBatch, type Position } from "../../../lib/contract.ts";
import {
  BrokerError,
  type BrokerHandle,
  connectPulsar,
  PulsarAdmin,
  type PulsarClient,
  startBroker,
} from "../../../lib/pulsar/mod.ts";
import { fill, textsOf } from "./setup.ts";

const TOPIC = "orders";
const PARTITIONS = 2;

/** A broker in a folder of its own that can be ended and started again on its ports. */
class RestartableBroker implements AsyncDisposable {
  #broker: BrokerHandle | undefined;
  readonly #folder: string;

  private constructor(folder: string, broker: BrokerHandle) {
    this.#folder = folder;
    this.#broker = broker;
  }

  static async start(): Promise<RestartableBroker> {
    const folder = await Deno.makeTempDir();
    return new RestartableBroker(folder, await startBroker({ folder }));
  }

  get url(): string {
    return this.#broker!.url;
  }

  get adminUrl(): string {
    return this.#broker!.adminUrl;
  }

  async restart(): Promise<void> {
    const port = Number(new URL(this.url.replace("pulsar:", "http:")).port);
    await this.#broker![Symbol.asyncDispose]();
    this.#broker = await startOnPort(this.#folder, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker![Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The system gives a port back a turn of the event loop after its listener was closed. */
async function startOnPort(folder: string, port: number): Promise<BrokerHandle> {
  for (let attempt = 1;; attempt++) {
    try {
      return await startBroker({ folder, port });
    } catch (error) {
      if (attempt === 100 || !(error instanceof BrokerError && error.code === "port_taken")) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

async function makeTopic(broker: RestartableBroker): Promise<void> {
  await new PulsarAdmin({ adminUrl: broker.adminUrl }).createPartitionedTopic(TOPIC, PARTITIONS);
}

function connect(broker: RestartableBroker): Promise<PulsarClient> {
  const backoff = { initialMs: 10, maxMs: 100 };
  return connectPulsar({ serviceUrl: broker.url, backoff });
}

/** Reads until each partition's end marker, remembering a checkpoint a partition. */
async function readToEnd(client: PulsarClient, onBatch = (_batch: MessageBatch) => {}) {
  const source = await client.openSource({
    topic: TOPIC,
    subscription: "sums",
    subscriptionType: "failover",
  });
  const texts: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const checkpoints: (Position | undefined)[] = [];
  const stop = new AbortController();
  let ended = 0;
  await source.run({
    activated: (partition) => Promise.resolve(checkpoints[partition]),
    deactivated: () => {},
    async batch(batch) {
      onBatch(batch);
      texts[batch.partition]!.push(...textsOf(batch));
      checkpoints[batch.partition] = batch.position;
      await source.acknowledge(batch.partition, batch.position);
      if (END_MARKER_PROPERTY in batch.properties && ++ended === PARTITIONS) stop.abort();
    },
  }, stop.signal);
  return { texts, source };
}

function textsOfPartition(partition: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${partition}:${i}`);
}

for (const compression of ["none", "lz4"] as const) {
  Deno.test(`client × embedded broker: what is sent comes back, compression ${compression}`, async () => {
    await using broker = await RestartableBroker.start();
    await makeTopic(broker);
    await using client = await connect(broker);
    await using producer = await client.openBatchProducer({
      topic: TOPIC,
      producerName: "till",
      compression,
    });
    assert.equal(producer.systemName, "embedded broker");
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const texts = textsOfPartition(partition, 3000);
      for (let at = 0; at < texts.length; at += 1000) {
        const batch = fill(producer.openBatch(partition)!, texts.slice(at, at + 1000));
        assert.equal((await producer.send(batch, at)).duplicate, false);
      }
      await producer.sendEndMarker(partition, texts.length);
    }
    const { texts, source } = await readToEnd(client);
    assert.deepEqual(texts, [textsOfPartition(0, 3000), textsOfPartition(1, 3000)]);
    assert.equal(await source.isIdle(0), false, "nothing is read any more");
  });
}

Deno.test("client × embedded broker: a restart loses and doubles nothing, on either side", async () => {
  await using broker = await RestartableBroker.start();
  await makeTopic(broker);
  await using client = await connect(broker);
  await using producer = await client.openBatchProducer({ topic: TOPIC, producerName: "till" });
  const restarted = Promise.withResolvers<void>();
  const reading = readToEnd(client, ({ messageCount }) => {
    if (messageCount > 0) restarted.resolve();
  });
  const sent: Promise<unknown>[] = [];
  const send = (from: number, to: number) => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let at = from; at < to; at += 50) {
        const texts = Array.from({ length: 50 }, (_, i) => `${partition}:${at + i}`);
        sent.push(producer.send(fill(producer.openBatch(partition)!, texts), at));
      }
    }
  };
  send(0, 1000);
  await restarted.promise;
  send(1000, 2000);
  await broker.restart();
  await Promise.all(sent);
  send(2000, 3000);
  await Promise.all(sent);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await producer.sendEndMarker(partition, 3000);
  }
  const { texts, source } = await reading;
  assert.deepEqual(texts, [textsOfPartition(0, 3000), textsOfPartition(1, 3000)]);
  assert.ok(producer.counters.reconnects >= PARTITIONS);
  assert.ok(source.counters.reconnects >= PARTITIONS);
});

Deno.test("client × embedded broker: a producer that comes back goes on at the last sequence id", async () => {
  await using broker = await RestartableBroker.start();
  await makeTopic(broker);
  await using client = await connect(broker);
  const options = { topic: TOPIC, producerName: "till" };
  {
    await using producer = await client.openBatchProducer(options);
    assert.equal(producer.lastSequenceId(0), -1);
    await producer.send(fill(producer.openBatch(0)!, ["a", "b", "c"]), 0);
  }
  await using producer = await client.openBatchProducer(options);
  assert.equal(producer.lastSequenceId(0), 2);
  const again = await producer.send(fill(producer.openBatch(0)!, ["a", "b", "c"]), 0);
  assert.equal(again.duplicate, true);
});
