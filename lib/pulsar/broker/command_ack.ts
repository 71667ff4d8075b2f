import { COMMANDS, decodeMessage } from "../wire/mod.ts";
import type { AckView, Frame } from "../wire/mod.ts";
import type { Session } from "./session.ts";
import { BrokerError, serverAnswer } from "./errors.ts";
import type { Subscription } from "./subscription.ts";

/** ACK: moves a subscription's cursor; answered when the cursor is written, if an answer is wanted. */
export function handleAck(connection: Session, ack: AckView, frame: Frame): void {
  const { consumerId, requestId } = ack;
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
  const subscription = connection.consumers.get(ack.consumerId)?.subscription;
  if (subscription === undefined) {
    throw new BrokerError("Consumer not found", { code: "consumer_not_found" });
  }
  if (ack.hasTransaction) {
    throw new BrokerError("Cannot acknowledge: transactions are not supported by this broker", {
      code: "not_supported",
    });
  }
  if (ack.ackSetWords > 0) {
    acknowledgeParts(subscription, frame);
    return subscription;
  }
  for (let i = 0; i < ack.count; i++) {
    const position = { ledgerId: ack.ledgerIds[i]!, entryId: ack.entryIds[i]! };
    if (ack.isCumulative) subscription.ackCumulative(position);
    else subscription.ackIndividual(position);
  }
  return subscription;
}

/** Single messages of batches are named: the table codec reads their bit sets. */
function acknowledgeParts(subscription: Subscription, frame: Frame): void {
  const ack = decodeMessage(COMMANDS.ACK.table, frame.bytes, frame.bodyStart, frame.bodyEnd);
  const isCumulative = ack.ackType === 1;
  for (const { ledgerId, entryId, ackSet } of ack.messageId ?? []) {
    const position = { ledgerId, entryId };
    const words = ackSet ?? [];
    if (words.length > 0) subscription.ackPartial(position, words, isCumulative);
    else if (isCumulative) subscription.ackCumulative(position);
    else subscription.ackIndividual(position);
  }
}
