/**
 * MessageIdData, in place.
 *
 *     1 ledgerId · 2 entryId · 3 partition · 4 batch_index · 5 ack_set* · 6 batch_size · 7 first_chunk_message_id
 */
import type { ProtoReader } from "./proto_reader.ts";
import { WIRE_BYTES } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";

/** The parts of a message id that name an entry. */
export class MessageIdView {
  ledgerId = -1;
  entryId = -1;
  partition = -1;
  batchIndex = -1;
  batchSize = 0;
  /** How many words the ack set has; they are read by the table codec where they matter. */
  ackSetWords = 0;

  /** Reads a nested message id: the reader stands on its length. */
  readNested(reader: ProtoReader): void {
    this.ledgerId =
      this.entryId =
      this.partition =
      this.batchIndex =
        -1;
    this.batchSize = this.ackSetWords = 0;
    reader.expect(WIRE_BYTES);
    const length = reader.length();
    const outerEnd = reader.end;
    reader.end = reader.position + length;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      this.#readField(reader, number);
    }
    reader.end = outerEnd;
  }

  #readField(reader: ProtoReader, number: number): void {
    if (number === 5) this.ackSetWords++;
    if (number > 6 || number === 5 || reader.wireType !== 0) return reader.skip();
    const value = reader.int64();
    if (number === 1) this.ledgerId = value;
    else if (number === 2) this.entryId = value;
    else if (number === 3) this.partition = value;
    else if (number === 4) this.batchIndex = value;
    else this.batchSize = value;
  }
}

/** Writes a nested message id as field `number`; −1 for a partition leaves it out. */
export function writeMessageId(
  writer: ProtoWriter,
  number: number,
  id: { readonly ledgerId: number; readonly entryId: number; readonly partition: number },
): void {
  const before = writer.length;
  if (id.partition >= 0) {
    writer.int32(id.partition);
    writer.tag(3, 0);
  }
  closeMessageId(writer, number, before, id);
}

/** Ends a message id whose partition is written, if it has one. `before` is the writer's length before that. */
export function closeMessageId(
  writer: ProtoWriter,
  number: number,
  before: number,
  id: { readonly ledgerId: number; readonly entryId: number },
): void {
  writer.int64(id.entryId);
  writer.tag(2, 0);
  writer.int64(id.ledgerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - before);
  writer.tag(number, WIRE_BYTES);
}
