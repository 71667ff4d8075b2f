/** What a topic keeps, forgets and has again after a restart. */
import assert from "node:assert/strict";
import { seededRandom } from "../../../lib/base/mod.ts";
import type { Position } from "../../../lib/pulsar/broker/log/mod.ts";
import type { Topic } from "../../../lib/pulsar/broker/topic.ts";
import { HandProducer, openTopicOn } from "./_topic.ts";
import { SimDisk } from "./_sim_disk.ts";

const MINUTE_MS = 60_000;

/** Fills some segments, and gives the last position of each. */
function fill(topic: Topic, hand = new HandProducer(topic)): Position[] {
  for (let i = 0; i < 300; i++) {
    hand.send(i, { payload: `message ${i}` });
    topic.flush();
  }
  assert.ok(topic.log.segments.length > 3, `${topic.log.segments.length} segments`);
  return topic.log.segments.map(({ ledgerId, settledEntries }) => ({
    ledgerId,
    entryId: settledEntries - 1,
  }));
}

function subscribe(topic: Topic, name: string, isDurable = true) {
  return topic.subscribe(name, { isDurable, markDelete: () => topic.log.beforeFirst });
}

Deno.test("Topic.trim() removes a segment with its last acknowledgement, and none before", async () => {
  const { topic } = await openTopicOn();
  const subscription = subscribe(topic, "s");
  const ends = fill(topic);
  const { ledgerId, entryId } = ends[1]!;
  subscription.ackCumulative({ ledgerId, entryId: entryId - 1 });
  await topic.trim();
  assert.equal(topic.log.segments[0]!.ledgerId, ends[1]!.ledgerId);
  subscription.ackCumulative({ ledgerId, entryId });
  await topic.trim();
  assert.equal(topic.log.segments[0]!.ledgerId, ends[2]!.ledgerId);
  await topic.close();
});

Deno.test("Topic.trim() waits for durable subscriptions, all of them, and for no others", async () => {
  const { topic } = await openTopicOn();
  subscribe(topic, "reader", false);
  const [fast, slow] = [subscribe(topic, "fast"), subscribe(topic, "slow")];
  const ends = fill(topic);
  fast.ackCumulative(ends[2]!);
  slow.ackCumulative(ends[0]!);
  await topic.trim();
  assert.equal(topic.log.segments[0]!.ledgerId, ends[1]!.ledgerId);
  slow.ackCumulative(ends[2]!);
  await topic.trim();
  assert.equal(topic.log.segments[0]!.ledgerId, ends[3]!.ledgerId);
  await topic.close();
});

Deno.test("Topic.trim() keeps what nobody subscribes to for ten minutes, whatever its size", async () => {
  for (const policies of [{}, { retentionBytes: 1, retentionMs: 0 }]) {
    const { topic, clock } = await openTopicOn(undefined, { policies });
    const count = fill(topic).length;
    await clock.advance(10 * MINUTE_MS - 1);
    await topic.trim();
    assert.equal(topic.log.segments.length, count);
    await clock.advance(1);
    await topic.trim();
    assert.equal(topic.log.segments.length, 1);
    await topic.close();
  }
});

Deno.test("Topic.trim() keeps what is acknowledged up to the retention's size, or for its time", async () => {
  const sized = await openTopicOn(undefined, {
    policies: { retentionBytes: 10_000, retentionMs: -1 },
  });
  subscribe(sized.topic, "s").ackCumulative(fill(sized.topic).at(-1)!);
  await sized.topic.trim();
  const { log } = sized.topic;
  assert.ok(log.sizeBytes <= 10_000, `${log.sizeBytes} bytes`);
  assert.ok(log.sizeBytes + log.segments[0]!.index.sizeBytes > 10_000, `${log.sizeBytes} bytes`);
  await sized.topic.close();

  const timed = await openTopicOn(undefined, {
    policies: { retentionBytes: -1, retentionMs: MINUTE_MS },
  });
  const ends = fill(timed.topic);
  const subscription = subscribe(timed.topic, "s");
  subscription.ackCumulative(ends.at(-1)!);
  await timed.clock.advance(MINUTE_MS - 1);
  await timed.topic.trim();
  assert.equal(timed.topic.log.segments.length, ends.length);
  await timed.clock.advance(1);
  await timed.topic.trim();
  assert.equal(timed.topic.log.segments.length, 1);
  await timed.topic.close();
});

Deno.test("Topic.housekeep() trims when a cursor has left a segment", async () => {
  const { topic } = await openTopicOn();
  const subscription = subscribe(topic, "s");
  const ends = fill(topic);
  await topic.housekeep();
  assert.equal(topic.log.segments.length, ends.length);
  subscription.ackCumulative(ends[1]!);
  await topic.housekeep();
  assert.equal(topic.log.segments[0]!.ledgerId, ends[2]!.ledgerId);
  await topic.close();
});

Deno.test("Topic knows producers whose messages were removed, after a kill", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { topic } = await openTopicOn(disk);
  const early = new HandProducer(topic, "early");
  early.send(41);
  topic.flush();
  const subscription = subscribe(topic, "s");
  const ends = fill(topic, new HandProducer(topic, "late"));
  subscription.ackCumulative(ends.at(-1)!);
  await topic.trim();
  assert.equal(topic.log.segments.length, 1);
  const { topic: next } = await openTopicOn(disk.afterKill());
  assert.equal(new HandProducer(next, "early").producer.lastSequenceId, 41);
  assert.equal(new HandProducer(next, "late").producer.lastSequenceId, 299);
  await next.close();
});

Deno.test("Topic.close() writes cursors that moved since they were last written", async () => {
  const { topic, disk } = await openTopicOn();
  const subscription = subscribe(topic, "s");
  const ends = fill(topic);
  await topic.saveCursors();
  subscription.ackCumulative(ends[0]!);
  subscription.ackIndividual(ends[2]!);
  await topic.close();
  const { topic: next } = await openTopicOn(disk.afterKill());
  const { cursor } = next.subscriptions.get("s")!;
  assert.deepEqual(cursor.markDelete, ends[0]);
  assert.deepEqual(cursor.ackedRanges(), [[ends[2]!.ledgerId, ends[2]!.entryId, ends[2]!.entryId]]);
  await next.close();
});

Deno.test("Topic.saveCursors() tries those again that could not be written", async () => {
  const { topic, disk } = await openTopicOn();
  const [first, second] = [subscribe(topic, "a"), subscribe(topic, "b")];
  const ends = fill(topic);
  await topic.saveCursors();
  first.ackCumulative(ends[0]!);
  second.ackCumulative(ends[1]!);
  disk.capacityBytes = 0;
  await assert.rejects(topic.saveCursors(), { code: "disk_full" });
  disk.capacityBytes = Infinity;
  await topic.saveCursors();
  const { topic: next } = await openTopicOn(disk.afterKill());
  assert.deepEqual(next.subscriptions.get("a")!.cursor.markDelete, ends[0]);
  assert.deepEqual(next.subscriptions.get("b")!.cursor.markDelete, ends[1]);
});

Deno.test("Topic.unsubscribe() forgets the cursor for good", async () => {
  const { topic, disk } = await openTopicOn();
  const [gone] = [subscribe(topic, "gone"), subscribe(topic, "stays")];
  await topic.saveCursors();
  await topic.unsubscribe(gone!);
  const { topic: next } = await openTopicOn(disk.afterKill());
  assert.deepEqual([...next.subscriptions.keys()], ["stays"]);
});

Deno.test("Topic.unsubscribe() with fsync is not undone by a power loss, nor done before the disk says so", async () => {
  const { topic, disk } = await openTopicOn(undefined, { durability: "fsync" });
  const [gone, failed] = [subscribe(topic, "gone"), subscribe(topic, "failed")];
  subscribe(topic, "stays");
  await topic.saveCursors();
  await topic.unsubscribe(gone);
  const { topic: next } = await openTopicOn(disk.afterPowerLoss());
  assert.deepEqual([...next.subscriptions.keys()].sort(), ["failed", "stays"]);
  disk.syncing = () => Promise.reject(new Error("Input/output error (os error 5)"));
  await assert.rejects(topic.unsubscribe(failed), { code: "disk_error" });
});

Deno.test("Topic.unsubscribe() while cursors are written leaves none behind, but for whoever subscribed again", async () => {
  const { topic, disk } = await openTopicOn(undefined, { durability: "fsync" });
  const names = ["written", "next", "again"] as const;
  const [written, next, again] = names.map((name) => subscribe(topic, name));
  const gate = Promise.withResolvers<void>();
  disk.syncing = () => gate.promise;
  const saved = topic.saveCursors();
  const removed = [written!, next!, again!].map((one) => topic.unsubscribe(one));
  subscribe(topic, "again");
  gate.resolve();
  await Promise.all([saved, ...removed]);
  for (const after of [disk.afterPowerLoss(), disk.afterKill()]) {
    const { topic: reopened } = await openTopicOn(after);
    assert.deepEqual([...reopened.subscriptions.keys()], ["again"]);
  }
});

const EXCLUSIVE = { name: "holder", access: "Exclusive", topicEpoch: undefined } as const;
const WAITING = { name: "waiting", access: "WaitForExclusive", topicEpoch: undefined } as const;

Deno.test("Topic.terminate() and Topic.close() tell whoever waits for its turn", async () => {
  for (const [action, code] of [["terminate", "topic_terminated"], ["close", "closed"]] as const) {
    const { topic } = await openTopicOn();
    await topic.gate.admit(EXCLUSIVE, () => {});
    let queued = 0;
    const waiting = assert.rejects(topic.gate.admit(WAITING, () => queued++), { code });
    assert.equal(queued, 1);
    await topic[action]();
    await waiting;
    await topic.close();
  }
});

Deno.test("Topic.terminate() that cannot be written down has not happened", async () => {
  const { topic, disk } = await openTopicOn();
  disk.capacityBytes = 0;
  await assert.rejects(topic.terminate(), { code: "disk_full" });
  disk.capacityBytes = Infinity;
  topic.assertWritable();
  await topic.terminate();
  assert.throws(() => topic.assertWritable(), { code: "topic_terminated" });
  const { topic: next } = await openTopicOn(disk.afterKill());
  assert.throws(() => next.assertWritable(), { code: "topic_terminated" });
});

Deno.test("TopicProducers.admit() lets an exclusive producer in when its epoch is safe, and gives the place back when that fails", async () => {
  const { topic, disk } = await openTopicOn(undefined, { durability: "fsync" });
  const gate = Promise.withResolvers<void>();
  disk.syncing = () => gate.promise;
  let isIn = false;
  const admitted = topic.gate.admit(EXCLUSIVE, () => {}).then(() => isIn = true);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert.equal(isIn, false);
  gate.resolve();
  await admitted;
  assert.equal((await openTopicOn(disk.afterPowerLoss())).topic.epoch, 0);
  topic.gate.giveUp(EXCLUSIVE);

  disk.syncFails = true;
  await assert.rejects(topic.gate.admit(EXCLUSIVE, () => {}), { code: "disk_error" });
  disk.syncFails = false;
  await topic.gate.admit({ ...EXCLUSIVE, name: "next" }, () => {});
  await topic.close();
});

Deno.test("TopicProducers.admit() gives the place to the next in line when an old epoch is fenced", async () => {
  const { topic } = await openTopicOn();
  for (const name of ["a", "b"]) {
    const applicant = { ...EXCLUSIVE, name };
    await topic.gate.admit(applicant, () => {});
    topic.gate.giveUp(applicant);
  }
  const stale = { ...EXCLUSIVE, topicEpoch: 0 };
  await assert.rejects(topic.gate.admit(stale, () => {}), { code: "producer_fenced" });
  await topic.gate.admit({ ...EXCLUSIVE, topicEpoch: 1 }, () => {});
  await topic.close();
});

Deno.test("TopicProducers.add() refuses a shared producer when an exclusive one came in between", async () => {
  const { topic } = await openTopicOn();
  const shared = { name: "shared", access: "Shared", topicEpoch: undefined } as const;
  await topic.gate.admit(shared, () => {});
  await topic.gate.admit(EXCLUSIVE, () => {});
  const { producer } = new HandProducer(topic, "shared");
  assert.throws(() => topic.gate.add(shared, producer), { code: "producer_busy" });
  await topic.close();
});

Deno.test("TopicProducers.remove() of one that was replaced leaves its successor alone", async () => {
  const { topic } = await openTopicOn();
  const shared = { name: "p", access: "Shared", topicEpoch: undefined } as const;
  const [old, young] = [new HandProducer(topic).producer, new HandProducer(topic).producer];
  for (const producer of [old, young]) {
    await topic.gate.admit(shared, () => {});
    topic.gate.add(shared, producer);
  }
  topic.gate.remove(old);
  assert.equal(topic.producers.get("p"), young);
  assert.deepEqual([old.isClosed, young.isClosed], [true, false]);
  await topic.close();
});

/** Keyed messages, of which compaction keeps the last. */
function fillKeyed(topic: Topic, count: number): void {
  const hand = new HandProducer(topic);
  for (let i = 0; i < count; i++) {
    hand.send(i, { payload: `message ${i}`, metadata: { partitionKey: `key ${i % 100}` } });
  }
  topic.flush();
}

Deno.test("Topic.compact() takes in what was being written when it began", async () => {
  const { topic, disk } = await openTopicOn(undefined, { durability: "fsync" });
  const gate = Promise.withResolvers<void>();
  disk.syncing = () => gate.promise;
  fillKeyed(topic, 3);
  const compacted = topic.compact();
  gate.resolve();
  await compacted;
  assert.equal(topic.compaction.view?.horizon.entryId, 2);
  assert.equal(topic.compactionSubscription().backlog().entries, 0);
  await topic.close();
});

Deno.test("Topic.compact() that finds the disk full leaves nothing behind, and is done when there is room", async () => {
  const { topic, disk } = await openTopicOn();
  fillKeyed(topic, 200);
  await topic.saveCursors();
  const left = () => disk.paths().filter((path) => path.includes("/compacted-"));
  let refusals = 0;
  for (let roomBytes = 0, isDone = false; !isDone; roomBytes += 500) {
    disk.capacityBytes = 0;
    disk.capacityBytes = -disk.room() + roomBytes;
    isDone = await topic.compact().then(() => true, (error) => {
      assert.equal(error.code, "disk_full");
      return false;
    });
    if (isDone) break;
    refusals++;
    assert.deepEqual(left(), [], `with ${roomBytes} bytes of room`);
  }
  assert.ok(refusals > 5, `${refusals} refusals`);
  assert.ok(left().length > 0);
  await topic.close();
});

Deno.test("Topic.closeIdle() compacts what is larger than the policy allows, and nothing smaller", async () => {
  for (
    const [compactionBytes, status] of [[0, "NOT_RUN"], [1_000_000, "NOT_RUN"], [1_000, "RUNNING"]]
  ) {
    const { topic } = await openTopicOn(undefined, {
      policies: { compactionBytes: compactionBytes as number },
    });
    fillKeyed(topic, 100);
    topic.closeIdle();
    assert.equal(topic.compactionStatus.status, status, `${compactionBytes} bytes`);
    await topic.close();
  }
});

Deno.test("Subscription.ackCumulative() of an entry that is not there yet acknowledges nothing", async () => {
  const { topic } = await openTopicOn();
  const subscription = subscribe(topic, "s");
  fillKeyed(topic, 3);
  const { ledgerId, entryId } = topic.log.last!;
  for (
    const ahead of [{ ledgerId, entryId: entryId + 1 }, { ledgerId: ledgerId + 1, entryId: 0 }]
  ) {
    subscription.ackCumulative(ahead);
    assert.deepEqual(subscription.cursor.markDelete, topic.log.beforeFirst);
  }
  await topic.close();
});
