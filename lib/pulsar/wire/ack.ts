/**
 * ACK (10), from consumer to broker.
 *
 *     1 consumer_id · 2 ack_type (0 individual, 1 cumulative) · 3 message_id* · 4 validation_error · 5 properties* · 6, 7 txnid · 8 request_id
 */
import { closeCommand } from "./command.ts";
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { MessageIdView, writeMessageId } from "./message_id.ts";
import { ProtoReader } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { COMMANDS } from "./pulsar_api.ts";

const reader = new ProtoReader();
const ACK = COMMANDS.ACK.number;

/**
 * An ACK command, read into the same object again and again.
 * Where `ackSetWords` or `hasTransaction` say so, read the command by the table codec instead: it has all of it.
 */
export class AckView {
  consumerId = -1;
  isCumulative = false;
  /** How many entries are named. */
  count = 0;
  /** Their ledgers and entries; only the first `count` are of this command. */
  readonly ledgerIds: number[] = [];
  readonly entryIds: number[] = [];
  /** Words of ack sets in all message ids together. */
  ackSetWords = 0;
  hasTransaction = false;
  /** −1 where there is none. */
  validationError = -1;
  /** Undefined where no ACK_RESPONSE is wanted. */
  requestId: bigint | undefined = undefined;
  readonly #id = new MessageIdView();
  /** Bits of the fields that must be there. */
  #seen = 0;

  /** @throws {PulsarError} `malformed` with the offset */
  read(frame: Frame): this {
    this.consumerId = this.validationError = -1;
    this.requestId = undefined;
    this.isCumulative = this.hasTransaction = false;
    this.count = this.ackSetWords = 0;
    reader.reset(frame.bytes, frame.bodyStart, frame.bodyEnd);
    this.#seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number === 3) this.#readId();
      else this.#readField(number);
    }
    if (this.#seen !== 3) {
      throw malformed("ACK", "consumer_id or ack_type is missing", frame.bodyStart);
    }
    return this;
  }

  #readId(): void {
    this.#id.readNested(reader);
    this.ledgerIds[this.count] = this.#id.ledgerId;
    this.entryIds[this.count] = this.#id.entryId;
    this.ackSetWords += this.#id.ackSetWords;
    this.count++;
  }

  #readField(number: number): void {
    if (reader.wireType !== 0 || number > 8 || number === 5) return reader.skip();
    if (number === 8) {
      this.requestId = reader.bits64();
      return;
    }
    const value = reader.int64();
    if (number === 1) {
      this.consumerId = value;
      this.#seen |= 1;
    } else if (number === 2) {
      // Another number than these two is as good as none.
      if (value === 0 || value === 1) this.#seen |= 2;
      this.isCumulative = value === 1;
    } else if (number === 4) this.validationError = value;
    else this.hasTransaction ||= value !== 0;
  }
}

/** What `writeAck` writes. */
export interface AckFields {
  readonly consumerId: number;
  readonly isCumulative: boolean;
  readonly ledgerId: number;
  readonly entryId: number;
  /** −1 for none. */
  readonly validationError: number;
  /** Undefined when no answer is wanted. */
  readonly requestId: bigint | undefined;
}

/** Writes the whole frame of an ACK for one entry in front of what the writer holds. */
export function writeAck(writer: ProtoWriter, fields: AckFields): void {
  const outer = writer.length;
  if (fields.requestId !== undefined) {
    writer.bits64(fields.requestId);
    writer.tag(8, 0);
  }
  if (fields.validationError >= 0) {
    writer.int32(fields.validationError);
    writer.tag(4, 0);
  }
  writeMessageId(writer, 3, {
    ledgerId: fields.ledgerId,
    entryId: fields.entryId,
    partition: -1,
  });
  writer.uint32(fields.isCumulative ? 1 : 0);
  writer.tag(2, 0);
  writer.int64(fields.consumerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - outer);
  closeCommand(writer, ACK, outer);
  writer.frame32(writer.length - outer);
}
