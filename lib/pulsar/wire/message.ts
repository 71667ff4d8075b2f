/**
 * MESSAGE (9), from broker to consumer, once an entry.
 *
 *     1 consumer_id · 2 message_id · 3 redelivery_count · 4 ack_set* · 5 consumer_epoch
 *     followed by a payload section: the entry as it was stored
 */
import { closeCommand } from "./command.ts";
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { closeMessageId, MessageIdView } from "./message_id.ts";
import { ProtoReader } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { COMMANDS } from "./pulsar_api.ts";

const reader = new ProtoReader();
const MESSAGE = COMMANDS.MESSAGE.number;

/** A MESSAGE command, read into the same object again and again. */
export class MessageView {
  consumerId = -1;
  readonly messageId = new MessageIdView();
  redeliveryCount = 0;
  /** How many words the ack set has; they are read by the table codec where they matter. */
  ackSetWords = 0;
  /** −1 where there is none. */
  consumerEpoch = -1;

  /** @throws {PulsarError} `malformed` with the offset */
  read(frame: Frame): this {
    this.consumerId = this.consumerEpoch = -1;
    this.redeliveryCount = this.ackSetWords = 0;
    reader.reset(frame.bytes, frame.bodyStart, frame.bodyEnd);
    let seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number <= 2) seen |= number;
      this.#readField(number);
    }
    if (seen !== 3) {
      throw malformed("MESSAGE", "consumer_id or message_id is missing", frame.bodyStart);
    }
    return this;
  }

  #readField(number: number): void {
    if (number === 2) return this.messageId.readNested(reader);
    if (number === 4) this.ackSetWords++;
    if (reader.wireType !== 0 || number > 5 || number === 4) return reader.skip();
    const value = reader.int64();
    if (number === 1) this.consumerId = value;
    else if (number === 3) this.redeliveryCount = value;
    else this.consumerEpoch = value;
  }
}

/** What `writeMessageHeader` writes. */
export interface MessageHeaderFields {
  readonly consumerId: number;
  readonly ledgerId: number;
  readonly entryId: number;
  readonly partition: number;
  readonly redeliveryCount: number;
  /** A bit for each message of the entry that is not acknowledged; left out where all are wanted. */
  readonly ackSet?: readonly bigint[] | undefined;
  /** −1 where the consumer gave none. */
  readonly consumerEpoch?: number;
  /** Size of the payload section that follows on the wire and is not in the writer. */
  readonly sectionBytes: number;
}

/** Writes sizes and command in front of what the writer holds, which is taken to be the beginning of the payload section or nothing. */
export function writeMessageHeader(writer: ProtoWriter, fields: MessageHeaderFields): void {
  const outer = writer.length;
  const { ackSet = [], consumerEpoch = -1 } = fields;
  if (consumerEpoch >= 0) {
    writer.int64(consumerEpoch);
    writer.tag(5, 0);
  }
  for (let i = ackSet.length - 1; i >= 0; i--) {
    writer.bits64(ackSet[i]!);
    writer.tag(4, 0);
  }
  if (fields.redeliveryCount !== 0) {
    writer.uint32(fields.redeliveryCount);
    writer.tag(3, 0);
  }
  const idEnd = writer.length;
  // A Pulsar says −1 here, and leaves it out elsewhere.
  writer.int32(fields.partition);
  writer.tag(3, 0);
  closeMessageId(writer, 2, idEnd, fields);
  writer.int64(fields.consumerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - outer);
  closeCommand(writer, MESSAGE, outer);
  writer.frame32(writer.length - outer + fields.sectionBytes);
}
