import { MetadataView, PayloadSection } from "../../wire/mod.ts";
import type {
  CommandCloseConsumer,
  CommandConsumerStats,
  CommandGetLastMessageId,
  CommandRedeliverUnacknowledgedMessages,
  CommandSeek,
  CommandSubscribe,
  CommandUnsubscribe,
} from "../../wire/mod.ts";
import { recordOf } from "./command_producer.ts";
import type { Attachment, Session } from "./session.ts";
import { Consumer } from "../dispatch/mod.ts";
import { ratesOf } from "../rates.ts";
import { BrokerError, unloading } from "../errors.ts";
import type { PartitionLog, Position } from "../log/mod.ts";
import { comparePositions, EARLIEST } from "../log/mod.ts";
import { readsAnySchema, schemaInfoOf } from "../schema/mod.ts";
import type { Subscription } from "../dispatch/mod.ts";
import { assertSubscribable } from "./subscription_access.ts";
import type { Topic } from "../topic.ts";
import { openReadable } from "../topic_access.ts";
import { parseTopicName } from "../topic_name.ts";

/** By the numbers of `SubType`, of which the codec lets no other through. */
const KINDS = ["Exclusive", "Shared", "Failover", "Key_Shared"] as const;
const INITIAL_EARLIEST = 1;

const section = new PayloadSection();
const metadata = new MetadataView();

/** SUBSCRIBE: opens a consumer, making its subscription where there is none. */
export async function handleSubscribe(
  connection: Session,
  body: CommandSubscribe,
): Promise<void> {
  const { consumerId, requestId } = body;
  const key = `consumer ${consumerId}`;
  if (connection.consumers.has(consumerId)) {
    connection.send("SUCCESS", { requestId });
    return;
  }
  if (connection.opening.has(key)) {
    throw new BrokerError("Consumer is already present on the connection", { code: "closed" });
  }
  connection.opening.add(key);
  try {
    const attachment = await openConsumer(connection, body);
    if (connection.isClosed || !connection.opening.has(key)) {
      attachment.subscription.remove(attachment.consumer);
      return;
    }
    if (attachment.consumer.isClosed) {
      // It was sent away between its arrival and this answer, which must not come behind CLOSE_CONSUMER.
      throw unloading();
    }
    connection.consumers.set(consumerId, attachment);
    connection.send("SUCCESS", { requestId });
  } finally {
    connection.opening.delete(key);
  }
}

async function openConsumer(connection: Session, body: CommandSubscribe): Promise<Attachment> {
  const { broker } = connection;
  const kind = KINDS[body.subType];
  const readsCompacted = body.readCompacted === true;
  if (readsCompacted && kind !== "Exclusive" && kind !== "Failover") {
    throw new BrokerError("readCompacted only allowed on failover or exclusive subscriptions", {
      code: "not_supported",
    });
  }
  const name = parseTopicName(body.topic);
  const topic = await openReadable(broker, name, body.forceTopicCreation ?? true);
  const schema = schemaInfoOf(body.schema);
  if (schema !== undefined) {
    const strategy = broker.compatibility(name.namespace);
    await broker.schemas.assertReadable(name, schema, { strategy, isActive: topic.isActive });
  }
  if (topic.isClosed) throw unloading();
  const isDurable = body.durable ?? true;
  assertSubscribable(topic, { name: body.subscription, kind, isDurable });
  const subscription = topic.subscribe(body.subscription, {
    isDurable,
    markDelete: () => initialPosition(topic, body, broker.parts.clock.wallMs()),
    properties: recordOf(body.subscriptionProperties),
  });
  const consumer = new Consumer(subscription, {
    link: connection,
    consumerId: body.consumerId,
    name: body.consumerName || broker.nextProducerName(),
    priority: body.priorityLevel ?? 0,
    epoch: body.consumerEpoch ?? -1,
    metadata: recordOf(body.metadata),
    connectedSinceMs: broker.parts.clock.wallMs(),
    keyShared: body.keySharedMeta,
    readsCompacted,
    readsAnySchema: readsAnySchema(body.schema),
  });
  if (readsCompacted) subscription.startCompacted();
  await subscription.add(consumer, kind);
  return { consumer, subscription };
}

/** Where a new subscription begins: the position before its first message. */
function initialPosition(topic: Topic, body: CommandSubscribe, nowMs: number): Position {
  const { log } = topic;
  const rollbackSec = body.startMessageRollbackDurationSec ?? 0;
  if (rollbackSec > 0) return log.lastBefore(nowMs - rollbackSec * 1000);
  const latest = log.last ?? log.beforeFirst;
  const start = body.startMessageId;
  if (body.durable !== false || start === undefined) {
    return body.initialPosition === INITIAL_EARLIEST ? log.beforeFirst : latest;
  }
  if (start.ledgerId === Infinity) return latest;
  if (start.ledgerId < 0) return log.beforeFirst;
  // The entry comes again, for the message may be one of a batch, or wanted itself: the client leaves out what it has.
  const before = { ledgerId: start.ledgerId, entryId: Math.max(start.entryId - 1, -1) };
  // Behind the end there is nothing to wait for: whatever comes next is new.
  return comparePositions(before, latest) > 0 ? latest : before;
}

function attachmentOf(connection: Session, consumerId: number): Attachment {
  const attachment = connection.consumers.get(consumerId);
  if (attachment !== undefined) return attachment;
  // As 4.2.4, which keeps its ConsumerNotFound for acknowledgements and statistics.
  throw new BrokerError("Consumer not found", { code: "invalid" });
}

/** CLOSE_CONSUMER. */
export async function handleCloseConsumer(
  connection: Session,
  { consumerId, requestId }: CommandCloseConsumer,
): Promise<void> {
  if (!connection.opening.delete(`consumer ${consumerId}`)) {
    const { consumer, subscription } = attachmentOf(connection, consumerId);
    connection.consumers.delete(consumerId);
    subscription.remove(consumer);
    if (subscription.isDurable) await subscription.topic.saveCursors();
    else if (subscription.consumers.length === 0) {
      await subscription.topic.unsubscribe(subscription);
    }
  }
  connection.send("SUCCESS", { requestId });
}

/** UNSUBSCRIBE: removes the subscription of its only consumer. */
export async function handleUnsubscribe(
  connection: Session,
  { consumerId, requestId, force }: CommandUnsubscribe,
): Promise<void> {
  const { consumer, subscription } = attachmentOf(connection, consumerId);
  if (subscription.consumers.length > 1 && force !== true) {
    throw new BrokerError("Unconnected or shared consumer attempting to unsubscribe", {
      code: "invalid",
    });
  }
  // Its own consumer need not be told.
  connection.consumers.delete(consumerId);
  subscription.remove(consumer);
  await subscription.topic.unsubscribe(subscription);
  connection.send("SUCCESS", { requestId });
}

/** SEEK: closes the subscription's consumers, moves its cursor, and answers. */
export async function handleSeek(connection: Session, body: CommandSeek): Promise<void> {
  const { subscription } = attachmentOf(connection, body.consumerId);
  const { messageId, messagePublishTime } = body;
  if (messageId !== undefined) {
    seekTo(subscription, messageId.ledgerId, messageId.entryId, messageId.ackSet);
  } else if (messagePublishTime !== undefined) {
    subscription.reset(subscription.topic.log.lastBefore(messagePublishTime));
  } else {
    throw new BrokerError("Cannot seek: no message id and no time", { code: "invalid" });
  }
  if (subscription.isDurable) await subscription.topic.saveCursors();
  connection.send("SUCCESS", { requestId: body.requestId });
}

function seekTo(
  subscription: Subscription,
  ledgerId: number,
  entryId: number,
  ackSet: readonly bigint[] | undefined,
): void {
  const { log } = subscription.topic;
  const latest = log.last ?? log.beforeFirst;
  if (ledgerId === Infinity || ledgerId > latest.ledgerId) subscription.reset(latest);
  else if (ledgerId < log.beforeFirst.ledgerId) subscription.reset(log.beforeFirst);
  else subscription.reset(log.previousPosition({ ledgerId, entryId }), ackSet);
}

/** REDELIVER_UNACKNOWLEDGED_MESSAGES. */
export function handleRedeliver(
  connection: Session,
  body: CommandRedeliverUnacknowledgedMessages,
): void {
  const attachment = connection.consumers.get(body.consumerId);
  if (attachment === undefined) return;
  const { consumer, subscription } = attachment;
  subscription.redeliver(consumer, body.messageIds ?? [], body.consumerEpoch ?? -1);
}

/** GET_LAST_MESSAGE_ID. */
export function handleGetLastMessageId(
  connection: Session,
  { consumerId, requestId }: CommandGetLastMessageId,
): void {
  const attachment = connection.consumers.get(consumerId);
  if (attachment === undefined) throw new BrokerError("Consumer not found", { code: "invalid" });
  const { topic, cursor } = attachment.subscription;
  connection.send("GET_LAST_MESSAGE_ID_RESPONSE", {
    lastMessageId: { ...lastMessageOf(attachment), partition: topic.name.partition },
    requestId,
    // One before everything is told as the beginning of the log.
    consumerMarkDeletePosition: cursor.markDelete.ledgerId < 0
      ? topic.log.beforeFirst
      : cursor.markDelete,
  });
}

/** The last message that a consumer can come to. */
function lastMessageOf({ consumer, subscription }: Attachment): Position & { batchIndex: number } {
  const { log, compacted } = subscription.topic;
  const { last } = log;
  const nothing = { ...EARLIEST, batchIndex: -1 };
  const isBehindHorizon = compacted !== undefined && last !== undefined &&
    comparePositions(last, compacted.horizon) > 0;
  if (consumer.readsCompacted && compacted !== undefined && !isBehindHorizon) {
    return compacted.last ?? nothing;
  }
  return last === undefined ? nothing : { ...last, batchIndex: lastBatchIndex(log, last) };
}

/** Index of the last message in an entry, −1 for one that is no batch. */
function lastBatchIndex(log: PartitionLog, position: Position): number {
  const reader = log.reader(log.previousPosition(position));
  try {
    if (!reader.load()) return -1;
    const { metadataStart, metadataEnd } = section.read(
      reader.slab.bytes,
      reader.start,
      reader.end,
    );
    metadata.read(reader.slab.bytes, metadataStart, metadataEnd);
    return metadata.isBatch ? metadata.messageCount - 1 : -1;
  } finally {
    reader.close();
  }
}

/** CONSUMER_STATS. */
export function handleConsumerStats(
  connection: Session,
  { consumerId, requestId }: CommandConsumerStats,
): void {
  const attachment = connection.consumers.get(consumerId);
  if (attachment === undefined) {
    throw new BrokerError("Consumer not found", { code: "consumer_not_found" });
  }
  const { consumer, subscription } = attachment;
  const { perSec } = ratesOf(consumer);
  connection.send("CONSUMER_STATS_RESPONSE", {
    requestId,
    msgRateOut: perSec.messagesOut,
    msgThroughputOut: perSec.bytesOut,
    msgRateRedeliver: perSec.messagesRedelivered,
    consumerName: consumer.name,
    availablePermits: consumer.permits,
    unackedMessages: consumer.pending.messages,
    blockedConsumerOnUnackedMsgs: consumer.isBlocked,
    address: `/${connection.address}`,
    connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
    type: subscription.kind,
    msgRateExpired: 0,
    msgBacklog: subscription.backlog().entries,
    messageAckRate: perSec.messagesAcked,
  });
}
