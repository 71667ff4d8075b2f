import assert from "node:assert/strict";
import { seededRandom } from "../../../lib/base/mod.ts";
import { HandProducer, openTopicOn } from "./_topic.ts";
import { SimDisk } from "./_sim_disk.ts";

const chunk = (chunkId: number) => ({
  isPart: chunkId < 2,
  metadata: { uuid: "u", chunkId, numChunksFromMsg: 3, totalChunkMsgSize: 3 },
});

Deno.test("Producer.publish() stores each sequence id once, and those of a batch up to its highest", async () => {
  const { topic } = await openTopicOn();
  const hand = new HandProducer(topic);
  hand.send(0, { highest: 9 });
  hand.send(5);
  hand.send(9);
  hand.send(10);
  topic.flush();
  // Duplicates of what is on its way are answered behind it.
  assert.deepEqual(hand.receipts, [[0, true], [10, true], [5, false], [9, false]]);
  assert.equal(topic.log.entryCount, 2);
  assert.equal(hand.producer.lastSequenceId, 10);
  await topic.close();
});

Deno.test("Producer.publish() stores all chunks of a message, whose sequence id counts with the last", async () => {
  const { topic } = await openTopicOn();
  const hand = new HandProducer(topic);
  for (const chunkId of [0, 1]) hand.send(7, chunk(chunkId));
  topic.flush();
  assert.equal(hand.producer.lastSequenceId, -1);
  // Its client comes again with the whole message.
  for (const chunkId of [0, 1, 2]) hand.send(7, chunk(chunkId));
  topic.flush();
  assert.deepEqual(hand.receipts, Array.from({ length: 5 }, () => [7, true]));
  assert.equal(hand.producer.lastSequenceId, 7);
  hand.send(7, chunk(2));
  assert.deepEqual(hand.receipts.at(-1), [7, false]);
  await topic.close();
});

Deno.test("Producer.publish() answers a duplicate of an entry on its way when the entry's fate is known", async () => {
  for (const syncFails of [false, true]) {
    const { topic, disk } = await openTopicOn(undefined, { durability: "fsync" });
    const gate = Promise.withResolvers<void>();
    disk.syncing = () => gate.promise;
    const hand = new HandProducer(topic);
    hand.send(3);
    hand.send(3);
    topic.flush();
    assert.deepEqual([hand.receipts, hand.errors], [[], []]);
    disk.syncFails = syncFails;
    gate.resolve();
    await hand.producer.idle();
    if (syncFails) {
      assert.deepEqual(hand.receipts, []);
      assert.deepEqual(hand.errors, [[3, "disk_error"], [3, "disk_error"]]);
    } else assert.deepEqual(hand.receipts, [[3, true], [3, false]]);
    disk.syncFails = false;
    await topic.close();
  }
});

Deno.test("Producer.publish() stores nothing behind an entry that could not be stored", async () => {
  const { topic, disk } = await openTopicOn();
  const hand = new HandProducer(topic);
  hand.send(0);
  topic.flush();
  disk.capacityBytes = 0;
  hand.send(1);
  topic.flush();
  disk.capacityBytes = Infinity;
  hand.send(2);
  topic.flush();
  assert.deepEqual(hand.receipts, [[0, true]]);
  assert.deepEqual(hand.errors, [[1, "disk_full"], [2, "disk_full"]]);
  const again = new HandProducer(topic);
  assert.equal(again.producer.lastSequenceId, 0);
  again.send(1);
  topic.flush();
  assert.deepEqual(again.receipts, [[1, true]]);
  await topic.close();
});

Deno.test("a full disk is told once, until something is stored again", async () => {
  const { topic, disk, lines } = await openTopicOn();
  let sequenceId = 0;
  const attempt = () => {
    const hand = new HandProducer(topic);
    topic.gate.byName.set(hand.name, hand.producer);
    hand.send(sequenceId++);
    topic.flush();
  };
  for (const capacityBytes of [0, Infinity, 0]) {
    disk.capacityBytes = capacityBytes;
    for (let i = 0; i < 3; i++) attempt();
  }
  assert.equal(lines.length, 2, lines.join("\n"));
  await topic.close();
});

Deno.test("Producer.lastSequenceId is known again after a kill: batches with their highest, chunks when all are there", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { topic } = await openTopicOn(disk);
  new HandProducer(topic, "batch").send(0, { highest: 9 });
  const whole = new HandProducer(topic, "whole");
  for (const chunkId of [0, 1, 2]) whole.send(4, chunk(chunkId));
  const torn = new HandProducer(topic, "torn");
  torn.send(1);
  for (const chunkId of [0, 1]) torn.send(2, chunk(chunkId));
  topic.flush();
  const { topic: next } = await openTopicOn(disk.afterKill());
  const last = ["batch", "whole", "torn"].map((name) =>
    new HandProducer(next, name).producer.lastSequenceId
  );
  assert.deepEqual(last, [9, 4, 1]);
  await next.close();
});
