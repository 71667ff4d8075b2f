/** What consumers say first, beside what the official clients said in recordings. */
import assert from "node:assert/strict";
import type { ConsumerOptions } from "../../../lib/pulsar/client/consumer_options.ts";
import type { PulsarClient } from "../../../lib/pulsar/client/client.ts";
import type { CommandSubscribe } from "../../../lib/pulsar/wire/mod.ts";
import { recordedCommands } from "../recorded.ts";
import { connectFake, settle } from "./setup.ts";

const recorded = (name: string) => recordedCommands(name, "SUBSCRIBE");

/** But for what differs from session to session, and an epoch that only some clients keep. */
function comparable(body: CommandSubscribe): Partial<CommandSubscribe> {
  const { requestId: _, consumerId: __, consumerEpoch: ___, ...rest } = body;
  // False is what is meant where it is left out.
  return rest.replicateSubscriptionState === false
    ? (({ replicateSubscriptionState: _, ...others }) => others)(rest)
    : rest;
}

async function said(open: (client: PulsarClient) => Promise<unknown>): Promise<CommandSubscribe> {
  const { broker, clock, client } = await connectFake();
  const opening = open(client);
  await settle(clock);
  await opening;
  await client[Symbol.asyncDispose]();
  return broker.bodies("SUBSCRIBE")[0]!;
}

const CASES: readonly (readonly [string, number, ConsumerOptions])[] = [
  ["java_seek", 0, {
    topic: "java-seek",
    subscription: "sub",
    consumerName: "consumer",
    initialPosition: "earliest",
  }],
  ["java_failover", 0, {
    topic: "java-failover",
    subscription: "sub",
    subscriptionType: "failover",
    consumerName: "low",
    priority: 1,
    initialPosition: "earliest",
  }],
  ["java_dead_letter", 0, {
    topic: "java-poison",
    subscription: "sub",
    subscriptionType: "shared",
    consumerName: "consumer",
    initialPosition: "earliest",
    deadLetterPolicy: { maxRedeliverCount: 2 },
  }],
];

for (const [name, index, options] of CASES) {
  Deno.test(`Consumer subscribes as the Java client does in ${name}`, async () => {
    const golden = recorded(name)[index]!;
    const body = await said((client) => client.openConsumer(options));
    assert.deepEqual(comparable(body), comparable(golden));
  });
}

Deno.test("Consumer with a key_shared policy subscribes as the Python client does", async () => {
  const [split, , sticky] = recorded("python_consume_key_shared");
  const options = {
    topic: "key-shared",
    subscriptionType: "key_shared",
  } as const;
  const auto = await said((client) =>
    client.openConsumer({
      ...options,
      subscription: "sub",
      consumerName: "a-consumer",
      keySharedPolicy: { mode: "auto_split" },
    })
  );
  const half = await said((client) =>
    client.openConsumer({
      ...options,
      subscription: "sticky",
      consumerName: "half",
      keySharedPolicy: { mode: "sticky", ranges: [{ start: 0, end: 32_767 }] },
    })
  );
  // That client leaves it to the broker whether a missing topic is made.
  const made = { forceTopicCreation: true };
  assert.deepEqual(comparable(auto), { ...comparable(split!), ...made });
  assert.deepEqual(comparable(half), { ...comparable(sticky!), ...made });
});

Deno.test("Reader subscribes as the Java client's table view does", async () => {
  const [golden] = recorded("java_table_view");
  const body = await said((client) =>
    client.openReader({
      topic: "java-table",
      subscription: golden!.subscription,
      consumerName: golden!.consumerName,
      startMessageId: "earliest",
      startMessageIdInclusive: true,
      readCompacted: true,
    })
  );
  // That no place in a batch is meant, Java says with −1, which is what leaving it out means, too.
  const startMessageId = { ledgerId: -1, entryId: -1 };
  assert.deepEqual(comparable(body), { ...comparable(golden!), startMessageId });
});
