import assert from "node:assert/strict";
import type { MessageBatch, Position } from "../../../lib/contract.ts";
import type { PulsarClient } from "../../../lib/pulsar/client/client.ts";
import { FakeBroker } from "./fake_broker.ts";
import { batchOf, connectFake, Recorder, rejectsWith, settle, TOPIC } from "./setup.ts";

const OPTIONS = {
  topic: "orders",
  subscription: "sums",
  subscriptionType: "exclusive",
} as const;

/** A source over what a producer has sent, being read by a recorder. */
async function reading(
  texts: readonly (readonly string[])[],
  options: { readonly type?: "exclusive" | "failover"; readonly recorder?: Recorder } = {},
) {
  const { broker, clock, client } = await connectFake();
  await send(client, texts);
  const source = await client.openSource({
    ...OPTIONS,
    subscriptionType: options.type ?? "exclusive",
  });
  const recorder = options.recorder ?? new Recorder();
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  running.catch(() => {});
  const end = async () => {
    stop.abort();
    await running;
    await client[Symbol.asyncDispose]();
  };
  return { broker, clock, client, source, recorder, running, end };
}

async function send(client: PulsarClient, batches: readonly (readonly string[])[]) {
  await using producer = await client.openBatchProducer({
    topic: "orders",
    producerName: `p${Math.floor(batches.length)}-${batches[0]?.[0] ?? ""}`,
  });
  for (const [i, texts] of batches.entries()) {
    await producer.send(batchOf(producer, texts), i * 100);
  }
}

Deno.test("TopicSource.run() hands over whole batches as views, in order", async () => {
  const { clock, recorder, end } = await reading([["a", "b"], ["c"], ["", "d"]]);
  await settle(clock);
  assert.deepEqual(recorder.texts, ["a", "b", "c", "", "d"]);
  assert.deepEqual(recorder.events, ["activated 0"]);
  assert.deepEqual(recorder.checkpoint, { ledgerId: 7, entryId: 2 });
  await end();
});

Deno.test("TopicSource.run() waits with permits until activated() has said where it stands", async () => {
  const gate = Promise.withResolvers<Position | undefined>();
  const recorder = new Recorder();
  recorder.activated = () => gate.promise;
  const { broker, clock, end } = await reading([["a"], ["b"]], { recorder });
  await settle(clock);
  assert.equal(broker.count("FLOW"), 0);
  gate.resolve({ ledgerId: 7, entryId: 0 });
  await settle(clock);
  assert.deepEqual(recorder.texts, ["b"]);
  await end();
});

Deno.test("TopicSource.run() never hands over a batch while the handler has one, and keeps its bytes", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const seen: string[] = [];
  let running = 0;
  const recorder = new Recorder();
  recorder.batch = async (batch: MessageBatch) => {
    assert.equal(++running, 1, "two at once");
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    // Read only now: the view must have stayed as it was while more was read.
    seen.push(new TextDecoder().decode(batch.bytes.subarray(batch.bounds[0], batch.bounds[1])));
    running--;
  };
  const { broker, clock, client, end } = await reading([["a"], ["b"], ["c"]], { recorder });
  await settle(clock);
  await send(client, [["d".repeat(100_000)], ["e".repeat(100_000)]]);
  await settle(clock);
  for (let i = 0; i < 5; i++) {
    gates[i]!.resolve();
    await settle(clock);
  }
  assert.deepEqual(seen.map((text) => text[0]), ["a", "b", "c", "d", "e"]);
  assert.equal(broker.topic(TOPIC).entries.length, 5);
  await end();
});

Deno.test("TopicSource.run() skips everything up to the checkpoint", async () => {
  const recorder = new Recorder();
  recorder.checkpoint = { ledgerId: 7, entryId: 1 };
  const { clock, end } = await reading([["a"], ["b"], ["c"]], { recorder });
  await settle(clock);
  assert.deepEqual(recorder.texts, ["c"]);
  await end();
});

for (
  const [name, checkpoint] of [
    ["a gap after the checkpoint", { ledgerId: 7, entryId: 0 }],
    ["an entry that is not the ledger's first after an older ledger", { ledgerId: 6, entryId: 9 }],
    ["a cursor that has moved where there is no checkpoint", undefined],
  ] as const
) {
  Deno.test(`TopicSource.run() stops at ${name}`, async () => {
    const { broker, client } = await connectFake();
    await using _ = client;
    await send(client, [["a"], ["b"], ["c"]]);
    broker.topic(TOPIC).acknowledged = 2;
    const source = await client.openSource(OPTIONS);
    const recorder = new Recorder();
    recorder.checkpoint = checkpoint;
    const error = await rejectsWith(
      source.run(recorder, new AbortController().signal),
      "cursor_beyond_checkpoint",
    );
    assert.match(error.message, /7:2/);
    assert.deepEqual(recorder.texts, []);
  });
}

Deno.test("TopicSource.run() reads on over a new ledger", async () => {
  const { broker, client, clock } = await connectFake();
  await using _ = client;
  await send(client, [["a"], ["b"]]);
  const { entries } = broker.topic(TOPIC);
  entries[1] = { ...entries[1]!, ledgerId: 8, entryId: 0 };
  const source = await client.openSource(OPTIONS);
  const recorder = new Recorder();
  recorder.checkpoint = { ledgerId: 7, entryId: 0 };
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(clock);
  assert.deepEqual(recorder.texts, ["b"]);
  stop.abort();
  await running;
});

Deno.test("TopicSource.run() asks again for an entry with a wrong checksum and passes none on meanwhile", async () => {
  const { broker, client, clock } = await connectFake();
  await using _ = client;
  await send(client, [["a"], ["b"], ["c"]]);
  const { entries } = broker.topic(TOPIC);
  const intact = entries[1]!;
  const section = intact.section.slice();
  section[section.length - 1]! ^= 1;
  entries[1] = { ...intact, section };
  broker.hook = (command) => {
    // Only the first delivery is damaged.
    if (command.type === "REDELIVER_UNACKNOWLEDGED_MESSAGES") entries[1] = intact;
    return false;
  };
  const source = await client.openSource(OPTIONS);
  const recorder = new Recorder();
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(clock);
  assert.deepEqual(recorder.texts, ["a", "b", "c"]);
  assert.equal(source.counters.damagedEntries, 1);
  stop.abort();
  await running;
});

Deno.test("TopicSource.run() stops when an entry is damaged in the log itself", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  await send(client, [["a"], ["b"]]);
  broker.topic(TOPIC).entries[1]!.section[20]! ^= 1;
  const source = await client.openSource(OPTIONS);
  const recorder = new Recorder();
  await rejectsWith(source.run(recorder, new AbortController().signal), "checksum_mismatch");
  assert.deepEqual(recorder.texts, ["a"]);
});

Deno.test("TopicSource subscribes again after a lost connection and asks the handler for its checkpoint", async () => {
  const { broker, clock, client, recorder, source, end } = await reading([["a"], ["b"]]);
  await settle(clock);
  broker.dropAll();
  await clock.advance(1000);
  await send(client, [["c"]]);
  await settle(clock);
  assert.deepEqual(recorder.events, ["activated 0", "deactivated 0", "activated 0"]);
  assert.deepEqual(recorder.texts, ["a", "b", "c"]);
  assert.equal(source.counters.reconnects, 1);
  await end();
});

Deno.test("TopicSource looks the topic up again when the broker closes the consumer", async () => {
  const { broker, clock, recorder, end } = await reading([["a"]]);
  await settle(clock);
  const lookups = broker.count("LOOKUP");
  const { consumerId } = broker.bodies("SUBSCRIBE")[0]!;
  broker.connections[0]!.send("CLOSE_CONSUMER", { consumerId, requestId: -1n });
  broker.consumers.length = 0;
  await clock.advance(1000);
  assert.equal(broker.count("LOOKUP"), lookups + 1);
  assert.deepEqual(recorder.events, ["activated 0", "deactivated 0", "activated 0"]);
  await end();
});

Deno.test("TopicSource of a failover subscription follows ACTIVE_CONSUMER_CHANGE", async () => {
  const { broker, clock, recorder, end } = await reading([["a"]], { type: "failover" });
  await settle(clock);
  assert.deepEqual(recorder.events, []);
  assert.equal(broker.count("FLOW"), 0);
  const { consumerId } = broker.bodies("SUBSCRIBE")[0]!;
  const change = (isActive: boolean) => {
    broker.connections[0]!.send("ACTIVE_CONSUMER_CHANGE", { consumerId, isActive });
    return settle(clock);
  };
  await change(true);
  assert.deepEqual(recorder.texts, ["a"]);
  await change(false);
  await change(true);
  assert.deepEqual(recorder.events, ["activated 0", "deactivated 0", "activated 0"]);
  await end();
});

Deno.test("TopicSource of a failover subscription sees the change that comes right behind SUCCESS", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SUBSCRIBE") return false;
    broker.answer(command, connection, frame);
    const { consumerId } = command.body;
    connection.send("ACTIVE_CONSUMER_CHANGE", { consumerId, isActive: true });
    return true;
  };
  const source = await client.openSource({ ...OPTIONS, subscriptionType: "failover" });
  const recorder = new Recorder();
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(clock);
  assert.deepEqual(recorder.events, ["activated 0"]);
  stop.abort();
  await running;
});

Deno.test("TopicSource.acknowledge() is cumulative, and once more after a reconnect", async () => {
  const { broker, clock, source, end } = await reading([["a"], ["b"], ["c"]]);
  await settle(clock);
  await source.acknowledge(0, { ledgerId: 7, entryId: 1 });
  await settle(clock);
  assert.equal(broker.topic(TOPIC).acknowledged, 2);
  assert.equal(broker.bodies("ACK")[0]!.ackType, 1);
  broker.topic(TOPIC).acknowledged = 0;
  broker.dropAll();
  await clock.advance(1000);
  assert.equal(broker.topic(TOPIC).acknowledged, 2);
  await end();
});

Deno.test("TopicSource.isIdle() is true only when the last entry has been handled", async () => {
  const recorder = new Recorder();
  const gate = Promise.withResolvers<void>();
  recorder.batch = () => gate.promise;
  const { broker, clock, source, end } = await reading([["a"]], { recorder });
  await settle(clock);
  assert.equal(await source.isIdle(0), false);
  gate.resolve();
  await settle(clock);
  assert.equal(await source.isIdle(0), true);
  broker.dropAll();
  assert.equal(await source.isIdle(0), false);
  await end();
});

Deno.test("TopicSource.isIdle() is true for an empty partition once it is being read", async () => {
  const { clock, source, end } = await reading([]);
  await settle(clock);
  assert.equal(await source.isIdle(0), true);
  assert.equal(await source.lastPosition(0), undefined);
  await end();
});

Deno.test("TopicSource.seek() goes back, and activates the handler again", async () => {
  const { clock, source, recorder, end } = await reading([["a"], ["b"]]);
  await settle(clock);
  recorder.checkpoint = undefined;
  await source.seek(0, "earliest");
  await clock.advance(1000);
  assert.deepEqual(recorder.texts, ["a", "b", "a", "b"]);
  await end();
});

Deno.test("TopicSource hands over an end marker with its property and no message", async () => {
  const { broker, client, clock } = await connectFake();
  await using _ = client;
  await using producer = await client.openBatchProducer({ topic: "orders", producerName: "p" });
  await producer.send(batchOf(producer, ["a"]), 0);
  await producer.sendEndMarker(0, 1);
  const batches: [number, Record<string, string>][] = [];
  const recorder = new Recorder();
  recorder.batch = (batch) => {
    batches.push([batch.messageCount, { ...batch.properties }]);
  };
  const source = await client.openSource(OPTIONS);
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(clock);
  assert.deepEqual(batches, [[1, {}], [0, { "weir-end": "true" }]]);
  assert.equal(broker.topic(TOPIC).entries.length, 2);
  stop.abort();
  await running;
});

Deno.test("TopicSource.run() is rejected with what the handler throws, at once or later", async () => {
  for (const isLate of [false, true]) {
    const recorder = new Recorder();
    const mine = new Error("mine");
    recorder.batch = () => {
      if (isLate) return Promise.reject(mine);
      throw mine;
    };
    const { client, clock, running } = await reading([["a"]], { recorder });
    await settle(clock);
    await assert.rejects(running, mine);
    await client[Symbol.asyncDispose]();
  }
});

Deno.test("TopicSource.run() returns when aborted while it waits for the broker to come back", async () => {
  const { broker, clock, end } = await reading([["a"]]);
  await settle(clock);
  broker.isDown = true;
  broker.dropAll();
  await clock.advance(5000);
  await end();
});

Deno.test("TopicSource.open() says that another consumer holds the subscription", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) =>
    command.type === "SUBSCRIBE"
      ? broker.refuse(connection, command.body.requestId, "ConsumerBusy")
      : false;
  const opening = rejectsWith(client.openSource(OPTIONS), "consumer_busy");
  await clock.advance(20_000);
  assert.match((await opening).cure!, /another consumer/);
});

Deno.test("TopicSource.run() bounds what is read ahead of a slow handler, and reads on afterwards", async () => {
  const fake = new FakeBroker();
  let bytesRead = 0;
  const { broker, clock, client } = await connectFake({
    heldBytesMax: 300_000,
    openTransport: async (address) => {
      const transport = await fake.openTransport(address);
      return {
        ...transport,
        async read(target) {
          const count = await transport.read(target);
          bytesRead += count ?? 0;
          return count;
        },
      };
    },
  });
  await using _ = client;
  assert.equal(broker.connections.length, 0);
  const big = "x".repeat(100_000);
  await send(client, Array.from({ length: 40 }, () => [big]));
  bytesRead = 0;
  const source = await client.openSource({ ...OPTIONS, receiverBytesMax: 200_000 });
  const gate = Promise.withResolvers<void>();
  const recorder = new Recorder();
  let count = 0;
  recorder.batch = () => {
    count++;
    return gate.promise;
  };
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(clock);
  assert.equal(count, 1);
  // The first permits were for 1,000 small messages, so that the broker sends all 4 MB at once.
  assert.ok(bytesRead < 1_500_000, `${bytesRead} bytes read`);
  gate.resolve();
  await settle(clock);
  assert.equal(count, 40);
  stop.abort();
  await running;
});

Deno.test("TopicSource reads all partitions of a topic", async () => {
  const fake = await connectFake();
  await using _ = fake.client;
  fake.broker.partitions = 2;
  await using producer = await fake.client.openBatchProducer({
    topic: "orders",
    producerName: "p",
  });
  for (const partition of [0, 1]) {
    const batch = producer.openBatch(partition)!;
    const at = batch.reserve(1);
    batch.bytes[at] = 48 + partition;
    batch.commit(at + 1);
    await producer.send(batch, 0);
  }
  const source = await fake.client.openSource(OPTIONS);
  const recorder = new Recorder();
  recorder.activated = () => Promise.resolve(undefined);
  const stop = new AbortController();
  const running = source.run(recorder, stop.signal);
  await settle(fake.clock);
  assert.deepEqual(recorder.texts.sort(), ["0", "1"]);
  stop.abort();
  await running;
});
