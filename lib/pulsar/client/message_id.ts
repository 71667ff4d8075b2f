import type { Position } from "../../contract.ts";
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_ID_DATA,
  type MessageIdData,
  ProtoWriter,
} from "../wire/mod.ts";

/** Where a message lies. */
export interface MessageId extends Position {
  /** −1 for a topic that is not partitioned. */
  readonly partition: number;
  /** Its place in the entry's batch, −1 for a message that has an entry of its own. */
  readonly batchIndex: number;
  /** How many messages the entry's batch holds; absent where there is none or it is not known. */
  readonly batchMessageCount?: number | undefined;
  /** Of a message in chunks: where its first chunk lies. The id itself is that of the last one. */
  readonly firstChunk?: Position | undefined;
  /** Full name of the topic or partition; not part of the bytes. A consumer of several topics asks for it. */
  readonly topic?: string | undefined;
}

/**
 * What can be done with message ids: they are plain objects.
 *
 * @example
 * ```ts
 * import { MessageId } from "./message_id.ts";
 * import assert from "node:assert/strict";
 * const id = { ledgerId: 12, entryId: 7, partition: -1, batchIndex: 3, batchMessageCount: 10 };
 * const bytes = MessageId.toBytes(id);
 * assert.deepEqual(MessageId.fromBytes(bytes), id);
 * assert.ok(MessageId.compare(MessageId.earliest, id) < 0);
 * assert.equal(MessageId.toText(id), "12:7:-1:3");
 * ```
 */
export const MessageId = {
  /** Before the first message that a topic has. */
  earliest: Object.freeze(
    { ledgerId: -1, entryId: -1, partition: -1, batchIndex: -1 },
  ) as MessageId,
  /** After the last message that a topic has. */
  latest: Object.freeze(
    { ledgerId: Infinity, entryId: Infinity, partition: -1, batchIndex: -1 },
  ) as MessageId,

  /** The bytes by which every Pulsar client knows the id: a MessageIdData. */
  toBytes(id: MessageId): Uint8Array<ArrayBuffer> {
    const writer = new ProtoWriter();
    encodeMessage(MESSAGE_ID_DATA, messageIdData(id), writer);
    return writer.finish();
  },

  /**
   * The id in the bytes that a Pulsar client made of it.
   *
   * @throws {PulsarError} `malformed` when the bytes are no MessageIdData
   */
  fromBytes(bytes: Uint8Array): MessageId {
    return messageIdOf(decodeMessage(MESSAGE_ID_DATA, bytes));
  },

  /**
   * Below 0 where `a` comes before `b`, 0 where they are one. Messages of different topics or partitions have no order.
   *
   * An id without a place in a batch comes before those of the batch's messages.
   */
  compare(a: MessageId, b: MessageId): number {
    return signOf(a.ledgerId, b.ledgerId) || signOf(a.entryId, b.entryId) ||
      signOf(a.batchIndex, b.batchIndex);
  },

  /** For people and logs: `ledger:entry:partition`, and `:index` in a batch. */
  toText(id: MessageId): string {
    const text = `${id.ledgerId}:${id.entryId}:${id.partition}`;
    return id.batchIndex < 0 ? text : `${text}:${id.batchIndex}`;
  },
} as const;

/** Infinity − Infinity is no number. */
function signOf(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The id as it goes over the wire. */
export function messageIdData(id: MessageId): MessageIdData {
  const { ledgerId, entryId, partition, batchIndex, batchMessageCount = 0, firstChunk } = id;
  return {
    ledgerId,
    entryId,
    ...(partition < 0 ? {} : { partition }),
    ...(batchIndex < 0 ? {} : { batchIndex }),
    ...(batchIndex < 0 || batchMessageCount <= 0 ? {} : { batchSize: batchMessageCount }),
    ...(firstChunk === undefined ? {} : { firstChunkMessageId: { ...firstChunk } }),
  };
}

/** The id that came over the wire. */
export function messageIdOf(data: MessageIdData, topic?: string): MessageId {
  const { ledgerId, entryId, partition = -1, batchIndex = -1, batchSize = 0 } = data;
  const chunk = data.firstChunkMessageId;
  return {
    ledgerId,
    entryId,
    partition,
    batchIndex,
    ...(batchIndex < 0 || batchSize <= 0 ? {} : { batchMessageCount: batchSize }),
    ...(chunk === undefined
      ? {}
      : { firstChunk: { ledgerId: chunk.ledgerId, entryId: chunk.entryId } }),
    ...(topic === undefined ? {} : { topic }),
  };
}

/**
 * Whether a place to seek to means one in each topic and partition: a time, or either end.
 *
 * @throws {TypeError} for what is no place
 */
export function isForAllTopics(target: MessageId | number): boolean {
  if (typeof target === "number") return true;
  if (Number.isNaN(Number(target?.entryId))) {
    throw new TypeError(
      `Cannot seek to ${
        String(target)
      }: give a MessageId (earliest and latest are two) or ms since 1970`,
    );
  }
  return target.entryId < 0 || target.ledgerId === Infinity;
}
