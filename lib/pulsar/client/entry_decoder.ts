import type { Crc32c } from "../../base/mod.ts";
import type { MessageBatch, Position } from "../../contract.ts";
import {
  decompress,
  malformed,
  MetadataView,
  PayloadSection,
  PulsarError,
  splitBatch,
} from "../wire/mod.ts";
import { END_MARKER_PROPERTY } from "../../contract.ts";

/** Brokers bound the compressed size only; what a batch may unfold to is bounded here. */
export const UNCOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;
/** The smallest batched message: its size and two bytes of metadata. A count beyond what the payload can hold is a lie. */
const BATCHED_BYTES_MIN = 6;

/** Turns entries into batches of views; one instance serves one partition, and every call uses its arrays again. */
export class EntryDecoder {
  readonly #partition: number;
  readonly #crc32c: Crc32c;
  readonly #section = new PayloadSection();
  readonly #metadata = new MetadataView();
  #store = new Uint32Array(2048);
  #bounds = this.#store;

  constructor(partition: number, crc32c: Crc32c) {
    this.#partition = partition;
    this.#crc32c = crc32c;
  }

  /** How many messages an entry says it holds, as the broker counts permits; 1 where its metadata cannot be read. */
  messageCount(bytes: Uint8Array, start: number, end: number): number {
    try {
      const { metadataStart, metadataEnd } = this.#section.read(bytes, start, end);
      return Math.max(this.#metadata.read(bytes, metadataStart, metadataEnd).messageCount, 1);
    } catch (error) {
      if (error instanceof PulsarError) return 1;
      throw error;
    }
  }

  /** Whether the entry is as it was sent. */
  isIntact(bytes: Uint8Array, start: number, end: number): boolean {
    try {
      return this.#section.read(bytes, start, end).checksumMatches(this.#crc32c);
    } catch (error) {
      // The checksum lies inside of what is damaged.
      if (error instanceof PulsarError) return false;
      throw error;
    }
  }

  /**
   * The batch in an entry whose checksum was right.
   *
   * @param bytes the payload section is `bytes[start..end)`
   * @returns undefined for Pulsar's own markers, which are no messages
   * @throws {PulsarError} `malformed`, `decompression_failed` or `not_supported`
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: Position,
  ): MessageBatch | undefined {
    const section = this.#section.read(bytes, start, end);
    const metadata = this.#metadata.read(bytes, section.metadataStart, section.metadataEnd);
    if (metadata.isMarker) return undefined;
    if (metadata.isEncrypted) throw notSupported("encrypted", position);
    if (metadata.isChunk) throw notSupported("a chunk of a larger one", position);
    let content = bytes;
    let contentStart = section.metadataEnd;
    let contentEnd = section.end;
    if (metadata.compression !== 0) {
      content = decompress(
        metadata.compression,
        bytes.subarray(contentStart, contentEnd),
        metadata.uncompressedSize,
        UNCOMPRESSED_BYTES_MAX,
      );
      contentStart = 0;
      contentEnd = content.length;
    }
    const properties = metadata.properties();
    const isEndMarker = !metadata.isBatch && END_MARKER_PROPERTY in properties;
    const messageCount = isEndMarker ? 0 : metadata.messageCount;
    this.#split(content, contentStart, contentEnd, messageCount);
    return {
      partition: this.#partition,
      position,
      messageCount,
      bytes: content,
      bounds: this.#bounds,
      publishTimeMs: metadata.publishTimeMs,
      properties,
    };
  }

  #split(content: Uint8Array, start: number, end: number, messageCount: number): void {
    assertMessageCount(messageCount, start, end);
    if (this.#store.length < 2 * messageCount) this.#store = new Uint32Array(4 * messageCount);
    if (this.#bounds.length !== 2 * messageCount || this.#bounds.buffer !== this.#store.buffer) {
      this.#bounds = this.#store.subarray(0, 2 * messageCount);
    }
    if (this.#metadata.isBatch) splitBatch(content, start, end, messageCount, this.#bounds);
    else if (messageCount === 1) {
      this.#bounds[0] = start;
      this.#bounds[1] = end;
    }
  }
}

/** Throws where a payload in `bytes[start..end)` cannot hold so many messages, before any room is made for them.
 *
 * @throws {PulsarError} `malformed`
 */
export function assertMessageCount(messageCount: number, start: number, end: number): void {
  if (messageCount >= 0 && messageCount <= Math.max((end - start) / BATCHED_BYTES_MIN, 1)) return;
  throw malformed("batch", `${messageCount} messages in ${end - start} bytes`, start);
}

function notSupported(what: string, position: Position): PulsarError {
  return new PulsarError(
    `Cannot read message ${position.ledgerId}:${position.entryId}: it is ${what}`,
    { code: "not_supported" },
  );
}
