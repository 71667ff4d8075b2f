/** Our client at work with a broker that lies: it may fail, but only as it says it does, and it leaves nothing behind. */
import { crc32cPortable, type Random, seededRandom, utf8 } from "../../lib/base/mod.ts";
import { PulsarClient } from "../../lib/pulsar/client/client.ts";
import type { Consumer } from "../../lib/pulsar/client/consumer.ts";
import { PulsarError } from "../../lib/pulsar/wire/mod.ts";
import type { RecordedFrame } from "../pulsar/recorded.ts";
import { LyingBroker } from "./lying_broker.ts";
import { turnOfTheLoop, VirtualClock } from "./virtual_clock.ts";

const TOPIC = "persistent://public/default/lies";
/** Of virtual time: what a client's longest deadlines add up to, several times. */
const WORK_LIMIT_MS = 600_000;
const CLOSE_LIMIT_MS = 120_000;
const STEPS_MAX = 50_000;
const MESSAGES = 8;

/** What became of one client. */
export interface ClientOutcome {
  readonly lieCount: number;
  readonly fault: string | undefined;
  readonly said: readonly Uint8Array[];
}

const STOPPED = new Error("stopped by the fuzzer");

/** Errors that a caller was told of; anything but a PulsarError or our own abort is a fault. */
class Judge {
  fault: string | undefined;

  /** The result, or undefined where it failed as it may. */
  async try<T>(what: string, action: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof PulsarError || error === STOPPED) return undefined;
      const text = error instanceof Error ? error.stack ?? error.message : String(error);
      this.fault ??= `${what} threw ${text}`;
      return undefined;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

async function produceBatches(client: PulsarClient, judge: Judge, signal: AbortSignal) {
  const options = { topic: TOPIC, producerName: "p", signal };
  const producer = await judge.try("openBatchProducer", () => client.openBatchProducer(options));
  if (producer === undefined) return;
  const receipts: Promise<unknown>[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const partition = i % producer.partitionCount;
    await judge.try("whenReady", () => producer.whenReady(partition, signal));
    const batch = producer.openBatch(partition);
    if (batch === undefined || signal.aborted) break;
    const value = utf8(`batch ${i}`);
    const start = batch.reserve(value.length);
    batch.bytes.set(value, start);
    batch.commit(start + value.length);
    const sequenceId = Math.max(0, producer.lastSequenceId(partition) + 1) + i;
    receipts.push(judge.try("send", () => producer.send(batch, sequenceId)));
  }
  // Sent again until there is a receipt: a connection that an announced but endless frame has swallowed never gives one.
  await Promise.race([Promise.all(receipts), aborted(signal)]);
  await judge.try("dispose", () => producer[Symbol.asyncDispose]());
  await Promise.all(receipts);
}

async function produce(client: PulsarClient, judge: Judge, signal: AbortSignal) {
  const producer = await judge.try(
    "openProducer",
    () => client.openProducer({ topic: TOPIC, signal, sendTimeoutMs: 20_000 }),
  );
  if (producer === undefined) return;
  const sends = Array.from(
    { length: MESSAGES },
    (_, i) => judge.try("send", () => producer.send({ value: utf8(`one ${i}`) }, signal)),
  );
  await judge.try("flush", () => producer.flush(signal));
  await Promise.all(sends);
  await judge.try("close", () => producer.close());
}

async function consumeOnce(
  consumer: Consumer<Uint8Array>,
  judge: Judge,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const message = await judge.try(
    "receive",
    () => consumer.receive({ timeoutMs: 5_000, signal }),
  );
  if (message === undefined) return;
  switch (random.below(5)) {
    case 0:
      return consumer.negativeAcknowledge(message);
    case 1:
      return void await judge.try(
        "acknowledgeCumulative",
        () => consumer.acknowledgeCumulative(message),
      );
    case 2:
      return void await judge.try("seek", () => consumer.seek(message.id));
    default:
      await judge.try("acknowledge", () => consumer.acknowledge(message));
  }
}

/** Takes messages; whoever waits for a receipt of an acknowledgement in vain is freed by the consumer's end. */
async function consumeAll(
  consumer: Consumer<Uint8Array>,
  judge: Judge,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < MESSAGES && !signal.aborted; i++) {
    await judge.try("consume", () => consumeOnce(consumer, judge, random, signal));
  }
}

async function consume(
  client: PulsarClient,
  judge: Judge,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const subscriptionType = (["exclusive", "shared", "failover", "key_shared"] as const)[
    random.below(4)
  ]!;
  const consumer = await judge.try("openConsumer", () =>
    client.openConsumer({
      ...{ topic: TOPIC, subscription: "one", subscriptionType, signal },
      initialPosition: "earliest",
      ackReceipt: random.below(2) === 0,
      batchIndexAck: random.below(2) === 0,
      negativeAckRedeliveryDelayMs: 1_000,
      ...(random.below(3) === 0 ? { ackTimeoutMs: 2_000 } : {}),
    }));
  if (consumer === undefined) return;
  const consuming = consumeAll(consumer, judge, random, signal);
  await Promise.race([consuming, aborted(signal)]);
  if (random.below(2) === 0) {
    await judge.try("getLastMessageIds", () => consumer.getLastMessageIds());
    await judge.try("hasMessageAvailable", () => consumer.hasMessageAvailable());
  }
  if (random.below(3) === 0) await judge.try("unsubscribe", () => consumer.unsubscribe());
  await judge.try("close", () => consumer.close());
  await consuming;
}

async function readBatches(
  client: PulsarClient,
  judge: Judge,
  clock: VirtualClock,
  signal: AbortSignal,
): Promise<void> {
  const options = { topic: TOPIC, subscription: "sums", signal };
  const source = await judge.try(
    "openSource",
    () => client.openSource({ ...options, subscriptionType: "failover" }),
  );
  if (source === undefined) return;
  const stop = AbortSignal.any([signal]);
  const running = judge.try("run", () =>
    source.run({
      batch: (batch) => source.acknowledge(batch.partition, batch.position),
      activated: () => Promise.resolve(undefined),
      deactivated: () => {},
    }, stop));
  await judge.try("isIdle", () => source.isIdle(0));
  await judge.try("lastPosition", () => source.lastPosition(0));
  await judge.try("sleep", () => clock.sleep(20_000, signal));
  await judge.try("dispose", () => source[Symbol.asyncDispose]());
  await running;
}

async function work(client: PulsarClient, judge: Judge, random: Random, clock: VirtualClock) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const end = new AbortController();
  const maybe = (part: () => Promise<void>) =>
    random.below(2) === 0 ? judge.try("work", part) : undefined;
  void clock.sleep(WORK_LIMIT_MS / 4, end.signal).then(() => stopping.abort(STOPPED), () => {});
  await judge.try("connect", () => client.connect());
  await Promise.allSettled([
    judge.try("partitionCount", () => client.partitionCount(TOPIC, signal)),
    maybe(() => produceBatches(client, judge, signal)),
    maybe(() => produce(client, judge, signal)),
    maybe(() => consume(client, judge, random, signal)),
    maybe(() => readBatches(client, judge, clock, signal)),
  ]);
  end.abort();
}

async function leftBehind(
  clock: VirtualClock,
  broker: LyingBroker,
): Promise<string | undefined> {
  await turnOfTheLoop();
  if (clock.pending > 0) return `${clock.pending} timers are left after the client was closed`;
  if (broker.openCount > 0) return `${broker.openCount} connections are left after it was closed`;
  return undefined;
}

/**
 * One client from its making to its end.
 *
 * @param seed decides everything: what the client does, and how it is lied to
 */
export async function playClient(
  seed: number,
  recorded: readonly RecordedFrame[],
): Promise<ClientOutcome> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const around = { random: seededRandom(seed ^ 0x5bd1e995), positions: [], requestId: 0n };
  const broker = new LyingBroker(around, recorded, {
    damageOneIn: 2 + random.below(12),
    inventOneIn: 2 + random.below(20),
    dropOneIn: 20 + random.below(100),
  });
  const client = new PulsarClient({
    serviceUrl: "pulsar://127.0.0.1:6650",
    openTransport: broker.openTransport,
    clock,
    random: seededRandom(seed + 1),
    crc32c: crc32cPortable,
  }, crc32cPortable);
  const judge = new Judge();
  const outcome = (fault: string | undefined) => ({
    lieCount: broker.lieCount,
    fault: judge.fault ?? fault,
    said: broker.said,
  });
  const limits = { limitMs: WORK_LIMIT_MS, stepsMax: STEPS_MAX };
  const working = work(client, judge, random, clock);
  if (!await clock.run(working, limits)) return outcome("the client hangs");
  const closing = client[Symbol.asyncDispose]();
  if (!await clock.run(closing, { limitMs: CLOSE_LIMIT_MS, stepsMax: STEPS_MAX })) {
    return outcome("the client cannot be closed");
  }
  await judge.try("close", () => closing);
  return outcome(await leftBehind(clock, broker));
}
