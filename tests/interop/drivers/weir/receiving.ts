/** Receiving, acknowledgement, redelivery, time. */
import { systemClock } from "../../../../lib/base/mod.ts";
import {
  assert,
  type Context,
  eventually,
  MessageId,
  numbered,
  of,
  receive,
  send,
  sendAll,
  silent,
  sleep,
  take,
  textOf,
  texts,
} from "./context.ts";

const messages = (...numbers: number[]): string[] => numbers.map((i) => `message ${i}`);
const batchOf = (count: number) => numbered(count).map((text) => of(text));

export async function batch_receive(c: Context): Promise<void> {
  const consumer = await c.consumer();
  await sendAll(await c.batching(), batchOf(20));
  const seen: string[] = [];
  while (seen.length < 20) {
    const some = await consumer.batchReceive({ maxMessages: 10, timeoutMs: 2_000 });
    assert(some.length > 0 && some.length <= 10, `${some.length} at once`);
    seen.push(...texts(some));
  }
  assert.deepEqual(seen, numbered(20));
}

export async function listener(c: Context): Promise<void> {
  const seen: string[] = [];
  await c.consumer({
    listener: (message) => {
      seen.push(textOf(message));
    },
  });
  await send(await c.producer(), numbered(10));
  await eventually("all were heard", () => seen.length === 10);
  assert.deepEqual(seen, numbered(10));
}

export async function small_queue(c: Context): Promise<void> {
  const consumer = await c.consumer({ receiverQueueSize: 1 });
  await sendAll(await c.batching(), batchOf(50));
  assert.deepEqual(texts(await take(consumer, 50)), numbered(50));
}

export async function zero_queue(c: Context): Promise<void> {
  await send(await c.producer(), numbered(4));
  const first = await c.shared({ receiverQueueSize: 0 });
  // The first one holds nothing that it was not asked for: all is left for the second.
  const second = await c.shared({ receiverQueueSize: 10 });
  assert.deepEqual(texts(await take(second, 4)), numbered(4));
  await first.close();
}

export async function ack_individual(c: Context): Promise<void> {
  await send(await c.producer(), numbered(6));
  const consumer = await c.consumer();
  const all = await take(consumer, 6);
  for (const i of [0, 2, 5]) await consumer.acknowledge(all[i]!);
  await consumer.close();
  const again = await c.consumer();
  assert.deepEqual(texts(await take(again, 3)), messages(1, 3, 4));
  await silent(again);
}

export async function ack_cumulative(c: Context): Promise<void> {
  await send(await c.producer(), numbered(8));
  const consumer = await c.consumer();
  await consumer.acknowledgeCumulative((await take(consumer, 8))[4]!);
  await consumer.close();
  const again = await c.consumer();
  assert.deepEqual(texts(await take(again, 3)), messages(5, 6, 7));
  await silent(again);
}

export async function ack_batch_index(c: Context): Promise<void> {
  const consumer = await c.shared({ batchIndexAck: true });
  await sendAll(await c.batching(), batchOf(10));
  const all = await take(consumer, 10);
  for (const i of [1, 3, 4, 9]) await consumer.acknowledge(all[i]!);
  await consumer.close();
  const again = await c.shared({ batchIndexAck: true });
  assert.deepEqual(texts(await take(again, 6)), messages(0, 2, 5, 6, 7, 8));
  await silent(again);
}

export async function ack_cumulative_in_batch(c: Context): Promise<void> {
  const consumer = await c.consumer({ batchIndexAck: true });
  await sendAll(await c.batching(), batchOf(10));
  await consumer.acknowledgeCumulative((await take(consumer, 10))[6]!);
  await consumer.close();
  const again = await c.consumer({ batchIndexAck: true });
  assert.deepEqual(texts(await take(again, 3)), messages(7, 8, 9));
  await silent(again);
}

export async function ack_receipt(c: Context): Promise<void> {
  const consumer = await c.consumer({ ackReceipt: true });
  await send(await c.producer(), numbered(5));
  const all = await take(consumer, 5);
  await consumer.acknowledge(all[0]!);
  await consumer.acknowledge([all[1]!.id, all[3]!.id]);
  await consumer.acknowledgeCumulative(all[1]!);
  await consumer.close();
  const again = await c.consumer();
  assert.deepEqual(texts(await take(again, 2)), messages(2, 4));
  await silent(again);
}

export async function negative_ack(c: Context): Promise<void> {
  const consumer = await c.shared({ negativeAckRedeliveryDelayMs: 200 });
  await send(await c.producer(), numbered(3));
  const all = await take(consumer, 3);
  await consumer.acknowledge([all[0]!, all[2]!]);
  const counts = [all[1]!.redeliveryCount];
  consumer.negativeAcknowledge(all[1]!);
  for (let i = 0; i < 2; i++) {
    const again = await receive(consumer);
    assert.equal(textOf(again), "message 1");
    counts.push(again.redeliveryCount);
    consumer.negativeAcknowledge(again);
  }
  assert.deepEqual(counts, [0, 1, 2]);
  await consumer.acknowledge(await receive(consumer));
  await silent(consumer);
}

export async function ack_timeout(c: Context): Promise<void> {
  const consumer = await c.shared({ ackTimeoutMs: 1_000 });
  await send(await c.producer(), numbered(2));
  await consumer.acknowledge((await take(consumer, 2))[0]!);
  const again = await receive(consumer);
  assert.equal(textOf(again), "message 1");
  c.note("redelivery count", again.redeliveryCount);
  await consumer.acknowledge(again);
  await silent(consumer);
}

export async function redeliver_all(c: Context): Promise<void> {
  const consumer = await c.consumer({ ackGroupTimeMs: 0 });
  await send(await c.producer(), numbered(5));
  await consumer.acknowledge((await take(consumer, 5))[0]!);
  await sleep(300);
  consumer.redeliverUnacknowledged();
  assert.deepEqual(texts(await take(consumer, 4)), messages(1, 2, 3, 4));
  await silent(consumer);
}

export async function reconnect_redelivery(c: Context): Promise<void> {
  const first = await c.shared({ receiverQueueSize: 10 });
  await send(await c.producer(), numbered(5));
  const all = await take(first, 5);
  await first.acknowledge([all[0]!, all[3]!]);
  const second = await c.shared();
  await silent(second);
  await first.close();
  const again = await take(second, 3);
  assert.deepEqual(texts(again), messages(1, 2, 4));
  c.note("redelivery counts", again.map(({ redeliveryCount }) => redeliveryCount));
}

export async function dead_letter(c: Context): Promise<void> {
  const consumer = await c.shared({
    negativeAckRedeliveryDelayMs: 100,
    deadLetterPolicy: { maxRedeliverCount: 2, deadLetterTopic: c.topic("-dead") },
  });
  const dead = await c.consumer({ topic: c.topic("-dead") });
  const producer = await c.producer();
  await producer.send(of("poison", { key: "key", properties: { a: "1" } }));
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const message = await receive(consumer);
    counts.push(message.redeliveryCount);
    consumer.negativeAcknowledge(message);
  }
  assert.deepEqual(counts, [0, 1, 2]);
  const letter = await receive(dead);
  assert.equal(textOf(letter), "poison");
  assert.equal(letter.properties["a"], "1");
  assert.equal(letter.key, "key");
  await silent(consumer);
}

export async function retry_topic(c: Context): Promise<void> {
  const consumer = await c.shared({
    enableRetry: true,
    deadLetterPolicy: {
      maxRedeliverCount: 2,
      retryLetterTopic: c.topic("-retry"),
      deadLetterTopic: c.topic("-dead"),
    },
  });
  const dead = await c.consumer({ topic: c.topic("-dead") });
  await send(await c.producer(), ["again"]);
  for (let i = 0; i < 3; i++) {
    const message = await receive(consumer);
    assert.equal(textOf(message), "again");
    await consumer.reconsumeLater(message, 1_200);
  }
  const letter = await receive(dead);
  assert.equal(textOf(letter), "again");
  assert.equal(letter.properties["REAL_TOPIC"], c.topic());
  await silent(consumer);
}

export async function deliver_after(c: Context): Promise<void> {
  const consumer = await c.shared();
  const producer = await c.producer();
  const startMs = Date.now();
  await producer.send(of("late", { deliverAfterMs: 2_500 }));
  await send(producer, ["soon"]);
  assert.equal(textOf(await receive(consumer)), "soon");
  assert(Date.now() - startMs < 1_400, "it came late");
  assert.equal(textOf(await receive(consumer)), "late");
  const tookMs = Date.now() - startMs;
  // The broker may be a tick, one second, early.
  assert(tookMs > 1_400 && tookMs < 6_000, `it took ${tookMs}`);
}

export async function deliver_at(c: Context): Promise<void> {
  const consumer = await c.shared();
  const producer = await c.producer();
  const nowMs = Math.round(systemClock.wallMs());
  for (const delay of [3_500, 1_500]) {
    await producer.send(of(`${delay}`, { deliverAtMs: nowMs + delay }));
  }
  for (const delay of [1_500, 3_500]) {
    assert.equal(textOf(await receive(consumer)), `${delay}`);
    const earlyMs = nowMs + delay - Date.now();
    assert(earlyMs <= 1_050, `${earlyMs} ms early`);
  }
}

export async function seek_by_id(c: Context): Promise<void> {
  const ids = await send(await c.producer(), numbered(6));
  const consumer = await c.consumer();
  await take(consumer, 6);
  await consumer.seek(ids[2]!);
  assert.deepEqual(texts(await take(consumer, 3)), messages(3, 4, 5));
  await silent(consumer);
}

export async function seek_by_id_inclusive(c: Context): Promise<void> {
  const ids = await send(await c.producer(), numbered(6));
  const consumer = await c.consumer({ startMessageIdInclusive: true });
  await take(consumer, 6);
  await consumer.seek(ids[2]!);
  assert.deepEqual(texts(await take(consumer, 4)), messages(2, 3, 4, 5));
}

export async function seek_by_time(c: Context): Promise<void> {
  const producer = await c.producer();
  await send(producer, numbered(3));
  await sleep(300);
  const middleMs = Date.now();
  await sleep(300);
  await send(producer, numbered(3, "later"));
  const consumer = await c.consumer();
  await take(consumer, 6);
  await consumer.seek(middleMs);
  assert.deepEqual(texts(await take(consumer, 3)), numbered(3, "later"));
  await silent(consumer);
}

export async function seek_ends(c: Context): Promise<void> {
  const producer = await c.producer();
  await send(producer, numbered(5));
  const consumer = await c.consumer();
  await consumer.acknowledge(await take(consumer, 5));
  await consumer.seek(MessageId.earliest);
  assert.deepEqual(texts(await take(consumer, 5)), numbered(5));
  await consumer.seek(MessageId.latest);
  await send(producer, ["after"]);
  assert.deepEqual(texts(await take(consumer, 1)), ["after"]);
  await silent(consumer);
}
