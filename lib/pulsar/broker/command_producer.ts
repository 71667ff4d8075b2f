import type { CommandCloseProducer, CommandProducer } from "../wire/mod.ts";
import type { Session } from "./session.ts";
import { BrokerError } from "./errors.ts";
import { Producer } from "./producer.ts";
import type { ProducerAccess } from "./producer.ts";
import { encodeVersion, schemaInfoOf } from "./schema_registry.ts";
import type { Topic } from "./topic.ts";
import { parseTopicName } from "./topic_name.ts";

const ACCESS: readonly ProducerAccess[] = [
  "Shared",
  "Exclusive",
  "WaitForExclusive",
  "ExclusiveWithFencing",
];

/** Key and value pairs as an object. */
export function recordOf(
  pairs: readonly { readonly key: string; readonly value: string }[] | undefined,
): Record<string, string> {
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value]));
}

/** PRODUCER: opens a producer on a topic, registering its schema. */
export async function handleProducer(connection: Session, body: CommandProducer): Promise<void> {
  const { producerId, requestId } = body;
  const key = `producer ${producerId}`;
  const there = connection.producers.get(producerId);
  if (there !== undefined && there.epoch >= (body.epoch ?? 0)) {
    answerProducer(connection, there, requestId);
    return;
  }
  if (connection.opening.has(key)) {
    throw new BrokerError("Producer is already present on the connection", { code: "closed" });
  }
  connection.opening.add(key);
  try {
    const producer = await openProducer(connection, body);
    if (connection.isClosed || !connection.opening.has(key)) {
      producer.topic.removeProducer(producer);
      return;
    }
    connection.addProducer(producer);
    answerProducer(connection, producer, requestId);
  } finally {
    connection.opening.delete(key);
  }
}

function answerProducer(connection: Session, producer: Producer, requestId: bigint): void {
  const { schemaVersion, topic } = producer;
  connection.send("PRODUCER_SUCCESS", {
    requestId,
    producerName: producer.name,
    lastSequenceId: producer.lastSequenceId,
    schemaVersion: schemaVersion === undefined ? new Uint8Array(0) : encodeVersion(schemaVersion),
    ...(producer.access === "Shared" ? {} : { topicEpoch: topic.epoch }),
    producerReady: true,
  });
}

async function openProducer(connection: Session, body: CommandProducer): Promise<Producer> {
  const { broker } = connection;
  const name = parseTopicName(body.topic);
  const topic = await broker.topic(name);
  topic.assertQuota();
  const schema = schemaInfoOf(body.schema);
  const schemaVersion = schema === undefined
    ? undefined
    : await broker.schemas.getOrCreate(name, schema, broker.compatibility(name.namespace));
  const producerName = body.producerName || broker.nextProducerName();
  const access = ACCESS[body.producerAccessMode ?? 0] ?? "Shared";
  await assertNameFree(topic, connection, producerName, body);
  await enterTopic(topic, access, body);
  // Another one of this name may have come in meanwhile.
  await assertNameFree(topic, connection, producerName, body);
  if (topic.isClosed) throw new BrokerError("The topic is being unloaded", { code: "closed" });
  const isDeduplicating = topic.policies().isDeduplicating;
  const producer = new Producer(topic, connection, {
    link: connection,
    producerId: body.producerId,
    name: producerName,
    epoch: body.epoch ?? 0,
    access,
    schemaVersion,
    metadata: recordOf(body.metadata),
    connectedSinceMs: broker.parts.clock.wallMs(),
    known: isDeduplicating ? topic.deduplication.of(producerName) : undefined,
  });
  topic.producers.set(producerName, producer);
  return producer;
}

/** One producer of a name at a time; one whose connection is dead makes room, and so does this connection's own older one. */
async function assertNameFree(
  topic: Topic,
  connection: Session,
  name: string,
  body: CommandProducer,
): Promise<void> {
  for (let holder = topic.producers.get(name); holder !== undefined;) {
    const isOwnOlder = holder.link === connection && holder.producerId === body.producerId &&
      holder.epoch < (body.epoch ?? 0);
    if (isOwnOlder) {
      topic.removeProducer(holder);
    } else if (holder.link === connection || await holder.link.isAlive()) {
      throw new BrokerError(
        `Producer with name '${name}' is already connected to topic '${topic.name.full}'`,
        { code: "producer_busy", retryable: true },
      );
    }
    holder = topic.producers.get(name);
  }
}

/** Access modes (Pulsar's PIP-68): an exclusive producer has the topic to itself, one that fences takes it. */
async function enterTopic(
  topic: Topic,
  access: ProducerAccess,
  body: CommandProducer,
): Promise<void> {
  const holder = [...topic.producers.values()].find((one) => one.access !== "Shared");
  if (access === "Shared") {
    if (holder === undefined) return;
    throw new BrokerError(`Topic has an existing exclusive producer: ${holder.name}`, {
      code: "producer_busy",
      retryable: true,
    });
  }
  if (access === "WaitForExclusive") {
    throw new BrokerError("Access mode WaitForExclusive is not supported by this broker yet", {
      code: "not_supported",
    });
  }
  if (body.topicEpoch !== undefined && body.topicEpoch < topic.epoch) {
    throw new BrokerError(
      holder === undefined
        ? `Producer was fenced: its epoch is ${body.topicEpoch}, the topic's ${topic.epoch}`
        : `Topic has an existing exclusive producer: ${holder.name}`,
      { code: "producer_fenced" },
    );
  }
  if (access === "Exclusive") assertAlone(topic, holder);
  else topic.dropProducers();
  if (body.topicEpoch === topic.epoch) return;
  topic.epoch++;
  await topic.saveState();
}

function assertAlone(topic: Topic, holder: Producer | undefined): void {
  if (topic.producers.size === 0) return;
  throw new BrokerError(
    holder === undefined
      ? "Topic has existing shared producers"
      : `Topic has an existing exclusive producer: ${holder.name}`,
    { code: "producer_fenced" },
  );
}

/** CLOSE_PRODUCER: answered when everything that it sent has its answer. */
export async function handleCloseProducer(
  connection: Session,
  { producerId, requestId }: CommandCloseProducer,
): Promise<void> {
  const producer = connection.producers.get(producerId);
  // One that is still opening is given up.
  const wasOpening = connection.opening.delete(`producer ${producerId}`);
  if (producer === undefined && !wasOpening) {
    throw new BrokerError("Producer was not registered on the connection", { code: "invalid" });
  }
  if (producer !== undefined) {
    connection.producers.delete(producerId);
    await producer.idle();
    producer.topic.removeProducer(producer);
  }
  connection.send("SUCCESS", { requestId });
}
