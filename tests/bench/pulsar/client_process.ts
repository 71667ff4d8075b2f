/**
 * One client of the bench in a process of its own. It is told its task as JSON in its only argument, warms up on topics of its own,
 * says `ready`, waits for `go`, does its work, says `done` and ends with its input.
 */
import { assert, crc32cPortable, loadCrc32c, systemClock } from "../../../lib/base/mod.ts";
import type { MessageBatch } from "../../../lib/contract.ts";
import { type BatchProducer, connectPulsar, type PulsarClient } from "../../../lib/pulsar/mod.ts";
import type { ClientEvent, ClientTask } from "./protocol.ts";

const SEQUENCE_BYTES = 4;
const WAIT_MS = 60_000;

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
async function produce(producer: BatchProducer, task: ClientTask, count: number): Promise<void> {
  const message = template(task.messageBytes);
  const receipts: Promise<unknown>[] = [];
  let failed: unknown;
  const first = producer.lastSequenceId(0) + 1;
  for (let sent = 0; sent < count;) {
    const batch = producer.openBatch(0);
    if (batch === undefined) {
      await producer.whenReady(0);
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
    const receipt = producer.send(batch, sequenceId).catch((error) => failed = error);
    if (sent + task.batchMessages * 64 >= count) receipts.push(receipt);
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

async function openProducer(client: PulsarClient, topic: string): Promise<BatchProducer> {
  return await client.openBatchProducer({ topic, producerName: `bench-${crypto.randomUUID()}` });
}

async function prepareProducer(client: PulsarClient, task: ClientTask): Promise<Prepared> {
  {
    await using warming = await openProducer(client, `${task.topic}-warm`);
    await produce(warming, task, task.warmUpCount);
  }
  const producer = await openProducer(client, task.topic);
  return {
    run: () => produce(producer, task, task.messageCount),
    close: () => producer[Symbol.asyncDispose](),
  };
}

async function consume(client: PulsarClient, topic: string): Promise<{
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
    close: () => source[Symbol.asyncDispose](),
  };
}

async function prepareConsumer(client: PulsarClient, task: ClientTask): Promise<Prepared> {
  const warmTopic = `${task.topic}-warm-consumer`;
  {
    await using producer = await openProducer(client, warmTopic);
    await produce(producer, task, task.warmUpCount);
  }
  const warming = await consume(client, warmTopic);
  await warming.run(task.warmUpCount);
  await warming.close();
  const consumer = await consume(client, task.topic);
  return { run: () => consumer.run(task.messageCount), close: () => consumer.close() };
}

function say(event: ClientEvent): void {
  console.log(JSON.stringify(event));
}

async function main(task: ClientTask): Promise<void> {
  const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
  const crc32c = await loadCrc32c();
  await using client = await connectPulsar({ serviceUrl: task.serviceUrl, crc32c });
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
  await main(JSON.parse(Deno.args[0]!) as ClientTask);
  Deno.exit(0);
}
