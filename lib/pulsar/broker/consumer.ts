import { ProtoWriter } from "../wire/mod.ts";
import type { ClientLink } from "./link.ts";
import type { LogReader } from "./log_reader.ts";
import { writeMessageFrame } from "./message_header.ts";
import type { Cursor } from "./cursor.ts";

const writer = new ProtoWriter();

/** What a consumer needs of its subscription. */
export interface DeliverySource {
  readonly cursor: Cursor;
  /** Index of the partition, −1 for a topic without partitions. */
  readonly partition: number;
  noteOut(messages: number, bytes: number): void;
}

/** What a SUBSCRIBE says of its consumer. */
export interface ConsumerOptions {
  readonly link: ClientLink;
  readonly consumerId: number;
  readonly name: string;
  readonly priority: number;
  /** −1 where the client gave none. */
  readonly epoch: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connectedSinceMs: number;
}

/** One consumer of a subscription, as the broker sees it. */
export class Consumer {
  readonly link: ClientLink;
  readonly consumerId: number;
  readonly name: string;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connectedSinceMs: number;
  epoch: number;
  /** Messages that the client is ready to take. */
  permits = 0;
  messagesOut = 0;
  bytesOut = 0;
  isClosed = false;

  constructor(private readonly source: DeliverySource, options: ConsumerOptions) {
    this.link = options.link;
    this.consumerId = options.consumerId;
    this.name = options.name;
    this.priority = options.priority;
    this.epoch = options.epoch;
    this.metadata = options.metadata;
    this.connectedSinceMs = options.connectedSinceMs;
  }

  /** Whether a message may be sent now. */
  get isReady(): boolean {
    return this.permits > 0 && !this.isClosed && !this.link.outbox.isFull;
  }

  /** Sends the reader's current entry. */
  deliver(reader: LogReader, redeliveryCount: number): void {
    const { source } = this;
    const ackSet = source.cursor.ackSet(reader.ledgerId, reader.entryId);
    const entryBytes = reader.end - reader.start;
    writeMessageFrame(writer, {
      consumerId: this.consumerId,
      ledgerId: reader.ledgerId,
      entryId: reader.entryId,
      partition: source.partition,
      redeliveryCount,
      ackSet,
      consumerEpoch: this.epoch,
      entryBytes,
    });
    const { outbox } = this.link;
    outbox.add(writer.bytes, writer.start, writer.end);
    outbox.addSlab(reader.slab, reader.start, reader.end);
    const messages = ackSet === undefined ? reader.messageCount : countBits(ackSet);
    this.permits -= messages;
    this.messagesOut += messages;
    this.bytesOut += entryBytes;
    source.noteOut(messages, entryBytes);
  }
}

function countBits(words: readonly bigint[]): number {
  let count = 0;
  for (const word of words) {
    for (let rest = word; rest !== 0n; rest &= rest - 1n) count++;
  }
  return count;
}
