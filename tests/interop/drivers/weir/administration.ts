/** The admin interface, as far as our client has it. */
import { assert, type Context, eventually, numbered, send, take } from "./context.ts";

export async function admin_topics(c: Context): Promise<void> {
  const admin = c.official();
  await admin.createTopic(c.topic());
  assert((await c.admin("GET", "persistent/public/default")).includes(c.topic()));
  await admin.deleteTopic(c.topic());
  assert(!(await c.admin("GET", "persistent/public/default")).includes(c.topic()));
}

export async function admin_partitioned(c: Context): Promise<void> {
  const admin = c.official();
  await admin.createPartitionedTopic(c.topic(), 3);
  assert.equal(await admin.partitionCount(c.topic()), 3);
  await admin.deletePartitionedTopic(c.topic());
  assert(!(await c.admin("GET", "persistent/public/default/partitioned")).includes(c.topic()));
}

export async function admin_stats(c: Context): Promise<void> {
  const producer = await c.producer();
  const consumer = await c.consumer({ consumerName: "the consumer" });
  await send(producer, numbered(5));
  await consumer.acknowledge((await take(consumer, 5)).slice(0, 3));
  const admin = c.official();
  await eventually(
    "the backlog is two",
    async () => (await admin.topicStats(c.topic())).subscriptions["sub"]!.msgBacklog === 2,
  );
  const stats = await admin.topicStats(c.topic());
  assert.equal(stats.msgInCounter, 5);
  assert.equal(stats.subscriptions["sub"]!.type, "Exclusive");
  assert.equal(stats.subscriptions["sub"]!.consumers![0]!.consumerName, "the consumer");
}

export async function admin_partitioned_stats(c: Context): Promise<void> {
  await c.partitioned(3);
  const consumer = await c.consumer();
  await send(await c.producer(), numbered(9));
  await take(consumer, 9);
  const stats = await c.official().partitionedTopicStats(c.topic());
  assert.equal(stats.msgInCounter, 9);
  assert.equal(stats.subscriptions["sub"]!.msgBacklog, 9);
}

export async function admin_schemas(c: Context): Promise<void> {
  assert.equal(await c.official().schema(c.topic()), undefined);
  await c.admin("POST", `schemas/public/default/${c.name()}/schema`, {
    type: "STRING",
    schema: "",
    properties: {},
  });
  const registered = await c.official().schema(c.topic());
  assert.deepEqual([registered?.version, registered?.type], [0, "STRING"]);
}

export async function admin_brokers(c: Context): Promise<void> {
  const admin = c.official();
  assert((await admin.brokerVersion()).length > 0);
  assert.match(await admin.systemName(), /^(?:Apache Pulsar \d|embedded broker)/);
}

export async function metrics(c: Context): Promise<void> {
  await c.consumer();
  await send(await c.producer(), numbered(3));
  const names = [
    ...["pulsar_in_messages_total", "pulsar_out_messages_total", "pulsar_subscription_back_log"],
    ...["pulsar_storage_size", "pulsar_producers_count", "pulsar_consumers_count"],
    "pulsar_msg_backlog",
  ];
  for (const name of names) {
    await eventually(`${name} is there`, async () => {
      const response = await fetch(`${c.config.adminUrl}/metrics/`);
      return (await response.text()).split("\n").some((line) =>
        line.startsWith(`${name}{`) && line.includes(`topic="${c.topic()}"`)
      );
    });
  }
}
