/**
 * SEND (6), from producer to broker, once an entry.
 *
 *     1 producer_id · 2 sequence_id · 3 num_messages · 4, 5 txnid · 6 highest_sequence_id · 7 is_chunk · 8 marker · 9 message_id
 *     followed by a payload section
 */
import { closeCommand } from "./command.ts";
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { ProtoReader } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { COMMANDS } from "./pulsar_api.ts";

const reader = new ProtoReader();
const SEND = COMMANDS.SEND.number;

/** A SEND command, read into the same object again and again. */
export class SendView {
  producerId = -1;
  sequenceId = -1;
  numMessages = 1;
  /** −1 where there is none. */
  highestSequenceId = -1;
  isChunk = false;
  isMarker = false;
  hasTransaction = false;

  /** @throws {PulsarError} `malformed` with the offset */
  read(frame: Frame): this {
    this.producerId = this.sequenceId = this.highestSequenceId = -1;
    this.numMessages = 1;
    this.isChunk = this.isMarker = this.hasTransaction = false;
    reader.reset(frame.bytes, frame.bodyStart, frame.bodyEnd);
    let seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number <= 2) seen |= number;
      this.#readField(number);
    }
    if (seen !== 3) {
      throw malformed("SEND", "producer_id or sequence_id is missing", frame.bodyStart);
    }
    return this;
  }

  #readField(number: number): void {
    if (reader.wireType !== 0 || number > 8) return reader.skip();
    const value = reader.int64();
    if (number === 1) this.producerId = value;
    else if (number === 2) this.sequenceId = value;
    else if (number === 3) this.numMessages = value | 0;
    else if (number === 6) this.highestSequenceId = value;
    else if (number === 7) this.isChunk = value !== 0;
    else if (number === 8) this.isMarker = value !== 0;
    else this.hasTransaction ||= value !== 0;
  }
}

/** What `writeSend` writes. */
export interface SendFields {
  readonly producerId: number;
  readonly sequenceId: number;
  readonly numMessages: number;
  /** Left out when it equals the sequence id. */
  readonly highestSequenceId: number;
  readonly isChunk?: boolean | undefined;
}

/** Writes the whole frame in front of the payload section that the writer holds. */
export function writeSend(writer: ProtoWriter, fields: SendFields): void {
  const before = writer.length;
  if (fields.isChunk === true) {
    writer.uint32(1);
    writer.tag(7, 0);
  }
  if (fields.highestSequenceId !== fields.sequenceId) {
    writer.int64(fields.highestSequenceId);
    writer.tag(6, 0);
  }
  if (fields.numMessages !== 1) {
    writer.int32(fields.numMessages);
    writer.tag(3, 0);
  }
  writer.int64(fields.sequenceId);
  writer.tag(2, 0);
  writer.int64(fields.producerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - before);
  closeCommand(writer, SEND, before);
  writer.frame32(writer.length);
}
