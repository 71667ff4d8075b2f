/** Commands of consumers on topics without a log: there is no cursor, so most of them have nothing to do. */
import type { Command, CommandSubscribe } from "../../wire/mod.ts";
import { recordOf } from "./command_producer.ts";
import { Consumer } from "../dispatch/mod.ts";
import { BrokerError } from "../errors.ts";
import { ratesOf } from "../rates.ts";
import { readsAnySchema, schemaInfoOf } from "../schema/mod.ts";
import type { NonPersistentAttachment, Session } from "./session.ts";
import { openNonPersistent } from "../topic_access.ts";
import { parseTopicName } from "../topic_name.ts";

/** By the numbers of `SubType`, of which the codec lets no other through. */
const KINDS = ["Exclusive", "Shared", "Failover", "Key_Shared"] as const;

/** SUBSCRIBE to a topic without a log. */
export async function subscribeNonPersistent(
  connection: Session,
  body: CommandSubscribe,
): Promise<void> {
  const { consumerId, requestId } = body;
  const key = `consumer ${consumerId}`;
  if (connection.opening.has(key)) {
    throw new BrokerError("Consumer is already present on the connection", { code: "closed" });
  }
  connection.opening.add(key);
  try {
    const attachment = await open(connection, body);
    if (connection.isClosed || !connection.opening.has(key)) {
      detach(attachment);
      return;
    }
    connection.nonPersistentConsumers.set(consumerId, attachment);
    connection.send("SUCCESS", { requestId });
  } finally {
    connection.opening.delete(key);
  }
}

async function open(
  connection: Session,
  body: CommandSubscribe,
): Promise<NonPersistentAttachment> {
  const { broker } = connection;
  if (body.readCompacted === true) {
    throw new BrokerError("readCompacted only valid on persistent topics", {
      code: "not_supported",
    });
  }
  const name = parseTopicName(body.topic);
  const topic = openNonPersistent(broker, name, body.forceTopicCreation ?? true);
  const schema = schemaInfoOf(body.schema);
  if (schema !== undefined) {
    const strategy = broker.compatibility(name.namespace);
    await broker.schemas.assertReadable(name, schema, { strategy, isActive: topic.isActive });
  }
  const subscription = topic.subscribe(body.subscription);
  const consumer = new Consumer(subscription, {
    link: connection,
    consumerId: body.consumerId,
    name: body.consumerName ?? "",
    priority: body.priorityLevel ?? 0,
    epoch: body.consumerEpoch ?? -1,
    metadata: recordOf(body.metadata),
    connectedSinceMs: broker.parts.clock.wallMs(),
    keyShared: body.keySharedMeta,
    readsAnySchema: readsAnySchema(body.schema),
  });
  const attachment = { consumer, subscription, topic };
  try {
    await subscription.add(consumer, KINDS[body.subType]);
  } catch (error) {
    topic.unsubscribeIdle(subscription);
    throw error;
  }
  return attachment;
}

/** Takes a consumer out of its subscription, and the subscription away with its last consumer. */
export function detach({ consumer, subscription, topic }: NonPersistentAttachment): void {
  subscription.remove(consumer);
  topic.unsubscribeIdle(subscription);
}

/**
 * A command of a consumer on such a topic.
 *
 * @returns false when the command belongs to no such consumer
 */
export function handleNonPersistent(connection: Session, command: Command): boolean {
  const { consumerId, requestId } = command.body as { consumerId?: number; requestId?: bigint };
  const attachment = connection.nonPersistentConsumers.get(consumerId ?? -1);
  if (attachment === undefined) return false;
  switch (command.type) {
    case "CLOSE_CONSUMER":
    case "UNSUBSCRIBE":
      connection.nonPersistentConsumers.delete(consumerId!);
      detach(attachment);
      connection.send("SUCCESS", { requestId: requestId! });
      return true;
    case "SUBSCRIBE":
    case "SEEK":
      connection.send("SUCCESS", { requestId: requestId! });
      return true;
    case "REDELIVER_UNACKNOWLEDGED_MESSAGES":
      return true;
    case "GET_LAST_MESSAGE_ID":
      throw new BrokerError("getLastMessageId is not supported on non-persistent topic", {
        code: "not_supported",
      });
    case "CONSUMER_STATS":
      sendStats(connection, attachment, requestId!);
      return true;
    default:
      return false;
  }
}

function sendStats(
  connection: Session,
  { consumer, subscription, topic }: NonPersistentAttachment,
  requestId: bigint,
): void {
  const { perSec } = ratesOf(topic);
  const isActive = subscription.active === consumer;
  connection.send("CONSUMER_STATS_RESPONSE", {
    requestId,
    msgRateOut: isActive ? perSec.messagesOut : 0,
    msgThroughputOut: isActive ? perSec.bytesOut : 0,
    msgRateRedeliver: 0,
    consumerName: consumer.name,
    availablePermits: consumer.permits,
    unackedMessages: 0,
    blockedConsumerOnUnackedMsgs: false,
    address: `/${connection.address}`,
    connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
    type: subscription.kind,
    msgRateExpired: 0,
    msgBacklog: 0,
    messageAckRate: 0,
  });
}
