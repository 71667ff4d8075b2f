import type { CommandCloseProducer, CommandProducer } from "../../wire/mod.ts";
import type { Session } from "./session.ts";
import { BrokerError } from "../errors.ts";
import { Producer } from "../producer.ts";
import { encodeVersion, schemaInfoOf } from "../schema/mod.ts";
import { openWritable } from "../topic_access.ts";
import { parseTopicName } from "../topic_name.ts";
import type { Applicant } from "../topic_producers.ts";
import type { WritableTopic } from "../writable_topic.ts";

/** By the numbers of `ProducerAccessMode`. */
const ACCESS = ["Shared", "Exclusive", "WaitForExclusive", "ExclusiveWithFencing"] as const;

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
  if (there !== undefined && !there.isClosed && there.epoch >= (body.epoch ?? 0)) {
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
    connection.waiting.delete(producerId);
  }
}

function answerProducer(connection: Session, producer: Producer, requestId: bigint): void {
  const { epoch } = producer.topic;
  connection.send("PRODUCER_SUCCESS", {
    requestId,
    ...identityOf(producer),
    ...(epoch < 0 ? {} : { topicEpoch: epoch }),
    producerReady: true,
  });
}

function identityOf({ name, lastSequenceId, schemaVersion }: {
  readonly name: string;
  readonly lastSequenceId: number;
  readonly schemaVersion: number | undefined;
}) {
  return {
    producerName: name,
    lastSequenceId,
    schemaVersion: schemaVersion === undefined ? new Uint8Array(0) : encodeVersion(schemaVersion),
  };
}

async function openProducer(connection: Session, body: CommandProducer): Promise<Producer> {
  const { broker } = connection;
  const name = parseTopicName(body.topic);
  const topic = await openWritable(broker, name);
  topic.assertWritable();
  assertRoom(topic);
  const schemaVersion = await broker.schemas.admit(name, schemaInfoOf(body.schema), {
    strategy: broker.compatibility(name.namespace),
    policies: topic.policies(),
  });
  const producerName = body.producerName || broker.nextProducerName();
  const known = topic.knownProducer(producerName);
  await livingNamesake(topic, connection, producerName, body);
  const applicant: Applicant = {
    name: producerName,
    access: ACCESS[body.producerAccessMode ?? 0],
    topicEpoch: body.topicEpoch,
  };
  await admit(connection, { topic, applicant, body, schemaVersion });
  try {
    await assertNameFree(topic, connection, producerName, body);
    topic.assertWritable();
    const producer = new Producer(topic, connection, {
      link: connection,
      producerId: body.producerId,
      name: producerName,
      epoch: body.epoch ?? 0,
      access: applicant.access,
      schemaVersion,
      metadata: recordOf(body.metadata),
      connectedSinceMs: broker.parts.clock.wallMs(),
      known,
    });
    topic.gate.add(applicant, producer);
    await topic.createInitialSubscription(body.initialSubscriptionName);
    return producer;
  } catch (error) {
    topic.gate.giveUp(applicant);
    throw error;
  }
}

function assertRoom(topic: WritableTopic): void {
  const { producersMax } = topic.policies();
  if (producersMax === 0 || topic.producers.size < producersMax) return;
  throw new BrokerError(`Topic '${topic.name.full}' reached max producers limit`, {
    code: "producer_busy",
    retryable: true,
  });
}

/** Waits for the applicant's turn, telling the client that it does; closing the producer or the connection ends the wait. */
async function admit(connection: Session, { topic, applicant, body, schemaVersion }: {
  readonly topic: WritableTopic;
  readonly applicant: Applicant;
  readonly body: CommandProducer;
  readonly schemaVersion: number | undefined;
}): Promise<void> {
  const { name } = applicant;
  const lastSequenceId = topic.knownProducer(name)?.stored ?? -1;
  await topic.gate.admit(applicant, () => {
    connection.waiting.set(body.producerId, () => topic.gate.giveUp(applicant));
    connection.send("PRODUCER_SUCCESS", {
      requestId: body.requestId,
      ...identityOf({ name, lastSequenceId, schemaVersion }),
      producerReady: false,
    });
  });
}

/** One producer of a name at a time. */
async function assertNameFree(
  topic: WritableTopic,
  connection: Session,
  name: string,
  body: CommandProducer,
): Promise<void> {
  if (await livingNamesake(topic, connection, name, body) === undefined) return;
  throw new BrokerError(
    `Producer with name '${name}' is already connected to topic '${topic.name.full}'`,
    { code: "producer_busy", retryable: true },
  );
}

/** Who has this name; one whose connection is dead makes room, and so does this connection's own older one. */
async function livingNamesake(
  topic: WritableTopic,
  connection: Session,
  name: string,
  { producerId, epoch = 0 }: CommandProducer,
): Promise<Producer | undefined> {
  for (let holder = topic.producers.get(name); holder !== undefined;) {
    const isOwn = holder.link === connection;
    const isOwnOlder = isOwn && holder.producerId === producerId && holder.epoch < epoch;
    if (isOwnOlder) topic.removeProducer(holder);
    else if (isOwn || await holder.link.isAlive()) return holder;
    holder = topic.producers.get(name);
  }
  return undefined;
}

/** CLOSE_PRODUCER: answered when everything that it sent has its answer. */
export async function handleCloseProducer(
  connection: Session,
  { producerId, requestId }: CommandCloseProducer,
): Promise<void> {
  const producer = connection.producers.get(producerId);
  // One that is still opening, or waits for its turn, is given up.
  connection.opening.delete(`producer ${producerId}`);
  connection.waiting.get(producerId)?.();
  if (producer !== undefined) {
    connection.producers.delete(producerId);
    await producer.idle();
    producer.topic.removeProducer(producer);
  }
  // As in Pulsar: one that is not there is closed already.
  connection.send("SUCCESS", { requestId });
}
