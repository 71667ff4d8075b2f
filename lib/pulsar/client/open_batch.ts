/** Messages of one partition that wait to go out together. */
import { FrameBatch } from "./batch_buffer.ts";
import type { EncodedMessage } from "./outgoing_message.ts";
import type { Sending } from "./sending.ts";

/** Most producers send little: buffers grow where it is more. */
const INITIAL_BYTES = 16 * 1024;
const SPARE_BUFFERS_MAX = 16;

/** A batch that is being filled. */
export class OpenBatch {
  readonly sendings: Sending[] = [];

  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Whether a message may go into the same entry: it has one schema version, and its sequence ids go up. */
  takes({ message, sequenceId }: Sending): boolean {
    const first = this.sendings[0];
    if (first === undefined) return true;
    if (!isSameVersion(first.message.schemaVersion, message.schemaVersion)) return false;
    const last = this.sendings.at(-1)!;
    return sequenceId === undefined || last.sequenceId === undefined ||
      sequenceId > last.sequenceId;
  }

  add(sending: Sending): void {
    this.sendings.push(sending);
  }

  /** Lays the messages out, once their sequence ids are known. */
  seal(): FrameBatch {
    const buffer = this.#pool.take();
    for (const { message, sequenceId } of this.sendings) {
      buffer.append(message.payload, { ...message, sequenceId });
    }
    return buffer;
  }
}

/** Buffers that are used again once their receipt is here. */
export class BufferPool {
  readonly #spare: FrameBatch[] = [];
  readonly #partition: number;
  readonly #nameBytes: number;
  readonly #payloadBytesMax: number;

  constructor(partition: number, nameBytes: number, payloadBytesMax: number) {
    this.#partition = partition;
    this.#nameBytes = nameBytes;
    this.#payloadBytesMax = payloadBytesMax;
  }

  take(): FrameBatch {
    return this.#spare.pop() ??
      new FrameBatch(this.#partition, this.#nameBytes, this.#payloadBytesMax, INITIAL_BYTES);
  }

  /** Only after its receipt: before it, the bytes may have to go out again. */
  give(buffer: FrameBatch): void {
    if (this.#spare.length >= SPARE_BUFFERS_MAX) return;
    buffer.clear();
    this.#spare.push(buffer);
  }
}

/** By what messages are collected: all together, or by key, so that Key_Shared consumers get whole batches of their keys. */
export type BatchBy = "arrival" | "key";

/** The batches of one partition that are being filled. */
export class BatchContainer {
  readonly #by: BatchBy;
  readonly #pool: BufferPool;
  readonly #open = new Map<string, OpenBatch>();
  messageCount = 0;
  byteLength = 0;

  constructor(by: BatchBy, pool: BufferPool) {
    this.#by = by;
    this.#pool = pool;
  }

  /** @returns false when what is there must go out first */
  add(sending: Sending): boolean {
    const key = this.#by === "key" ? batchKey(sending.message) : "";
    let batch = this.#open.get(key);
    if (batch === undefined) {
      batch = new OpenBatch(this.#pool);
      this.#open.set(key, batch);
    } else if (!batch.takes(sending)) return false;
    batch.add(sending);
    this.messageCount++;
    this.byteLength += sending.message.batchBytes;
    return true;
  }

  /** Takes all batches, in the order in which they were begun. */
  take(): OpenBatch[] {
    const batches = [...this.#open.values()];
    this.#open.clear();
    this.messageCount = this.byteLength = 0;
    return batches;
  }
}

function batchKey({ orderingKey, partitionKey }: EncodedMessage): string {
  if (orderingKey === undefined) return `key ${partitionKey ?? ""}`;
  return `ordering key ${orderingKey.join()}`;
}

function isSameVersion(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.join() === b.join());
}
