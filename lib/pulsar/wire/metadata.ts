/**
 * MessageMetadata, once an entry.
 *
 *     1 producer_name · 2 sequence_id · 3 publish_time · 4 properties* · 6 partition_key · 8 compression · 9 uncompressed_size ·
 *     11 num_messages_in_batch · 12 event_time · 16 schema_version · 18 ordering_key · 19 deliver_at_time · 20 marker_type ·
 *     22, 23 txnid · 24 highest_sequence_id · 25 null_value · 26–29 chunks · …
 */
import { malformed } from "./errors.ts";
import { decodeMessage, encodeMessage } from "./message_codec.ts";
import { ProtoReader, WIRE_BYTES } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { KEY_VALUE } from "./pulsar_api.ts";

const reader = new ProtoReader();
const NO_PROPERTIES: Readonly<Record<string, string>> = Object.freeze({});

/** The parts of MessageMetadata that every entry needs, read into the same object again and again. The table codec has all of it. */
export class MetadataView {
  bytes: Uint8Array = new Uint8Array(0);
  producerNameStart = 0;
  producerNameEnd = 0;
  sequenceId = -1;
  publishTimeMs = 0;
  compression = 0;
  uncompressedSize = 0;
  /** 1 where `isBatch` is false. */
  messageCount = 1;
  /** Whether the payload is laid out as a batch: num_messages_in_batch is there, even if it is 1. */
  isBatch = false;
  /** −1 where there is none. */
  highestSequenceId = -1;
  /** Pulsar's internal marker, such as a transaction's end: not a message. */
  isMarker = false;
  isEncrypted = false;
  isChunk = false;
  /** Number of this chunk, from 0; −1 where the entry is a whole message. */
  chunkId = -1;
  /** Chunks that the message has; 0 where the entry is a whole message. */
  chunkCount = 0;
  propertyCount = 0;
  #start = 0;
  #end = 0;

  /**
   * Reads the metadata in `bytes[start..end)`.
   *
   * @throws {PulsarError} `malformed` with the offset
   */
  read(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.sequenceId = this.highestSequenceId = this.chunkId = -1;
    this.publishTimeMs =
      this.chunkCount =
      this.compression =
      this.uncompressedSize =
      this.propertyCount =
        0;
    this.messageCount = 1;
    this.isBatch =
      this.isMarker =
      this.isEncrypted =
      this.isChunk =
        false;
    reader.reset(bytes, start, end);
    let seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number <= 3) seen |= 1 << number;
      if (reader.wireType === WIRE_BYTES) this.#readBytes(number);
      else if (reader.wireType === 0) this.#readNumber(number);
      else reader.skip();
    }
    if (seen !== 0b1110) {
      throw malformed(
        "MessageMetadata",
        "producer_name, sequence_id or publish_time is missing",
        start,
      );
    }
    return this;
  }

  /** The entry's properties; the same empty object whenever there are none. */
  properties(): Readonly<Record<string, string>> {
    if (this.propertyCount === 0) return NO_PROPERTIES;
    const properties: Record<string, string> = {};
    reader.reset(this.bytes, this.#start, this.#end);
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number !== 4) {
        reader.skip();
        continue;
      }
      const length = reader.length();
      const end = reader.position + length;
      const { key, value } = decodeMessage(KEY_VALUE, this.bytes, reader.position, end);
      properties[key] = value;
      reader.position = end;
    }
    return properties;
  }

  #readBytes(number: number): void {
    const length = reader.length();
    if (number === 1) {
      this.producerNameStart = reader.position;
      this.producerNameEnd = reader.position + length;
    } else if (number === 4) this.propertyCount++;
    else if (number === 13) this.isEncrypted = true;
    reader.position += length;
  }

  #readNumber(number: number): void {
    const value = reader.int64();
    if (number === 2) this.sequenceId = value;
    else if (number === 3) this.publishTimeMs = value;
    else if (number === 8) this.compression = value;
    else if (number === 9) this.uncompressedSize = value;
    else if (number === 11) {
      this.messageCount = value | 0;
      this.isBatch = true;
    } else if (number === 20) this.isMarker = true;
    else if (number === 24) this.highestSequenceId = value;
    else if (number === 27) this.chunkCount = value;
    else if (number === 29) {
      this.isChunk = true;
      this.chunkId = value;
    }
  }
}

/** What `writeMetadata` writes; see MessageMetadata in PulsarApi.proto. */
export interface MetadataFields {
  /** UTF-8, so that it is encoded once for all entries. */
  readonly producerName: Uint8Array;
  readonly sequenceId: number;
  readonly publishTimeMs: number;
  readonly properties?: readonly { readonly key: string; readonly value: string }[] | undefined;
  readonly partitionKey?: string | undefined;
  readonly orderingKey?: Uint8Array | undefined;
  readonly eventTimeMs?: number | undefined;
  /** 0 for none. */
  readonly compression: number;
  /** Written only with compression. */
  readonly uncompressedSize: number;
  /** Number of messages when the payload is laid out as a batch, else undefined. */
  readonly batchMessageCount?: number | undefined;
  readonly schemaVersion?: Uint8Array | undefined;
  /** Left out when it equals the sequence id. */
  readonly highestSequenceId: number;
}

/** Writes MessageMetadata in front of the payload that the writer holds; its size is written by `closePayload`. */
export function writeMetadata(writer: ProtoWriter, fields: MetadataFields): void {
  if (fields.highestSequenceId !== fields.sequenceId) {
    writeNumber(writer, 24, fields.highestSequenceId);
  }
  writeBytes(writer, 18, fields.orderingKey);
  writeBytes(writer, 16, fields.schemaVersion);
  if (fields.eventTimeMs !== undefined) writeNumber(writer, 12, fields.eventTimeMs);
  if (fields.batchMessageCount !== undefined) writeNumber(writer, 11, fields.batchMessageCount);
  if (fields.compression !== 0) {
    writeNumber(writer, 9, fields.uncompressedSize);
    writeNumber(writer, 8, fields.compression);
  }
  if (fields.partitionKey !== undefined) {
    writer.string(fields.partitionKey);
    writer.tag(6, WIRE_BYTES);
  }
  writeProperties(writer, 4, fields.properties);
  writeNumber(writer, 3, fields.publishTimeMs);
  writeNumber(writer, 2, fields.sequenceId);
  writeBytes(writer, 1, fields.producerName);
}

function writeNumber(writer: ProtoWriter, number: number, value: number): void {
  writer.int64(value);
  writer.tag(number, 0);
}

function writeBytes(writer: ProtoWriter, number: number, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  writer.raw(bytes);
  writer.uint32(bytes.length);
  writer.tag(number, WIRE_BYTES);
}

/** Writes properties as repeated KeyValue under field `number`. */
export function writeProperties(
  writer: ProtoWriter,
  number: number,
  properties: MetadataFields["properties"],
): void {
  if (properties === undefined) return;
  for (let i = properties.length - 1; i >= 0; i--) {
    writer.uint32(encodeMessage(KEY_VALUE, properties[i]!, writer));
    writer.tag(number, WIRE_BYTES);
  }
}
