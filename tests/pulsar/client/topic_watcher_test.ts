/** Topics and partitions that come and go while a consumer runs, against a scripted broker. */
import assert from "node:assert/strict";
import { textOf } from "../../../lib/base/mod.ts";
import type { ConsumerOptions } from "../../../lib/pulsar/client/consumer_options.ts";
import type { Command } from "../../../lib/pulsar/wire/mod.ts";
import type { FakeBroker, FakeConnection, Hook } from "./fake_broker.ts";
import { section } from "./consuming.ts";
import { connectFake, rejectsWith, settle } from "./setup.ts";

const FOLDER = "persistent://public/default/";
const PATTERN: ConsumerOptions = {
  topicsPattern: `${FOLDER}orders-.*`,
  subscription: "s",
  subscriptionType: "shared",
  patternAutoDiscoveryIntervalMs: 1000,
};

/** A broker with topics of its own choosing. */
class Namespace {
  readonly topics: string[] = [];
  /** Refuses to list. */
  isBroken = false;
  watching: { readonly connection: FakeConnection; readonly watcherId: number } | undefined;
  refusesWatchers = false;

  constructor(readonly hasWatchers: boolean) {}

  readonly hook: Hook = (command, connection) => {
    switch (command.type) {
      case "CONNECT":
        connection.send("CONNECTED", {
          serverVersion: "fake",
          protocolVersion: 20,
          featureFlags: { supportsTopicWatchers: this.hasWatchers },
        });
        return true;
      case "GET_TOPICS_OF_NAMESPACE":
        return this.#list(command, connection);
      case "WATCH_TOPIC_LIST":
        return this.#watch(command, connection);
      default:
        return false;
    }
  };

  tell(): void {
    const { connection, watcherId } = this.watching!;
    connection.send("WATCH_TOPIC_UPDATE", { watcherId, topicsHash: "1" });
  }

  #list(
    { body: { requestId } }: Extract<Command, { type: "GET_TOPICS_OF_NAMESPACE" }>,
    connection: FakeConnection,
  ): boolean {
    const topics = this.topics.map((name) => FOLDER + name);
    if (this.isBroken) connection.send("ERROR", { requestId, error: 4, message: "no rights" });
    else connection.send("GET_TOPICS_OF_NAMESPACE_RESPONSE", { requestId, topics });
    return true;
  }

  #watch(
    { body: { requestId, watcherId } }: Extract<Command, { type: "WATCH_TOPIC_LIST" }>,
    connection: FakeConnection,
  ): boolean {
    if (this.refusesWatchers) {
      connection.send("ERROR", { requestId, error: 22, message: "not an expression of ours" });
      return true;
    }
    this.watching = { connection, watcherId };
    connection.send("WATCH_TOPIC_LIST_SUCCESS", { requestId, watcherId, topicsHash: "0" });
    return true;
  }
}

async function watching(namespace: Namespace, options: Partial<ConsumerOptions> = {}) {
  const { broker, clock, client } = await connectFake();
  // The handshake is over: the flags of the service's connection are those of the next one.
  broker.hook = namespace.hook;
  broker.dropAll();
  await settle(clock);
  const consumer = await client.openConsumer({ ...PATTERN, ...options });
  await settle(clock);
  const names = () => consumer.topics.map((topic) => topic.slice(FOLDER.length)).sort();
  const end = async () => {
    await client[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0, "a timer is left");
  };
  return { broker, clock, consumer, names, end };
}

function put(broker: FakeBroker, name: string, text: string): void {
  const { entries } = broker.topic(FOLDER + name);
  entries.push({ ledgerId: 7, entryId: entries.length, section: section(text) });
  broker.deliverAll();
}

Deno.test("Consumer of a pattern lists its topics again and again where the broker has no watchers", async () => {
  const namespace = new Namespace(false);
  namespace.topics.push("orders-a", "other");
  const { broker, clock, consumer, names, end } = await watching(namespace);
  assert.deepEqual(names(), ["orders-a"]);
  assert.equal(broker.count("WATCH_TOPIC_LIST"), 0);
  namespace.topics.push("orders-b");
  await clock.advance(1000);
  assert.deepEqual(names(), ["orders-a", "orders-b"]);
  // What is new is read from its beginning.
  assert.deepEqual(broker.bodies("SUBSCRIBE").map(({ initialPosition }) => initialPosition), [
    0,
    1,
  ]);
  put(broker, "orders-b", "b");
  assert.equal(textOf((await consumer.receive()).data), "b");
  namespace.topics.shift();
  await clock.advance(1000);
  assert.deepEqual(names(), ["orders-b"]);
  assert.equal(broker.count("CLOSE_CONSUMER"), 1);
  await end();
});

Deno.test("Consumer of a pattern goes on with what it has while topics cannot be listed, and counts that", async () => {
  const namespace = new Namespace(false);
  namespace.topics.push("orders-a");
  const { clock, consumer, names, end } = await watching(namespace);
  namespace.isBroken = true;
  await clock.advance(3000);
  assert.deepEqual(names(), ["orders-a"]);
  assert.ok(consumer.stats.failedUpdates >= 2);
  namespace.isBroken = false;
  namespace.topics.push("orders-b");
  await clock.advance(1000);
  assert.deepEqual(names(), ["orders-a", "orders-b"]);
  await end();
});

Deno.test("Consumer of a pattern cannot be opened where topics cannot be listed", async () => {
  const namespace = new Namespace(false);
  namespace.isBroken = true;
  const { broker, client } = await connectFake();
  broker.hook = namespace.hook;
  await rejectsWith(client.openConsumer(PATTERN), "authorization_error");
  await client[Symbol.asyncDispose]();
});

Deno.test("Consumer of a pattern looks at once when a broker with watchers tells it of changes", async () => {
  const namespace = new Namespace(true);
  const options = { patternAutoDiscoveryIntervalMs: 3_600_000 };
  const { broker, clock, names, end } = await watching(namespace, options);
  assert.equal(broker.bodies("WATCH_TOPIC_LIST")[0]!.topicsPattern, `${FOLDER}orders-.*`);
  namespace.topics.push("orders-a");
  namespace.tell();
  await settle(clock);
  assert.deepEqual(names(), ["orders-a"]);
  // On another connection it watches again, and has missed nothing.
  namespace.topics.push("orders-b");
  broker.dropAll();
  await clock.advance(5000);
  assert.deepEqual(names(), ["orders-a", "orders-b"]);
  assert.equal(broker.count("WATCH_TOPIC_LIST"), 2);
  await end();
  assert.equal(broker.count("WATCH_TOPIC_LIST_CLOSE"), 1);
});

Deno.test("Consumer of a pattern that the broker's watchers do not understand asks instead", async () => {
  const namespace = new Namespace(true);
  namespace.refusesWatchers = true;
  const { broker, clock, names, end } = await watching(namespace);
  namespace.topics.push("orders-a");
  await clock.advance(3000);
  assert.deepEqual(names(), ["orders-a"]);
  assert.equal(broker.count("WATCH_TOPIC_LIST"), 1);
  await end();
});

Deno.test("Consumer of a pattern reads the topics that it may, and tries the others again", async () => {
  const namespace = new Namespace(false);
  const { broker, clock, consumer, names, end } = await watching(namespace);
  namespace.topics.push("orders-a", "orders-b");
  broker.hook = (command, connection, frame) => {
    const isRefused = command.type === "SUBSCRIBE" && command.body.topic.endsWith("-a");
    if (!isRefused) return namespace.hook(command, connection, frame);
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  await clock.advance(1000);
  assert.deepEqual(names(), ["orders-b"]);
  assert.ok(consumer.stats.failedUpdates > 0);
  broker.hook = namespace.hook;
  await clock.advance(1000);
  assert.deepEqual(names(), ["orders-a", "orders-b"]);
  await end();
});

Deno.test("Consumer subscribes partitions that are added, and tries again where it could not", async () => {
  const { broker, clock, client } = await connectFake();
  broker.partitions = 2;
  const consumer = await client.openConsumer({
    topic: "orders",
    subscription: "s",
    autoUpdatePartitionsIntervalMs: 1000,
  });
  consumer.pause();
  broker.partitions = 3;
  broker.hook = (command, connection) => {
    if (command.type !== "SUBSCRIBE") return false;
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  await clock.advance(1000);
  assert.equal(consumer.topics.length, 2);
  assert.equal(consumer.stats.failedUpdates, 1);
  broker.hook = () => false;
  await clock.advance(1000);
  assert.deepEqual(consumer.topics.map((topic) => topic.slice(-1)), ["0", "1", "2"]);
  put(broker, "orders-partition-2", "new");
  await settle(clock);
  consumer.resume();
  await settle(clock);
  assert.equal(textOf((await consumer.receive()).data), "new");
  await client[Symbol.asyncDispose]();
  assert.equal(clock.pending, 0);
});

Deno.test("Consumer of a pattern subscribes partitions that a topic has got", async () => {
  const namespace = new Namespace(false);
  namespace.topics.push("orders-a-partition-0");
  const { broker, clock, client } = await connectFake();
  broker.hook = namespace.hook;
  broker.partitions = 1;
  const options = { ...PATTERN, autoUpdatePartitionsIntervalMs: 0 };
  const consumer = await client.openConsumer(options);
  namespace.topics.push("orders-a-partition-1");
  broker.partitions = 2;
  await clock.advance(1000);
  const names = consumer.topics.map((topic) => topic.slice(FOLDER.length));
  assert.deepEqual(names, ["orders-a-partition-0", "orders-a-partition-1"]);
  await client[Symbol.asyncDispose]();
});

Deno.test("Consumer of a pattern looks once more when it is told of changes while it looks", async () => {
  const namespace = new Namespace(true);
  const options = { patternAutoDiscoveryIntervalMs: 3_600_000 };
  const { broker, clock, names, end } = await watching(namespace, options);
  const held: (() => void)[] = [];
  broker.hook = (command, connection, frame) => {
    if (command.type !== "GET_TOPICS_OF_NAMESPACE") {
      return namespace.hook(command, connection, frame);
    }
    const topics = namespace.topics.map((name) => FOLDER + name);
    const { requestId } = command.body;
    held.push(() => connection.send("GET_TOPICS_OF_NAMESPACE_RESPONSE", { requestId, topics }));
    return true;
  };
  namespace.tell();
  await settle(clock);
  // Asked before this topic was there, answered after it was told of.
  namespace.topics.push("orders-a");
  namespace.tell();
  await settle(clock);
  assert.equal(held.length, 1);
  held[0]!();
  await settle(clock);
  held[1]!();
  await settle(clock);
  assert.deepEqual(names(), ["orders-a"]);
  await end();
});
