import { COMMANDS, decodeMessage } from "../../wire/mod.ts";
import type { AckView, Frame } from "../../wire/mod.ts";
import type { Attachment, Session } from "./session.ts";
import { BrokerError, serverAnswer } from "../errors.ts";
import type { Subscription } from "../dispatch/mod.ts";

/** ACK: moves a subscription's cursor; answered when the cursor is written, if an answer is wanted. */
export function handleAck(connection: Session, ack: AckView, frame: Frame): void {
  const { consumerId, requestId } = ack;
  if (connection.nonPersistentConsumers.has(consumerId)) {
    // Nothing is kept that could be acknowledged.
    if (requestId !== undefined) connection.send("ACK_RESPONSE", { consumerId, requestId });
    return;
  }
  try {
    const subscription = acknowledge(connection, ack, frame);
    if (requestId === undefined) return;
    subscription.topic.saveCursors().then(
      () => connection.send("ACK_RESPONSE", { consumerId, requestId }),
      (error) => answerError(connection, consumerId, requestId, error),
    );
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (requestId !== undefined) answerError(connection, consumerId, requestId, error);
  }
}

function answerError(
  connection: Session,
  consumerId: number,
  requestId: bigint,
  error: unknown,
): void {
  connection.send("ACK_RESPONSE", { consumerId, requestId, ...serverAnswer(error) });
}

function acknowledge(connection: Session, ack: AckView, frame: Frame): Subscription {
  const attachment = connection.consumers.get(ack.consumerId);
  if (attachment === undefined) {
    throw new BrokerError("Consumer not found", { code: "consumer_not_found" });
  }
  if (ack.hasTransaction) {
    throw new BrokerError("Cannot acknowledge: transactions are not supported by this broker", {
      code: "not_supported",
    });
  }
  if (ack.isCumulative && isShared(attachment.subscription)) {
    // As Pulsar: passed over, and answered as if it had been done.
    return attachment.subscription;
  }
  attachment.consumer.messagesAcked += ack.ackSetWords > 0
    ? acknowledgeParts(attachment, frame)
    : acknowledgeEntries(attachment, ack);
  // What was acknowledged may have held others up.
  attachment.subscription.multiple?.wake();
  return attachment.subscription;
}

function isShared({ kind }: Subscription): boolean {
  return kind === "Shared" || kind === "Key_Shared";
}

function acknowledgeEntries({ consumer, subscription }: Attachment, ack: AckView): number {
  let messages = 0;
  for (let i = 0; i < ack.count; i++) {
    const position = { ledgerId: ack.ledgerIds[i]!, entryId: ack.entryIds[i]! };
    if (!ack.isCumulative) messages += subscription.ackIndividual(position, consumer);
    else {
      subscription.ackCumulative(position);
      messages++;
    }
  }
  return messages;
}

/** Single messages of batches are named: the table codec reads their bit sets. */
function acknowledgeParts({ consumer, subscription }: Attachment, frame: Frame): number {
  const ack = decodeMessage(COMMANDS.ACK.table, frame.bytes, frame.bodyStart, frame.bodyEnd);
  const isCumulative = ack.ackType === 1;
  let messages = 0;
  for (const { ledgerId, entryId, ackSet } of ack.messageId ?? []) {
    const position = { ledgerId, entryId };
    const words = ackSet ?? [];
    if (words.length > 0) {
      messages += subscription.ackPartial(position, words, { isCumulative, by: consumer });
    } else if (isCumulative) subscription.ackCumulative(position);
    else messages += subscription.ackIndividual(position, consumer);
  }
  return messages;
}
