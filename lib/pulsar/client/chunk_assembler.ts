/**
 * Messages too large for one entry ("chunking"): their parts come as entries of their own, in order, mixed with those of others.
 *
 *     uuid, chunk 0 of 3 | uuid, chunk 1 of 3 | … | uuid, chunk 2 of 3        the message lies where its last chunk does
 */
import { concatBytes } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import type { Chunk } from "./message_decoder.ts";
import type { EntryParts } from "./received_entry.ts";
import { decompress, PulsarError } from "../wire/mod.ts";

/** A message of which not all chunks are here. */
interface Incomplete {
  readonly positions: Position[];
  readonly pieces: Uint8Array[];
  bytes: number;
  /** When its newest chunk came. */
  touchedMs: number;
}

/** A message whose chunks are all here. */
export interface AssembledMessage {
  readonly parts: EntryParts;
  /** Where its chunks lie, the message's own place last. */
  readonly positions: readonly Position[];
}

/** What the assembler is made with. */
export interface ChunkAssemblerOptions {
  /** Messages that may be incomplete at one time; beyond, the oldest is given up. */
  readonly pendingMax: number;
  /** Bytes that one message may have, chunks together. */
  readonly messageBytesMax: number;
  /** Time without another chunk after which a message is given up: its producer has failed. */
  readonly expiryMs: number;
  /** Hears where the chunks lie that nothing will be made of. */
  readonly dropped: (positions: readonly Position[], why: "expired" | "too_many" | "gap") => void;
}

/** Puts messages together; one instance serves one topic. */
export class ChunkAssembler {
  readonly #options: ChunkAssemblerOptions;
  readonly #incomplete = new Map<string, Incomplete>();

  constructor(options: ChunkAssemblerOptions) {
    this.#options = options;
  }

  /** How many messages are incomplete. */
  get pending(): number {
    return this.#incomplete.size;
  }

  /** Whether any chunk of a message is here. */
  has(uuid: string): boolean {
    return this.#incomplete.has(uuid);
  }

  /**
   * Takes the next chunk.
   *
   * @param nowMs on any clock
   * @returns the message when this was its last chunk
   * @throws {PulsarError} `malformed`, `message_too_large` or `decompression_failed`
   */
  add(chunk: Chunk, nowMs: number): AssembledMessage | undefined {
    const { uuid, chunkId, chunkCount, parts } = chunk;
    // Chunk 0 again: the producer sent the message anew, or the broker delivers it from its beginning.
    if (chunkId === 0) this.#begin(chunk, nowMs);
    const message = this.#incomplete.get(uuid);
    if (message === undefined || chunkId > message.positions.length) {
      this.#give(uuid, [{ ledgerId: parts.ledgerId, entryId: parts.entryId }], "gap");
      return undefined;
    }
    // It came before, because a producer has sent it twice.
    if (chunkId < message.positions.length) return undefined;
    const { content, contentStart, contentEnd } = parts;
    message.positions.push({ ledgerId: parts.ledgerId, entryId: parts.entryId });
    message.pieces.push(content.subarray(contentStart, contentEnd));
    message.bytes += contentEnd - contentStart;
    message.touchedMs = nowMs;
    if (message.bytes > this.#options.messageBytesMax) this.#refuse(chunk, message.bytes);
    if (message.positions.length < chunkCount) return undefined;
    this.#incomplete.delete(uuid);
    return { parts: this.#join(chunk, message), positions: message.positions };
  }

  /** Gives up the messages whose next chunk is overdue. */
  expire(nowMs: number): void {
    for (const [uuid, { touchedMs }] of this.#incomplete) {
      if (nowMs - touchedMs >= this.#options.expiryMs) this.#give(uuid, [], "expired");
    }
  }

  /** Forgets what it has: the broker delivers all of it again. */
  clear(): void {
    this.#incomplete.clear();
  }

  #begin({ uuid, totalBytes }: Chunk, nowMs: number): void {
    this.#incomplete.delete(uuid);
    if (totalBytes > this.#options.messageBytesMax) this.#refuse({ uuid }, totalBytes);
    this.#incomplete.set(uuid, { positions: [], pieces: [], bytes: 0, touchedMs: nowMs });
    if (this.#incomplete.size <= this.#options.pendingMax) return;
    const [oldest] = this.#incomplete.keys();
    this.#give(oldest!, [], "too_many");
  }

  #give(uuid: string, others: readonly Position[], why: "expired" | "too_many" | "gap"): void {
    const positions = [...this.#incomplete.get(uuid)?.positions ?? [], ...others];
    this.#incomplete.delete(uuid);
    this.#options.dropped(positions, why);
  }

  #refuse({ uuid }: Pick<Chunk, "uuid">, bytes: number): never {
    this.#incomplete.delete(uuid);
    throw new PulsarError(
      `Cannot read message in chunks: ${bytes} bytes, at most ${this.#options.messageBytesMax} allowed`,
      { code: "message_too_large", cure: "raise chunkedMessageBytesMax" },
    );
  }

  #join(chunk: Chunk, { pieces, positions }: Incomplete): EntryParts {
    const { compression, uncompressedSize, parts } = chunk;
    const joined = concatBytes(pieces);
    const content = compression === 0
      ? joined
      : decompress(compression, joined, uncompressedSize, this.#options.messageBytesMax);
    return {
      ...parts,
      content,
      contentStart: 0,
      contentEnd: content.length,
      firstChunk: positions[0]!,
    };
  }
}
