/**
 * SEND_RECEIPT (7), from broker to producer, once an entry.
 *
 *     1 producer_id · 2 sequence_id · 3 message_id · 4 highest_sequence_id
 */
import { closeCommand } from "./command.ts";
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { MessageIdView, writeMessageId } from "./message_id.ts";
import { ProtoReader } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { COMMANDS } from "./pulsar_api.ts";

const reader = new ProtoReader();
const SEND_RECEIPT = COMMANDS.SEND_RECEIPT.number;

/** A SEND_RECEIPT command, read into the same object again and again. */
export class SendReceiptView {
  producerId = -1;
  sequenceId = -1;
  /** −1 where it is unset, which brokers send as 2^64 − 1. */
  highestSequenceId = -1;
  /** Ledger and entry are −1 for a message that the broker had already. */
  readonly messageId = new MessageIdView();

  /** @throws {PulsarError} `malformed` with the offset */
  read(frame: Frame): this {
    this.producerId = this.sequenceId = this.highestSequenceId = -1;
    this.messageId.ledgerId = this.messageId.entryId = -1;
    reader.reset(frame.bytes, frame.bodyStart, frame.bodyEnd);
    let seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number <= 2) seen |= number;
      if (number === 3) this.messageId.readNested(reader);
      else if (reader.wireType !== 0 || number > 4) reader.skip();
      else if (number === 1) this.producerId = reader.int64();
      else if (number === 2) this.sequenceId = reader.int64();
      else this.highestSequenceId = reader.int64();
    }
    if (seen !== 3) {
      throw malformed("SEND_RECEIPT", "producer_id or sequence_id is missing", frame.bodyStart);
    }
    return this;
  }
}

/** What `writeSendReceipt` writes. */
export interface SendReceiptFields {
  readonly producerId: number;
  readonly sequenceId: number;
  readonly highestSequenceId: number;
  readonly ledgerId: number;
  readonly entryId: number;
}

/** Writes the whole frame in front of what the writer holds, so that several receipts go out in one write: the last one first. */
export function writeSendReceipt(writer: ProtoWriter, fields: SendReceiptFields): void {
  const outer = writer.length;
  writer.int64(fields.highestSequenceId);
  writer.tag(4, 0);
  writeMessageId(writer, 3, {
    ledgerId: fields.ledgerId,
    entryId: fields.entryId,
    partition: -1,
  });
  writer.int64(fields.sequenceId);
  writer.tag(2, 0);
  writer.int64(fields.producerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - outer);
  closeCommand(writer, SEND_RECEIPT, outer);
  writer.frame32(writer.length - outer);
}
