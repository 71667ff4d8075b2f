import { ProtoWriter, writeMessageHeader } from "../../wire/mod.ts";
import type { KeySharedMeta } from "../../wire/mod.ts";
import type { ClientLink } from "./link.ts";
import type { LogReader } from "../log/mod.ts";
import type { Cursor } from "./cursor.ts";
import { PendingAcks } from "./pending_acks.ts";

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
  /** Which keys it wants, in a Key_Shared subscription. */
  readonly keyShared?: KeySharedMeta | undefined;
  /** It wants the compacted log. */
  readonly readsCompacted?: boolean;
  /** It brings no schema, because it reads whatever there is (AUTO_CONSUME; said since protocol 21). */
  readonly readsAnySchema?: boolean;
}

/** One consumer of a subscription, as the broker sees it. */
export class Consumer {
  readonly link: ClientLink;
  readonly consumerId: number;
  readonly name: string;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connectedSinceMs: number;
  readonly keyShared: KeySharedMeta | undefined;
  readonly readsCompacted: boolean;
  readonly readsAnySchema: boolean;
  epoch: number;
  /** Messages that the client is ready to take. Below zero after a batch with more of them than it asked for, as in Pulsar. */
  permits = 0;
  /** All that the client ever asked for. */
  permitsGranted = 0;
  /** It has so much that is not acknowledged that it gets nothing more. */
  isBlocked = false;
  /** What the client has asked for since then. */
  #permitsWhileBlocked = 0;
  /** What it has and nobody has acknowledged; only several consumers of one subscription have this. */
  readonly pending = new PendingAcks();
  messagesOut = 0;
  bytesOut = 0;
  /** Messages that it gave back, or was told to get again. */
  messagesRedelivered = 0;
  messagesAcked = 0;
  isClosed = false;
  /** It was told that everything is acknowledged and nothing more will come. */
  isAtEnd = false;

  constructor(private readonly source: DeliverySource, options: ConsumerOptions) {
    this.link = options.link;
    this.consumerId = options.consumerId;
    this.name = options.name;
    this.priority = options.priority;
    this.epoch = options.epoch;
    this.metadata = options.metadata;
    this.connectedSinceMs = options.connectedSinceMs;
    this.keyShared = options.keyShared;
    this.readsCompacted = options.readsCompacted ?? false;
    this.readsAnySchema = options.readsAnySchema ?? false;
  }

  /** Whether a message may be sent now. */
  get isReady(): boolean {
    return this.permits > 0 && !this.isClosed && !this.isBlocked && !this.link.outbox.isFull;
  }

  /** The client is ready to take more messages. */
  flow(messages: number): void {
    this.permitsGranted += messages;
    if (this.isBlocked) this.#permitsWhileBlocked += messages;
    else this.permits += messages;
  }

  /** It may get messages again. */
  unblock(): void {
    this.isBlocked = false;
    this.permits += this.#permitsWhileBlocked;
    this.#permitsWhileBlocked = 0;
  }

  /**
   * Sends the reader's current entry.
   *
   * @param epoch of the consumer, which only a single active consumer's client compares; −1 for none
   * @returns how many messages of it are not acknowledged
   */
  deliver(reader: LogReader, redeliveryCount: number, epoch = this.epoch): number {
    const { source } = this;
    const ackSet = source.cursor.ackSet(reader.ledgerId, reader.entryId);
    const entryBytes = reader.end - reader.start;
    writeMessageHeader(writer.reset(), {
      consumerId: this.consumerId,
      ledgerId: reader.ledgerId,
      entryId: reader.entryId,
      partition: source.partition,
      redeliveryCount,
      ackSet,
      consumerEpoch: epoch,
      sectionBytes: entryBytes,
    });
    const { outbox } = this.link;
    outbox.add(writer.bytes, writer.start, writer.end);
    outbox.addSlab(reader.slab, reader.start, reader.end);
    const messages = ackSet === undefined ? reader.messageCount : countBits(ackSet);
    this.permits -= messages;
    this.messagesOut += messages;
    this.bytesOut += entryBytes;
    source.noteOut(messages, entryBytes);
    return messages;
  }
}

/** How many bits are set in 64-bit words. */
export function countBits(words: readonly bigint[]): number {
  let count = 0;
  for (const word of words) {
    for (let rest = BigInt.asUintN(64, word); rest !== 0n; rest &= rest - 1n) count++;
  }
  return count;
}

/** Whether a topic has a consumer who says, by a schema or by none, what it holds. */
export function hasTypedConsumers({ subscriptions }: {
  readonly subscriptions: ReadonlyMap<string, { readonly consumers: readonly Consumer[] }>;
}): boolean {
  return [...subscriptions.values()].some(({ consumers }) =>
    consumers.some(({ readsAnySchema }) => !readsAnySchema)
  );
}
