/**
 * A batch laid out for one write: the headers of its frame are put in front of the messages when it is sent.
 *
 *     | head room: sizes, SEND, checksum, MessageMetadata | [u32 size][SingleMessageMetadata][message]* | room |
 *                                            ◄── written backwards by `seal`        written forwards by `reserve` and `commit`
 */
import { assert } from "../../base/mod.ts";
import type { BatchBuffer } from "../../contract.ts";
import {
  plainHeaderLength,
  ProtoWriter,
  PulsarError,
  putPlainHeader,
  type SingleMetadataFields,
  writeSingleMetadata,
} from "../wire/mod.ts";

/** Room for everything in front of the messages but the producer's name; a schema version takes 10 bytes, numbers at most 10 each. */
const HEAD_ROOM_BYTES = 160;
const INITIAL_BATCH_BYTES = 256 * 1024;

const scratch = new ProtoWriter();

/** The client's batch buffer. */
export class FrameBatch implements BatchBuffer {
  readonly partition: number;
  /** Where the first message's header begins. */
  readonly payloadStart: number;
  readonly #payloadBytesMax: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #end: number;
  #valueStart = -1;
  #lastValueBytes = 200;
  #messageCount = 0;

  /**
   * @param partition of the topic
   * @param nameBytes length of the producer's name
   * @param payloadBytesMax what the broker takes at most
   * @param initialBytes for messages, before it grows
   */
  constructor(
    partition: number,
    nameBytes: number,
    payloadBytesMax: number,
    initialBytes = INITIAL_BATCH_BYTES,
  ) {
    this.partition = partition;
    this.payloadStart = HEAD_ROOM_BYTES + nameBytes;
    this.#payloadBytesMax = payloadBytesMax;
    this.#bytes = new Uint8Array(this.payloadStart + initialBytes);
    this.#end = this.payloadStart;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get messageCount(): number {
    return this.#messageCount;
  }

  get byteLength(): number {
    return this.#end - this.payloadStart;
  }

  /** One past the last message's last byte. */
  get payloadEnd(): number {
    return this.#end;
  }

  /** @throws {PulsarError} `batch_too_large` when the batch is full already */
  reserve(valueBytesMax: number): number {
    if (this.byteLength >= this.#payloadBytesMax) this.#throwTooLarge();
    // The header's length depends on the value's, which is not known yet: most values are about as long as the last one.
    const header = plainHeaderLength(this.#lastValueBytes);
    this.#need(header + 5 + valueBytesMax);
    this.#valueStart = this.#end + header;
    return this.#valueStart;
  }

  commit(end: number): void {
    const size = end - this.#valueStart;
    assert(this.#valueStart >= 0 && size >= 0, "commit without reserve, or before its offset");
    const start = this.#end + plainHeaderLength(size);
    if (start !== this.#valueStart) this.#bytes.copyWithin(start, this.#valueStart, end);
    putPlainHeader(this.#bytes, this.#end, size);
    this.#end = start + size;
    this.#valueStart = -1;
    this.#lastValueBytes = size;
    this.#messageCount++;
  }

  /** Adds a message that is known as a whole, with its key and properties. */
  append(value: Uint8Array, fields: Omit<SingleMetadataFields, "payloadBytes">): void {
    writeSingleMetadata(scratch.reset(), { ...fields, payloadBytes: value.length });
    this.#need(scratch.length + value.length);
    this.#bytes.set(scratch.bytes.subarray(scratch.start, scratch.end), this.#end);
    this.#bytes.set(value, this.#end + scratch.length);
    this.#end += scratch.length + value.length;
    this.#messageCount++;
  }

  /** Empties it for the next batch. */
  clear(): void {
    this.#end = this.payloadStart;
    this.#valueStart = -1;
    this.#messageCount = 0;
  }

  /** @throws {PulsarError} `batch_too_large` when the broker would not take it */
  assertFits(): void {
    if (this.byteLength > this.#payloadBytesMax) this.#throwTooLarge();
  }

  #throwTooLarge(): never {
    throw new PulsarError(
      `Cannot send batch: ${this.byteLength} bytes, the broker takes at most ${this.#payloadBytesMax}`,
      { code: "batch_too_large" },
    );
  }

  #need(count: number): void {
    const wanted = this.#end + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}
