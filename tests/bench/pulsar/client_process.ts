/**
 * One client of the bench in a process of its own. It is told its task as JSON in its only argument, warms up on topics of its own,
 * says `ready`, waits for `go`, does its work, says `done` and ends with its input.
 */
import { assert, crc32cPortable, lineOf, loadCrc32c, systemClock } from "../../../lib/base/mod.ts";
import type { MessageBatch, Producer, Source } from "../../../lib/contract.ts";
import {
  type BatchProducerOptions,
  connectNative,
  connectPulsar,
  PulsarClient,
  PulsarError,
  type SourceOptions,
} from "../../../lib/pulsar/mod.ts";
import type { ClientEvent, ClientTask } from "./protocol.ts";

const SEQUENCE_BYTES = 4;
const WAIT_MS = 60_000;
/** Timers are not finer. */
const TICK_MS = 3;
/** More than a producer has under way; a promise for each batch of a long run would be a leak. */
const BATCHES_NOTED_MAX = 100;

/** What the bench asks of a client, ours or the native one. */
interface BenchClient extends AsyncDisposable {
  openBatchProducer(options: BatchProducerOptions): Promise<BenchProducer>;
  openSource(options: SourceOptions): Promise<Source>;
}

interface BenchProducer extends Producer {
  /** The native client does not tell it. */
  whenReady?(partition: number): Promise<void>;
}

/** Bytes that no one can compress or guess, the same each time. */
function template(messageBytes: number): Uint8Array {
  const bytes = new Uint8Array(messageBytes);
  for (let i = 0, value = 1; i < messageBytes; i++) {
    value = Math.imul(value, 1664525) + 1013904223 | 0;
    bytes[i] = value >>> 24;
  }
  return bytes;
}

/** Sends messages that carry their number; resolves with the last receipt. */
async function produce(producer: BenchProducer, task: ClientTask, count: number): Promise<void> {
  const message = template(task.messageBytes);
  const receipts: Promise<unknown>[] = [];
  let failed: unknown;
  const first = producer.lastSequenceId(0) + 1;
  const startUs = systemClock.monoUs();
  const messagesPerSec = task.messagesPerSec ?? Infinity;
  for (let sent = 0; sent < count;) {
    const aheadMs = (sent / messagesPerSec) * 1000 - (systemClock.monoUs() - startUs) / 1000;
    if (aheadMs > TICK_MS) await systemClock.sleep(aheadMs);
    const batch = producer.openBatch(0);
    if (batch === undefined) {
      await (producer.whenReady?.(0) ?? receipts.shift());
      if (failed !== undefined) throw failed;
      continue;
    }
    const end = Math.min(count, sent + task.batchMessages);
    const sequenceId = first + sent;
    for (; sent < end; sent++) {
      const start = batch.reserve(task.messageBytes);
      const { bytes } = batch;
      bytes.set(message, start);
      bytes[start] = sent;
      bytes[start + 1] = sent >>> 8;
      bytes[start + 2] = sent >>> 16;
      bytes[start + 3] = sent >>> 24;
      batch.commit(start + task.messageBytes);
    }
    receipts.push(producer.send(batch, sequenceId).catch((error) => failed = error));
    if (receipts.length > BATCHES_NOTED_MAX) await receipts.shift();
  }
  await Promise.all(receipts);
  if (failed !== undefined) throw failed;
}

/** Counts messages and compares the numbers that they carry: what is lost or doubled is not measured but refused. */
class Counter {
  count = 0;
  readonly #done = Promise.withResolvers<void>();

  constructor(readonly expected: number) {}

  take({ bytes, bounds, messageCount }: MessageBatch): void {
    let { count } = this;
    for (let i = 0; i < messageCount; i++) {
      const at = bounds[2 * i]!;
      assert(bounds[2 * i + 1]! - at >= SEQUENCE_BYTES, "a message without a number");
      const number = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
      if (number !== count) this.#done.reject(new Error(`message ${number} came for ${count}`));
      count++;
    }
    this.count = count;
    if (count >= this.expected) this.#done.resolve();
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }
}

interface Prepared {
  run(): Promise<void>;
  close(): Promise<void>;
}

async function openProducer(client: BenchClient, topic: string): Promise<BenchProducer> {
  return await client.openBatchProducer({ topic, producerName: `bench-${crypto.randomUUID()}` });
}

async function prepareProducer(client: BenchClient, task: ClientTask): Promise<Prepared> {
  {
    // Of no consequence for the broker's disk: what is stored here would have to be new files in the measured part.
    const warmTopic = `${task.topic.replace("persistent:", "non-persistent:")}-warm`;
    await using warming = await openProducer(client, warmTopic);
    await produce(warming, task, task.warmUpCount);
  }
  const producer = await openProducer(client, task.topic);
  return {
    run: () => produce(producer, task, task.messageCount),
    close: async () => await producer[Symbol.asyncDispose](),
  };
}

async function consume(client: BenchClient, topic: string): Promise<{
  run(expected: number): Promise<void>;
  close(): Promise<void>;
}> {
  const source = await client.openSource({
    topic,
    subscription: "bench",
    subscriptionType: "exclusive",
  });
  return {
    async run(expected) {
      const counter = new Counter(expected);
      const stop = new AbortController();
      const running = source.run({
        batch(batch) {
          counter.take(batch);
          void source.acknowledge(batch.partition, batch.position);
        },
        activated: () => Promise.resolve(undefined),
        deactivated: () => {},
      }, stop.signal);
      await Promise.race([counter.done, running]);
      stop.abort();
      await running;
    },
    close: async () => await source[Symbol.asyncDispose](),
  };
}

async function prepareConsumer(client: BenchClient, task: ClientTask): Promise<Prepared> {
  const warmTopic = `${task.topic}-warm-consumer`;
  {
    await using producer = await openProducer(client, warmTopic);
    await produce(producer, task, task.warmUpCount);
  }
  const open = task.role === "receive" ? receiveAll : consume;
  const warming = await open(client, warmTopic);
  await warming.run(task.warmUpCount);
  await warming.close();
  const consumer = await open(client, task.topic);
  return { run: () => consumer.run(task.messageCount), close: () => consumer.close() };
}

/** One message after the other, each acknowledged: how a service reads. */
async function receiveAll(client: BenchClient, topic: string): Promise<{
  run(expected: number): Promise<void>;
  close(): Promise<void>;
}> {
  if (!(client instanceof PulsarClient)) throw new Error("only our own client receives one by one");
  const consumer = await client.openConsumer({
    topic,
    subscription: "bench",
    initialPosition: "earliest",
  });
  return {
    async run(expected) {
      for (let count = 0; count < expected; count++) {
        const message = await consumer.receive();
        const { data } = message;
        const number = data[0]! | data[1]! << 8 | data[2]! << 16 | data[3]! << 24;
        assert(number === count, `message ${number} came for ${count}`);
        void consumer.acknowledge(message);
      }
    },
    close: () => consumer.close(),
  };
}

function say(event: ClientEvent): void {
  console.log(JSON.stringify(event));
}

async function main(task: ClientTask): Promise<void> {
  const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
  const crc32c = await loadCrc32c();
  const { serviceUrl } = task;
  await using client: BenchClient = task.client === "native"
    ? await connectNative({ serviceUrl })
    : await connectPulsar({ serviceUrl, crc32c });
  const prepared = task.role === "produce"
    ? await prepareProducer(client, task)
    : await prepareConsumer(client, task);
  say({ event: "ready", crc32c: crc32c === crc32cPortable ? "portable" : "native" });
  if ((await input.read()).done) return;
  const startUs = systemClock.monoUs();
  await prepared.run();
  const elapsedMs = (systemClock.monoUs() - startUs) / 1000;
  say({ event: "done", messageCount: task.messageCount, elapsedMs });
  // Stays as it is until the bench has read its figures.
  await Promise.race([input.read(), systemClock.sleep(WAIT_MS)]);
  await prepared.close();
}

if (import.meta.main) {
  try {
    await main(JSON.parse(Deno.args[0]!) as ClientTask);
  } catch (error) {
    const isMissing = error instanceof PulsarError && error.code === "native_client_missing";
    if (!isMissing) throw error;
    say({ event: "missing", why: lineOf(error) });
  }
  Deno.exit(0);
}
