/** Entries off the wire, checked, copied and uncompressed, for consumers of single messages. Batches as views: see `entry_decoder.ts`. */
import type { Crc32c } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import { assertMessageCount, UNCOMPRESSED_BYTES_MAX } from "./entry_decoder.ts";
import { EntryStore } from "./entry_store.ts";
import type { EntryParts } from "./received_entry.ts";
import {
  decodeMessage,
  decompress,
  malformed,
  MESSAGE_METADATA,
  MetadataView,
  PayloadSection,
  PulsarError,
  splitBatch,
} from "../wire/mod.ts";

/** What is known of an entry before its payload is looked at. */
export interface EntryHeader extends Position {
  readonly redeliveryCount: number;
}

/** A part of a message that was too large for one entry. */
export interface Chunk {
  readonly uuid: string;
  /** From 0. */
  readonly chunkId: number;
  readonly chunkCount: number;
  /** Bytes of all chunks together, as sent. */
  readonly totalBytes: number;
  readonly compression: number;
  readonly uncompressedSize: number;
  /** With the chunk's own bytes as content. */
  readonly parts: EntryParts;
}

/** What an entry turns out to be. */
export type DecodedEntry =
  | { readonly kind: "message"; readonly parts: EntryParts }
  | { readonly kind: "chunk"; readonly chunk: Chunk }
  /** Pulsar's own: the end of a transaction, say. */
  | { readonly kind: "marker" };

/** Decodes the entries of one topic, one after the other. */
export class MessageDecoder {
  readonly #crc32c: Crc32c;
  readonly #consumesEncrypted: boolean;
  readonly #store = new EntryStore();
  readonly #section = new PayloadSection();
  readonly #metadata = new MetadataView();
  #error: PulsarError | undefined;

  /** @param options.consumesEncrypted whether encrypted payloads are handed on as they are */
  constructor(crc32c: Crc32c, options: { readonly consumesEncrypted: boolean }) {
    this.#crc32c = crc32c;
    this.#consumesEncrypted = options.consumesEncrypted;
  }

  /** Looks at the payload section in `bytes[start..end)`; says how many messages it holds, as the broker counts permits. */
  open(bytes: Uint8Array, start: number, end: number): number {
    this.#error = undefined;
    try {
      const { metadataStart, metadataEnd } = this.#section.read(bytes, start, end);
      return Math.max(this.#metadata.read(bytes, metadataStart, metadataEnd).messageCount, 1);
    } catch (error) {
      if (!(error instanceof PulsarError)) throw error;
      this.#error = error;
      return 1;
    }
  }

  /**
   * What was opened last, in bytes of its own.
   *
   * @throws {PulsarError} `checksum_mismatch`, also where the metadata is damaged; `malformed`, `decompression_failed`,
   *   `unsupported_compression`, or `not_supported` for encrypted payloads
   */
  decode(header: EntryHeader): DecodedEntry {
    if (this.#error !== undefined) {
      const { message } = this.#error;
      throw new PulsarError(message, { code: "checksum_mismatch", cause: this.#error });
    }
    const section = this.#section;
    const metadata = this.#metadata;
    section.assertChecksum(this.#crc32c);
    if (metadata.isMarker) return { kind: "marker" };
    if (metadata.isEncrypted && !this.#consumesEncrypted) throw encrypted(header);
    if (metadata.isChunk) {
      const chunk = this.#chunk(this.#own(header));
      if (chunk !== undefined) return { kind: "chunk", chunk };
    }
    if (metadata.isEncrypted) return { kind: "message", parts: this.#own(header) };
    return { kind: "message", parts: this.#plain(header) };
  }

  /** Uncompressed, and with the bounds of a batch's messages. */
  #plain(header: EntryHeader): EntryParts {
    const { compression, uncompressedSize, isBatch, messageCount } = this.#metadata;
    let parts = compression === 0 ? this.#own(header) : this.#uncompressed(header, {
      compression,
      uncompressedSize,
    });
    const { content, contentStart, contentEnd } = parts;
    assertMessageCount(messageCount, contentStart, contentEnd);
    if (isBatch) {
      const bounds = new Uint32Array(2 * messageCount);
      splitBatch(content, contentStart, contentEnd, messageCount, bounds);
      parts = { ...parts, bounds };
    }
    return parts;
  }

  /** A copy of the section; head and content are one array. */
  #own(header: EntryHeader): EntryParts {
    const { bytes, brokerEntryStart: base, metadataEnd, end } = this.#section;
    const at = this.#store.keep(bytes, base, end);
    const own = this.#store.bytes;
    return this.#parts(header, at - base, {
      head: own,
      content: own,
      contentStart: metadataEnd - base + at,
      contentEnd: end - base + at,
    });
  }

  #uncompressed(
    header: EntryHeader,
    { compression, uncompressedSize }: { compression: number; uncompressedSize: number },
  ): EntryParts {
    const { bytes, brokerEntryStart: base, metadataEnd, end } = this.#section;
    const content = decompress(
      compression,
      bytes.subarray(metadataEnd, end),
      uncompressedSize,
      UNCOMPRESSED_BYTES_MAX,
    );
    const head = bytes.slice(base, metadataEnd);
    return this.#parts(header, -base, {
      head,
      content,
      contentStart: 0,
      contentEnd: content.length,
    });
  }

  /** @param shift from offsets in the section to those in `where.head` */
  #parts(
    { ledgerId, entryId, redeliveryCount }: EntryHeader,
    shift: number,
    where: Pick<EntryParts, "head" | "content" | "contentStart" | "contentEnd">,
  ): EntryParts {
    const section = this.#section;
    return {
      ledgerId,
      entryId,
      redeliveryCount,
      head: where.head,
      brokerEntryStart: section.brokerEntryStart + shift,
      brokerEntryEnd: section.brokerEntryEnd + shift,
      metadataStart: section.metadataStart + shift,
      metadataEnd: section.metadataEnd + shift,
      content: where.content,
      contentStart: where.contentStart,
      contentEnd: where.contentEnd,
      bounds: undefined,
      publishTimeMs: this.#metadata.publishTimeMs,
      firstChunk: undefined,
    };
  }

  /** Undefined for a message that came in one chunk only. */
  #chunk(parts: EntryParts): Chunk | undefined {
    const metadata = decodeMessage(
      MESSAGE_METADATA,
      parts.head,
      parts.metadataStart,
      parts.metadataEnd,
    );
    const { uuid, chunkId = 0, numChunksFromMsg: chunkCount = 1, totalChunkMsgSize = 0 } = metadata;
    if (chunkCount === 1 || uuid === undefined) return undefined;
    if (chunkId < 0 || chunkId >= chunkCount || totalChunkMsgSize < 0) {
      throw malformed("chunk", `number ${chunkId} of ${chunkCount}`, parts.metadataStart);
    }
    return {
      uuid,
      chunkId,
      chunkCount,
      totalBytes: totalChunkMsgSize,
      compression: this.#metadata.compression,
      uncompressedSize: this.#metadata.uncompressedSize,
      parts,
    };
  }
}

function encrypted({ ledgerId, entryId }: Position): PulsarError {
  return new PulsarError(`Cannot read message ${ledgerId}:${entryId}: it is encrypted`, {
    code: "not_supported",
    cure: 'use a client that has the keys, or `cryptoFailureAction: "discard"` or "consume"',
  });
}
