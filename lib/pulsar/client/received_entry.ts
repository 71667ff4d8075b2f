/** An entry as a consumer keeps it, and the messages in it: views that read what they are asked for. */
import { type EventTimeMs, utf8, type WallTimeMs } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import type { AckId } from "./ack_tracker.ts";
import type { BatchBits } from "./batch_bits.ts";
import type { Message } from "./message.ts";
import type { MessageId } from "./message_id.ts";
import type { Schema } from "./schema.ts";
import {
  BROKER_ENTRY_METADATA,
  type BrokerEntryMetadata,
  decodeMessage,
  MESSAGE_METADATA,
  type MessageMetadata,
  PulsarError,
  SINGLE_MESSAGE_METADATA,
  type SingleMessageMetadata,
} from "../wire/mod.ts";

const NO_PROPERTIES: Readonly<Record<string, string>> = Object.freeze({});
/** Metadata of a message in a batch that says its size and nothing else is not longer. */
const PLAIN_METADATA_BYTES_MAX = 6;

const UNREAD = Symbol("not decoded yet");

/** Where an entry came from. */
export interface EntryOrigin {
  /** Full name of the topic or partition. */
  readonly topic: string;
  /** −1 for a topic that is not partitioned. */
  readonly partition: number;
  readonly schema: Schema<unknown> | undefined;
}

/** What an entry is made of. */
export interface EntryParts extends Position {
  readonly redeliveryCount: number;
  /** Holds BrokerEntryMetadata and MessageMetadata. */
  readonly head: Uint8Array;
  readonly brokerEntryStart: number;
  readonly brokerEntryEnd: number;
  readonly metadataStart: number;
  readonly metadataEnd: number;
  /** Uncompressed. */
  readonly content: Uint8Array;
  readonly contentStart: number;
  readonly contentEnd: number;
  /** Two numbers a message, of its bytes in `content`; undefined for an entry that is one message. */
  readonly bounds: Uint32Array | undefined;
  readonly publishTimeMs: WallTimeMs;
  /** Of a message in chunks: where its first chunk lies. */
  readonly firstChunk?: Position | undefined;
}

/** One entry, handed out message by message. */
export class ReceivedEntry implements Position {
  readonly ledgerId: number;
  readonly entryId: number;
  readonly redeliveryCount: number;
  readonly messageCount: number;
  readonly isBatch: boolean;
  readonly origin: EntryOrigin;
  readonly parts: EntryParts;
  /** The messages of a batch that are wanted; undefined for all. */
  wanted: BatchBits | undefined;
  /** Whether its messages may be handed out: false while their schema is fetched. */
  isReady = true;
  /** Why values cannot be read. */
  schemaError: unknown;
  #next = 0;
  #metadata: MessageMetadata | undefined;
  #brokerEntry: BrokerEntryMetadata | undefined;
  #properties: Readonly<Record<string, string>> | undefined;

  constructor(origin: EntryOrigin, parts: EntryParts) {
    this.origin = origin;
    this.parts = parts;
    this.ledgerId = parts.ledgerId;
    this.entryId = parts.entryId;
    this.redeliveryCount = parts.redeliveryCount;
    this.isBatch = parts.bounds !== undefined;
    this.messageCount = parts.bounds === undefined ? 1 : parts.bounds.length / 2;
  }

  /** The next message that is wanted, or undefined after the last. */
  next(): ReceivedMessage<unknown> | undefined {
    const { wanted } = this;
    while (this.#next < this.messageCount) {
      const index = this.#next++;
      if (wanted === undefined || wanted.has(index)) return new ReceivedMessage(this, index);
    }
    return undefined;
  }

  /** How many wanted messages were not handed out yet. */
  get left(): number {
    if (this.wanted === undefined) return this.messageCount - this.#next;
    let count = 0;
    for (let i = this.#next; i < this.messageCount; i++) if (this.wanted.has(i)) count++;
    return count;
  }

  /** Whether the last of a batch's messages was handed out. */
  get isTaken(): boolean {
    return this.#next >= this.messageCount;
  }

  /** Bytes of the payload, uncompressed. */
  get contentBytes(): number {
    return this.parts.contentEnd - this.parts.contentStart;
  }

  get metadata(): MessageMetadata {
    const { head, metadataStart, metadataEnd } = this.parts;
    return this.#metadata ??= decodeMessage(MESSAGE_METADATA, head, metadataStart, metadataEnd);
  }

  get brokerEntry(): BrokerEntryMetadata {
    const { head, brokerEntryStart, brokerEntryEnd } = this.parts;
    return this.#brokerEntry ??= decodeMessage(
      BROKER_ENTRY_METADATA,
      head,
      brokerEntryStart,
      brokerEntryEnd,
    );
  }

  get properties(): Readonly<Record<string, string>> {
    return this.#properties ??= recordOf(this.metadata.properties);
  }

  /** Metadata of one message of a batch; undefined where it says the size only. */
  single(index: number): SingleMessageMetadata | undefined {
    const { bounds, content, contentStart } = this.parts;
    const start = (index === 0 ? contentStart : bounds![2 * index - 1]!) + 4;
    const end = bounds![2 * index]!;
    if (end - start <= PLAIN_METADATA_BYTES_MAX && content[start] === 0x18) {
      if (!this.#hasMoreThanSize(start, end)) return undefined;
    }
    return decodeMessage(SINGLE_MESSAGE_METADATA, content, start, end);
  }

  /** Whether anything follows the varint of the payload's size. */
  #hasMoreThanSize(start: number, end: number): boolean {
    const { content } = this.parts;
    let at = start + 1;
    while (at < end && content[at]! >= 0x80) at++;
    return at + 1 !== end;
  }
}

/** A message of an entry. */
export class ReceivedMessage<T> implements Message<T> {
  readonly entry: ReceivedEntry;
  readonly batchIndex: number;
  #single: SingleMessageMetadata | undefined | null = null;
  #value: unknown = UNREAD;

  constructor(entry: ReceivedEntry, batchIndex: number) {
    this.entry = entry;
    this.batchIndex = batchIndex;
  }

  get id(): MessageId {
    const { ledgerId, entryId, messageCount, isBatch, origin, parts } = this.entry;
    return {
      ledgerId,
      entryId,
      partition: origin.partition,
      batchIndex: isBatch ? this.batchIndex : -1,
      ...(isBatch ? { batchMessageCount: messageCount } : {}),
      ...(parts.firstChunk === undefined ? {} : { firstChunk: parts.firstChunk }),
      topic: origin.topic,
    };
  }

  /** What an acknowledgement needs of the id. */
  get ackId(): AckId {
    const { ledgerId, entryId, messageCount: batchMessageCount, isBatch } = this.entry;
    return { ledgerId, entryId, batchIndex: isBatch ? this.batchIndex : -1, batchMessageCount };
  }

  get topic(): string {
    return this.entry.origin.topic;
  }

  /** How many bytes the payload has. */
  get byteLength(): number {
    const { bounds, contentStart, contentEnd } = this.entry.parts;
    if (bounds === undefined) return contentEnd - contentStart;
    return bounds[2 * this.batchIndex + 1]! - bounds[2 * this.batchIndex]!;
  }

  get data(): Uint8Array {
    const { bounds, content, contentStart, contentEnd } = this.entry.parts;
    if (bounds === undefined) return content.subarray(contentStart, contentEnd);
    return content.subarray(bounds[2 * this.batchIndex]!, bounds[2 * this.batchIndex + 1]!);
  }

  get value(): T {
    const { schema } = this.entry.origin;
    if (schema === undefined) return this.data as T;
    if (this.#value === UNREAD) this.#value = this.#decode(schema);
    return this.#value as T;
  }

  get isNull(): boolean {
    return this.#own?.nullValue ?? false;
  }

  get key(): string | undefined {
    return this.#own?.nullPartitionKey === true ? undefined : this.#own?.partitionKey;
  }

  get keyBytes(): Uint8Array | undefined {
    const { key } = this;
    if (key === undefined) return undefined;
    return this.#own?.partitionKeyB64Encoded === true ? bytesOfBase64(key) : utf8(key);
  }

  get orderingKey(): Uint8Array | undefined {
    return this.#own?.orderingKey;
  }

  get properties(): Readonly<Record<string, string>> {
    return this.entry.isBatch ? recordOf(this.#own?.properties) : this.entry.properties;
  }

  get eventTimeMs(): EventTimeMs | undefined {
    return this.#own?.eventTime || undefined;
  }

  get publishTimeMs(): WallTimeMs {
    return this.entry.parts.publishTimeMs;
  }

  get producerName(): string {
    return this.entry.metadata.producerName;
  }

  get sequenceId(): number {
    const first = this.entry.metadata.sequenceId;
    return this.entry.isBatch ? this.#own?.sequenceId ?? first + this.batchIndex : first;
  }

  get redeliveryCount(): number {
    return this.entry.redeliveryCount;
  }

  get schemaVersion(): Uint8Array | undefined {
    return this.entry.metadata.schemaVersion;
  }

  get replicatedFrom(): string | undefined {
    return this.entry.metadata.replicatedFrom;
  }

  get index(): number | undefined {
    const { index } = this.entry.brokerEntry;
    // Of an entry the broker notes the index of its last message.
    return index === undefined ? undefined : index - this.entry.messageCount + 1 + this.batchIndex;
  }

  get brokerPublishTimeMs(): WallTimeMs | undefined {
    return this.entry.brokerEntry.brokerTimestamp;
  }

  get deliverAtTimeMs(): WallTimeMs | undefined {
    return this.entry.metadata.deliverAtTime;
  }

  #decode(schema: Schema<unknown>): unknown {
    if (this.isNull && schema.readsKey !== true) return null;
    if (this.entry.schemaError !== undefined) throw this.entry.schemaError;
    const { schemaVersion } = this;
    // The key is looked for only by schemas that keep a part of the value there.
    const keyBytes = schema.readsKey === true ? this.keyBytes : undefined;
    return schema.decode(this.data, { schemaVersion, keyBytes, isNull: this.isNull });
  }

  /** What says key, properties and so on: of the message where it is in a batch, else of the entry. */
  get #own(): MessageMetadata | SingleMessageMetadata | undefined {
    return this.entry.isBatch ? this.#batched : this.entry.metadata;
  }

  get #batched(): SingleMessageMetadata | undefined {
    if (this.#single === null) this.#single = this.entry.single(this.batchIndex);
    return this.#single;
  }
}

function bytesOfBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new PulsarError("Cannot read key: it is not Base64", { code: "malformed", cause });
  }
}

function recordOf(
  pairs: readonly { readonly key: string; readonly value: string }[] | undefined,
): Readonly<Record<string, string>> {
  if (pairs === undefined || pairs.length === 0) return NO_PROPERTIES;
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}
