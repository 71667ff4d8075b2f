import type { ProtoWriter } from "../../wire/mod.ts";
import { COMMANDS } from "../../wire/mod.ts";

/** What a MESSAGE says before the entry. */
export interface MessageHeader {
  readonly consumerId: number;
  readonly ledgerId: number;
  readonly entryId: number;
  /** −1 for a topic that is not a partition. */
  readonly partition: number;
  readonly redeliveryCount: number;
  /** A bit for each message of the entry that is not acknowledged. */
  readonly ackSet: readonly bigint[] | undefined;
  /** −1 where the consumer gave none. */
  readonly consumerEpoch: number;
  /** Bytes of the entry that follows. */
  readonly entryBytes: number;
}

const MESSAGE = COMMANDS.MESSAGE.number;
const VARINT = 0;
const BYTES = 2;

/**
 * Writes the frame of a MESSAGE up to its entry. The wire's own `writeMessageHeader` knows no ack set and no epoch.
 *
 *     1 consumer_id · 2 message_id (1 ledger, 2 entry, 3 partition) · 3 redelivery_count · 4 ack_set* · 5 consumer_epoch
 */
export function writeMessageFrame(writer: ProtoWriter, header: MessageHeader): void {
  writer.reset();
  if (header.consumerEpoch >= 0) {
    writer.int64(header.consumerEpoch);
    writer.tag(5, VARINT);
  }
  const words = header.ackSet ?? [];
  for (let i = words.length - 1; i >= 0; i--) {
    writer.bits64(words[i]!);
    writer.tag(4, VARINT);
  }
  if (header.redeliveryCount !== 0) {
    writer.uint32(header.redeliveryCount);
    writer.tag(3, VARINT);
  }
  const idEnd = writer.length;
  writer.int32(header.partition);
  writer.tag(3, VARINT);
  writer.int64(header.entryId);
  writer.tag(2, VARINT);
  writer.int64(header.ledgerId);
  writer.tag(1, VARINT);
  writer.uint32(writer.length - idEnd);
  writer.tag(2, BYTES);
  writer.int64(header.consumerId);
  writer.tag(1, VARINT);
  writer.uint32(writer.length);
  writer.tag(MESSAGE, BYTES);
  writer.uint32(MESSAGE);
  writer.tag(1, VARINT);
  writer.frame32(writer.length);
  writer.frame32(writer.length + header.entryBytes);
}
