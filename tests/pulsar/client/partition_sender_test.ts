import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { connectFake, rejectsWith, settle, TOPIC } from "./setup.ts";
import { entryOf, textsIn, unchunked } from "./sent_messages.ts";

const OPTIONS = { topic: "orders", producerName: "till" };

/** A client of a broker that keeps receipts back; each call of `release` sends the next one. */
async function connectHeld() {
  const fake = await connectFake();
  const { broker } = fake;
  const receipts: (() => void)[] = [];
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SEND") return false;
    const { body } = command;
    broker.store(body, connection, frame, { receipt: false });
    const entryId = broker.topic(TOPIC).entries.length - 1;
    receipts.push(() =>
      connection.send("SEND_RECEIPT", {
        producerId: body.producerId,
        sequenceId: body.sequenceId,
        highestSequenceId: -1,
        messageId: { ledgerId: 7, entryId },
      })
    );
    return true;
  };
  let next = 0;
  const release = () => receipts[next++]!();
  return { ...fake, receipts: { release, count: () => receipts.length } };
}

Deno.test("PartitionSender.send() waits in order while all room is taken, up to its bound", async () => {
  const { broker, clock, client, receipts } = await connectHeld();
  await using _ = client;
  const producer = await client.openProducer({
    ...OPTIONS,
    batching: false,
    pendingMessagesMax: 1,
    waitingMessagesMax: 2,
  });
  const sent = ["a", "b", "c"].map((text) => producer.send({ value: utf8(text) }));
  await rejectsWith(producer.send({ value: utf8("d") }), "queue_full");
  let isReady = false;
  const ready = producer.ready().then(() => isReady = true);
  for (let i = 0; i < 3; i++) {
    await settle(clock);
    assert.equal(receipts.count(), i + 1);
    assert.equal(isReady, false);
    receipts.release();
  }
  await Promise.all([...sent, ready]);
  assert.deepEqual(textsIn(broker, TOPIC).flat(), ["a", "b", "c"]);
});

Deno.test("PartitionSender.send() is refused at once with whenFull: error, by count and by bytes", async () => {
  const { client, receipts } = await connectHeld();
  await using _ = client;
  const common = { ...OPTIONS, batching: false, whenFull: "error" } as const;
  for (const bound of [{ pendingMessagesMax: 1 }, { pendingBytesMax: 1 }]) {
    const producer = await client.openProducer({ ...common, ...bound });
    const first = producer.send({ value: utf8("a") });
    const error = await rejectsWith(producer.send({ value: utf8("b") }), "queue_full");
    assert.match(error.cure!, /await/);
    await producer.flush(AbortSignal.abort("enough")).catch(() => {});
    receipts.release();
    await first;
  }
});

Deno.test("PartitionSender.send() gives the room of a message back with its receipt, in bytes too", async () => {
  const { broker, clock, client, receipts } = await connectHeld();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, batching: false, pendingBytesMax: 3 });
  const texts = ["aa", "bb", "cc", "dd", "ee", "ff"];
  const sent = texts.map((text) => producer.send({ value: utf8(text) }));
  for (let released = 0; released < texts.length; released++) {
    await settle(clock);
    // Of two bytes each two are under way: the second one began below the bound.
    assert.equal(receipts.count(), Math.min(released + 2, texts.length));
    receipts.release();
  }
  await Promise.all(sent);
  assert.deepEqual(textsIn(broker, TOPIC).flat(), texts);
});

Deno.test("PartitionSender gives the room of what timed out back, collected or on its way", async () => {
  for (const batching of [false, { delayMs: 60_000 }] as const) {
    const { clock, client, receipts } = await connectHeld();
    await using _ = client;
    const producer = await client.openProducer({
      ...OPTIONS,
      batching,
      pendingMessagesMax: 1,
      whenFull: "error",
      sendTimeoutMs: 1000,
    });
    const late = rejectsWith(producer.send({ value: utf8("a") }), "send_timeout");
    await clock.advance(1000);
    await late;
    const next = producer.send({ value: utf8("b") });
    const flushed = producer.flush();
    await settle(clock);
    for (let i = receipts.count(); i > 0; i--) receipts.release();
    await next;
    await flushed;
    assert.equal(producer.stats.pendingMessages, 0);
  }
});

Deno.test("PartitionSender goes on behind the highest sequence id that it was given", async () => {
  const { client, broker } = await connectFake();
  await using _ = client;
  const ids: number[] = [];
  broker.hook = (command) => {
    if (command.type === "SEND") ids.push(Number(command.body.sequenceId));
    return false;
  };
  const producer = await client.openProducer({ ...OPTIONS, batching: false });
  for (const sequenceId of [undefined, 100, 5, undefined]) {
    await producer.send({
      value: utf8("a"),
      ...(sequenceId === undefined ? {} : { sequenceId }),
    });
  }
  assert.deepEqual(ids, [0, 100, 5, 101]);
});

Deno.test("PartitionSender gives up everything behind a message without a receipt, so that nothing overtakes", async () => {
  const { broker, clock, client, receipts } = await connectHeld();
  await using _ = client;
  const producer = await client.openProducer({
    ...OPTIONS,
    batching: false,
    pendingMessagesMax: 2,
    sendTimeoutMs: 1000,
  });
  const outcomes = Promise.all(
    ["a", "b", "c"].map((text) =>
      rejectsWith(producer.send({ value: utf8(text) }), "send_timeout")
    ),
  );
  await clock.advance(999);
  assert.equal(producer.stats.sendsFailed, 0);
  await clock.advance(1);
  const [error] = await outcomes;
  assert.equal(error!.retryable, true);
  // The third one waited for room: it was never sent.
  assert.deepEqual(textsIn(broker, TOPIC).flat(), ["a", "b"]);
  // Receipts that come all the same are ignored, and what is sent anew has its own.
  const again = producer.send({ value: utf8("d") });
  await settle(clock);
  receipts.release();
  receipts.release();
  await settle(clock);
  receipts.release();
  assert.deepEqual(await again, { ledgerId: 7, entryId: 2, partition: -1, batchIndex: -1 });
  assert.equal(clock.pending, 3, "keep-alive, statistics and partitions, and no timeout");
});

Deno.test("PartitionSender sends again in order under the same ids after the broker was away", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, batching: false, sendTimeoutMs: 0 });
  await producer.send({ value: utf8("a") });
  broker.isDown = true;
  broker.dropAll();
  await settle(clock);
  const sent = ["b", "c"].map((text) => producer.send({ value: utf8(text) }));
  await clock.advance(60_000);
  assert.equal(producer.isConnected, false);
  broker.isDown = false;
  await clock.advance(10_000);
  await Promise.all(sent);
  assert.deepEqual(textsIn(broker, TOPIC).flat(), ["a", "b", "c"]);
  assert.deepEqual(broker.bodies("SEND").map((body) => body.sequenceId), [0, 1, 2]);
});

Deno.test("PartitionSender.flush() waits for what was sent before, not for what comes after", async () => {
  const { clock, client, receipts } = await connectHeld();
  await using _ = client;
  const producer = await client.openProducer({ ...OPTIONS, pendingMessagesMax: 2 });
  const first = ["a", "b", "c"].map((text) => producer.send({ value: utf8(text) }));
  let isFlushed = false;
  const flushed = producer.flush().then(() => isFlushed = true);
  const later = producer.send({ value: utf8("d") });
  await settle(clock);
  receipts.release();
  await settle(clock);
  assert.equal(isFlushed, false, "c waited for room");
  receipts.release();
  await flushed;
  await Promise.all(first);
  assert.equal(producer.stats.pendingMessages, 1);
  await clock.advance(1);
  receipts.release();
  await later;
});

Deno.test("PartitionSender forgets a waiting message whose signal is aborted, and sends the others", async () => {
  const { broker, clock, client, receipts } = await connectHeld();
  await using _ = client;
  const producer = await client.openProducer({
    ...OPTIONS,
    batching: false,
    pendingMessagesMax: 1,
  });
  const stop = new AbortController();
  const first = producer.send({ value: utf8("a") }, stop.signal);
  const second = producer.send({ value: utf8("b") }, stop.signal);
  const third = producer.send({ value: utf8("c") });
  stop.abort(new Error("no longer"));
  await assert.rejects(first, /no longer/);
  await assert.rejects(second, /no longer/);
  await settle(clock);
  receipts.release();
  await settle(clock);
  receipts.release();
  await third;
  // The first one was on its way already.
  assert.deepEqual(textsIn(broker, TOPIC).flat(), ["a", "c"]);
});

Deno.test("PartitionSender rejects a message that the broker would not take, or sends it in chunks", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const value = new Uint8Array(2_500_000).map((_, i) => i * 7);
  const whole = await client.openProducer(OPTIONS);
  const error = await rejectsWith(whole.send({ value }), "message_too_large");
  assert.match(error.cure!, /chunking/);
  assert.deepEqual(broker.topic(TOPIC).entries, []);

  const chunked = await client.openProducer({ ...OPTIONS, chunking: true });
  const before = chunked.send({ value: utf8("before") });
  const id = await chunked.send({ value, key: "k", properties: { a: "b" } });
  await before;
  const [, ...entries] = broker.topic(TOPIC).entries;
  assert.equal(entries.length, 3);
  assert.deepEqual(id, {
    ledgerId: 7,
    entryId: 3,
    partition: -1,
    batchIndex: -1,
    firstChunk: { ledgerId: 7, entryId: 1 },
  });
  assert.deepEqual(unchunked(entries), value);
  const heads = entries.map((entry) => entryOf(entry).metadata);
  assert.deepEqual(heads.map(({ chunkId }) => chunkId), [0, 1, 2]);
  for (const head of heads) {
    assert.equal(head.uuid, "till-1");
    assert.equal(head.numChunksFromMsg, 3);
    assert.equal(head.totalChunkMsgSize, value.length);
    assert.equal(head.partitionKey, "k");
    assert.equal(head.sequenceId, 1);
  }
  assert.deepEqual(broker.bodies("SEND").map((body) => body.isChunk), [
    undefined,
    true,
    true,
    true,
  ]);
  for (const { section } of entries) assert.ok(section.length <= 1 << 20);
});

Deno.test("PartitionSender sends the rest of a message's chunks again after a reconnect", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const value = new Uint8Array(2_500_000).fill(3);
  const producer = await client.openProducer({ ...OPTIONS, chunking: true });
  let seen = 0;
  broker.hook = (command, connection) => {
    if (command.type !== "SEND" || ++seen !== 2) return false;
    connection.drop();
    return true;
  };
  const sent = producer.send({ value });
  await clock.advance(1000);
  await sent;
  const { entries } = broker.topic(TOPIC);
  assert.deepEqual(entries.map((entry) => entryOf(entry).metadata.chunkId), [0, 1, 2]);
  assert.deepEqual(unchunked(entries), value);
});
