/** What plain JavaScript may hand over, where TypeScript would not let it through. */
import assert from "node:assert/strict";
import type { PulsarClient } from "../../../lib/pulsar/client/client.ts";
import { schema } from "../../../lib/pulsar/client/schemas.ts";
import { consuming, SHARED } from "./consuming.ts";
import { connectFake } from "./setup.ts";

type Options = Readonly<Record<string, unknown>>;

/** How each thing is opened that has options; what else it needs is given. */
const OPENING: Readonly<Record<string, (client: PulsarClient, options: Options) => unknown>> = {
  producer: (client, options) => client.openProducer({ topic: "t", ...options }),
  consumer: (client, options) => client.openConsumer({ topic: "t", subscription: "s", ...options }),
  reader: (client, options) => client.openReader({ topic: "t", ...options }),
  tableView: (client, options) => client.openTableView({ topic: "t", ...options }),
  source: (client, options) =>
    client.openSource({ topic: "t", subscription: "s", ...options } as never),
  batchProducer: (client, options) =>
    client.openBatchProducer({ topic: "t", producerName: "p", ...options }),
};

/** What is opened, with which options, and what the error says of them. */
const REFUSED: readonly (readonly [string, Options, RegExp])[] = [
  ["consumer", { subscriptionType: "Shared" }, /"Shared"; .* exclusive, shared, failover, key_sh/],
  ["consumer", { initialPosition: "Earliest" }, /initialPosition is "Earliest"; .* earliest, lat/],
  ["consumer", { initialPosition: 1 }, /initialPosition is 1; give one of earliest, latest/],
  ["consumer", { cryptoFailureAction: "FAIL" }, /"FAIL"; give one of fail, discard, consume/],
  ["consumer", { subscription: undefined }, /subscription is undefined; give a name/],
  ["consumer", { subscription: "" }, /subscription is ""; give a name/],
  ["consumer", { readCompacted: "yes" }, /readCompacted is "yes"; give true or false/],
  ["consumer", { durable: 0 }, /durable is 0; give true or false/],
  ["consumer", { ackReceipt: null }, /ackReceipt is null; give true or false/],
  ["consumer", { batchIndexAck: 1 }, /batchIndexAck is 1; give true or false/],
  ["consumer", { listener: "print" }, /listener is "print"; give a function/],
  ["consumer", { negativeAckBackoff: 100 }, /negativeAckBackoff is 100; give a function/],
  ["consumer", { schema: "string" }, /schema is "string"; give one such as schema.string()/],
  ["consumer", { schema: schema.string }, /schema is a function; give one such as/],
  [
    "consumer",
    { subscriptionType: "key_shared", keySharedPolicy: { mode: "STICKY" } },
    /keySharedPolicy.mode is "STICKY"; give one of auto_split, sticky/,
  ],
  [
    "consumer",
    { topic: undefined, topicsPattern: "o.*", topicsMode: "ALL" },
    /topicsMode is "ALL"; give one of persistent, non-persistent, all/,
  ],
  ["reader", { startMessageId: "first" }, /startMessageId is "first"; .* earliest, latest/],
  ["reader", { readCompacted: "true" }, /readCompacted is "true"; give true or false/],
  ["reader", { schema: {} }, /schema is an object; give one such as/],
  ["tableView", { schema: "json" }, /schema is "json"; give one such as/],
  ["producer", { accessMode: "Exclusive" }, /accessMode is "Exclusive"; .* shared, exclusive, wai/],
  ["producer", { hashing: "murmur3" }, /"murmur3"; give one of JavaStringHash, Murmur3_32Hash/],
  ["producer", { routing: "RoundRobin" }, /"RoundRobin"; give one of roundRobin, singlePartition/],
  ["producer", { batching: { by: "keys" } }, /batching.by is "keys"; give one of arrival, key/],
  ["producer", { whenFull: "block" }, /whenFull is "block"; give one of wait, error/],
  ["producer", { chunking: "on" }, /chunking is "on"; give true or false/],
  ["producer", { onStats: {} }, /onStats is an object; give a function/],
  ["producer", { compression: "LZ4" }, /"LZ4": give one of none, lz4, zlib, zstd, snappy/],
  ["producer", { schema: "avro" }, /schema is "avro"; give one such as/],
  ["batchProducer", { compression: "gzip" }, /"gzip": give one of none, lz4/],
  ["source", { subscriptionType: "shared" }, /"shared"; give one of exclusive, failover/],
  ["source", { subscriptionType: undefined }, /is null; give one of exclusive, failover/],
  ["source", { subscription: undefined }, /subscription is undefined; give a name/],
];

Deno.test("each option that is not of its kind is refused by its name, with what it may be", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  for (const [what, options, words] of REFUSED) {
    const opening = async () => await OPENING[what]!(client, options);
    await assert.rejects(opening, (error: Error) => {
      assert.ok(error instanceof TypeError, `${what} ${Object.keys(options)}: ${error}`);
      assert.match(error.message, words);
      return true;
    });
  }
  assert.equal(broker.count("SUBSCRIBE") + broker.count("PRODUCER"), 0);
});

Deno.test("what is no topic, no place and no encoding is refused", async () => {
  const { consumer, client, end } = await consuming([]);
  await assert.rejects(client.openProducer({ topic: undefined as never }), {
    code: "invalid_topic_name",
  });
  await assert.rejects(consumer.seek("earliest" as never), /Cannot seek to earliest: give a Mess/);
  await assert.rejects(consumer.seek(undefined as never), TypeError);
  await assert.rejects(consumer.seek({ ledger: 1 } as never), TypeError);
  const pair = [schema.string(), schema.string()] as const;
  assert.throws(() => schema.keyValue(...pair, "SEPARATED" as never), /one of inline, separated/);
  await end();
});

Deno.test("options that are left out, undefined or of their kind go through", async () => {
  const { client, end } = await consuming([]);
  const none = { schema: undefined, initialPosition: undefined, listener: undefined };
  await client.openConsumer({ ...SHARED, ...none, subscription: "other", batchIndexAck: false });
  await client.openProducer({
    topic: "orders",
    routing: () => 0,
    hashing: "Murmur3_32Hash",
    accessMode: "waitForExclusive",
    schema: schema.int32(),
  });
  await client.openReader({ topic: "orders", startMessageId: "earliest" });
  await end();
});
