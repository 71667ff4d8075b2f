/** The SEND frames of one partition's producer: batches, single messages, and messages in chunks. */
import { type Clock, type Crc32c, utf8 } from "../../base/mod.ts";
import type { FrameBatch } from "./batch_buffer.ts";
import type { EncodedMessage } from "./outgoing_message.ts";
import {
  closePayload,
  compress,
  type CompressionType,
  encodeMessage,
  FRAME_PADDING_BYTES,
  MESSAGE_METADATA,
  type MessageMetadata,
  ProtoWriter,
  writeSend,
} from "../wire/mod.ts";

/** Room in front of a payload for headers that are usual; the writer moves what does not fit. */
const HEAD_ROOM_BYTES = 512;
/** What the headers of a chunk may take of the broker's bound, besides key and properties. */
const CHUNK_HEADER_BYTES = 512;

/** Whose frames they are. */
export interface FramerIdentity {
  readonly producerId: number;
  readonly producerName: string;
  /** That messages have which name none of their own. */
  readonly schemaVersion: Uint8Array | undefined;
  /** What the broker takes at most. */
  readonly messageBytesMax: number;
}

/** What a batch goes out with. */
export interface BatchHead {
  readonly sequenceId: number;
  readonly highestSequenceId: number;
  /** Brokers dispatch a batch by the key of its first message. */
  readonly first: EncodedMessage;
}

/** Lays out the frames of one partition's producer. */
export class EntryFramer {
  readonly #identity: FramerIdentity;
  readonly #clock: Clock;
  readonly #crc32c: Crc32c;
  readonly #compression: CompressionType;

  constructor(
    identity: FramerIdentity,
    options: {
      readonly clock: Clock;
      readonly crc32c: Crc32c;
      readonly compression: CompressionType;
    },
  ) {
    this.#identity = identity;
    this.#clock = options.clock;
    this.#crc32c = options.crc32c;
    this.#compression = options.compression;
  }

  /** The frame of a batch; without compression it lies in the batch's own buffer. */
  batch(batch: FrameBatch, head: BatchHead): Uint8Array {
    const { payloadStart, payloadEnd, messageCount } = batch;
    const { first, sequenceId, highestSequenceId } = head;
    const metadata = {
      sequenceId,
      highestSequenceId: highestSequenceId === sequenceId ? undefined : highestSequenceId,
      numMessagesInBatch: messageCount,
      partitionKey: first.partitionKey,
      partitionKeyB64Encoded: first.keyIsBase64 || undefined,
      orderingKey: first.orderingKey,
      schemaVersion: first.schemaVersion,
    };
    const content = batch.bytes.subarray(payloadStart, payloadEnd);
    if (this.#compression === 0) {
      const writer = new ProtoWriter().attach(batch.bytes, payloadStart, payloadEnd);
      return this.#frame(writer, metadata, { messageCount });
    }
    const compressed = { ...metadata, ...this.#compressed(content.length) };
    const writer = writerOf(compress(this.#compression, content));
    return this.#frame(writer, compressed, { messageCount });
  }

  /**
   * The frames of a message that has an entry of its own: one, or as many as its chunks are.
   *
   * @param canChunk whether it may go in chunks when the broker would not take it whole
   * @returns undefined when it is too large
   */
  single(
    message: EncodedMessage,
    sequenceId: number,
    canChunk: boolean,
  ): Uint8Array[] | undefined {
    // Not every compression has a form of nothing.
    const isCompressed = this.#compression !== 0 && message.payload.length > 0;
    const metadata = {
      ...singleMetadata(message, sequenceId),
      ...(isCompressed ? this.#compressed(message.payload.length) : {}),
    };
    const payload = isCompressed ? compress(this.#compression, message.payload) : message.payload;
    const { messageBytesMax } = this.#identity;
    if (payload.length <= messageBytesMax) {
      const frame = this.#frame(writerOf(payload), metadata, { messageCount: 1 });
      // A broker would end the connection over it, again and again, and over what others send on it.
      return frame.length <= messageBytesMax + FRAME_PADDING_BYTES ? [frame] : undefined;
    }
    const head = encodeMessage(MESSAGE_METADATA, this.#metadata(metadata), new ProtoWriter());
    const chunkBytes = messageBytesMax - head - CHUNK_HEADER_BYTES;
    if (!canChunk || chunkBytes <= 0) return undefined;
    return this.#chunks(payload, metadata, chunkBytes);
  }

  #chunks(
    payload: Uint8Array,
    metadata: Omit<MessageMetadata, "producerName" | "publishTime">,
    chunkBytes: number,
  ): Uint8Array[] {
    const count = Math.ceil(payload.length / chunkBytes);
    // All chunks carry the same name, by which consumers put them together.
    const chunked = {
      ...metadata,
      uuid: `${this.#identity.producerName}-${metadata.sequenceId}`,
      numChunksFromMsg: count,
      totalChunkMsgSize: payload.length,
    };
    return Array.from({ length: count }, (_, chunkId) => {
      const part = payload.subarray(chunkId * chunkBytes, (chunkId + 1) * chunkBytes);
      const head = { ...chunked, chunkId };
      return this.#frame(writerOf(part), head, { messageCount: 1, isChunk: true });
    });
  }

  #compressed(uncompressedSize: number): Pick<MessageMetadata, "compression" | "uncompressedSize"> {
    return { compression: this.#compression, uncompressedSize };
  }

  #metadata(fields: Omit<MessageMetadata, "producerName" | "publishTime">): MessageMetadata {
    const { producerName, schemaVersion } = this.#identity;
    return {
      ...fields,
      producerName,
      publishTime: Math.floor(this.#clock.wallMs()),
      schemaVersion: fields.schemaVersion ?? schemaVersion,
    };
  }

  /** Writes the headers in front of the payload that the writer holds. */
  #frame(
    writer: ProtoWriter,
    fields: Omit<MessageMetadata, "producerName" | "publishTime">,
    send: { readonly messageCount: number; readonly isChunk?: boolean },
  ): Uint8Array {
    const payloadBytes = writer.length;
    encodeMessage(MESSAGE_METADATA, this.#metadata(fields), writer);
    closePayload(writer, payloadBytes, this.#crc32c);
    writeSend(writer, {
      producerId: this.#identity.producerId,
      sequenceId: fields.sequenceId,
      numMessages: send.messageCount,
      highestSequenceId: fields.highestSequenceId ?? fields.sequenceId,
      isChunk: send.isChunk,
    });
    return writer.bytes.subarray(writer.start, writer.end);
  }
}

/** UTF-8 bytes of a producer's name: what a batch buffer leaves room for. */
export function nameBytesOf(producerName: string): number {
  return utf8(producerName).length;
}

function singleMetadata(message: EncodedMessage, sequenceId: number) {
  return {
    sequenceId,
    properties: message.properties,
    partitionKey: message.partitionKey,
    partitionKeyB64Encoded: message.keyIsBase64 || undefined,
    nullPartitionKey: message.keyIsNull || undefined,
    nullValue: message.isNull || undefined,
    orderingKey: message.orderingKey,
    eventTime: message.eventTimeMs,
    deliverAtTime: message.deliverAtMs,
    replicateTo: message.replicateTo,
    schemaVersion: message.schemaVersion,
  };
}

/** A writer in front of a copy of the payload: what the application gave stays its own. */
function writerOf(payload: Uint8Array): ProtoWriter {
  const room = new Uint8Array(HEAD_ROOM_BYTES + payload.length);
  room.set(payload, HEAD_ROOM_BYTES);
  return new ProtoWriter().attach(room, HEAD_ROOM_BYTES, room.length);
}
