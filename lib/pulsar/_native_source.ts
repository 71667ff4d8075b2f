/** Entries through npm:pulsar-client: it gives single messages, which are put together again by their place in the batch. */
import { Buffer } from "node:buffer";
import { assert } from "../base/mod.ts";
import {
  END_MARKER_PROPERTY,
  type MessageBatch,
  type Position,
  type Source,
  type SourceHandler,
} from "../contract.ts";
import type { NativeAddon, NativeConsumerHandle, NativeMessage } from "./_native_addon.ts";
import { nativeError } from "./_native_producer.ts";
import { MessageId } from "./client/mod.ts";

const INITIAL_BYTES = 256 * 1024;

/** The contract's source: one reader a partition, which nobody takes over from. */
export class NativeSource implements Source {
  readonly systemName: string;
  readonly #addon: NativeAddon;
  readonly #handles: readonly NativeConsumerHandle[];
  #wasRun = false;

  constructor(addon: NativeAddon, handles: readonly NativeConsumerHandle[], systemName: string) {
    this.#addon = addon;
    this.#handles = handles;
    this.systemName = systemName;
  }

  get partitionCount(): number {
    return this.#handles.length;
  }

  async run(handler: SourceHandler, signal: AbortSignal): Promise<void> {
    assert(!this.#wasRun, "run was called before");
    this.#wasRun = true;
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const ended = await Promise.allSettled(
      this.#handles.map((handle, partition) =>
        readPartition({ handle, partition }, handler, either).catch((error) => {
          failed.abort(error);
          throw error;
        })
      ),
    );
    const rejected = ended.find((result) => result.status === "rejected");
    if (rejected !== undefined) throw rejected.reason;
  }

  async acknowledge(partition: number, position: Position): Promise<void> {
    const bytes = MessageId.toBytes({ ...position, partition, batchIndex: -1 });
    const id = this.#addon.MessageId.deserialize(Buffer.from(bytes));
    try {
      await this.#handle(partition).acknowledgeCumulativeId(id);
    } catch (error) {
      throw nativeError("acknowledge", error);
    }
  }

  /** Never: this client does not tell where a topic ends. */
  isIdle(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#handles.map((handle) => handle.close()));
  }

  #handle(partition: number): NativeConsumerHandle {
    const handle = this.#handles[partition];
    if (handle === undefined) {
      throw new RangeError(`Cannot acknowledge: partition ${partition} of ${this.#handles.length}`);
    }
    return handle;
  }
}

async function readPartition(
  { handle, partition }: { readonly handle: NativeConsumerHandle; readonly partition: number },
  handler: SourceHandler,
  signal: AbortSignal,
): Promise<void> {
  const entry = new EntryCollector(partition);
  let handled = await handler.activated(partition);
  while (!signal.aborted) {
    // Comes back empty after a short while, so that the signal is seen.
    const messages = await handle.batchReceive().catch((error) => {
      throw nativeError("receive", error);
    });
    for (const message of messages) {
      const id = MessageId.fromBytes(message.getMessageId().serialize());
      if (handled !== undefined && !isAfter(id, handled)) continue;
      const batch = entry.add(message, id);
      if (batch === undefined) continue;
      if (signal.aborted) return;
      await handler.batch(batch);
      handled = batch.position;
    }
  }
}

function isAfter(a: Position, b: Position): boolean {
  return a.ledgerId > b.ledgerId || (a.ledgerId === b.ledgerId && a.entryId > b.entryId);
}

/** Puts the messages of an entry together. */
class EntryCollector {
  readonly #partition: number;
  #bytes = new Uint8Array(INITIAL_BYTES);
  #ends: number[] = [];

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** @returns the batch when this was its last message */
  add(message: NativeMessage, id: MessageId): MessageBatch | undefined {
    const { ledgerId, entryId, batchIndex, batchMessageCount = 1 } = id;
    const properties = batchIndex < 0 ? message.getProperties() : {};
    const isEndMarker = END_MARKER_PROPERTY in properties;
    // Redelivered from its begin: what there was of it is dropped.
    if (batchIndex <= 0) this.#ends = [];
    if (!isEndMarker) this.#append(message.getData());
    if (batchIndex >= 0 && batchIndex + 1 < batchMessageCount) return undefined;
    const bounds = new Uint32Array(this.#ends.length * 2);
    this.#ends.forEach((end, i) => {
      bounds[2 * i] = this.#ends[i - 1] ?? 0;
      bounds[2 * i + 1] = end;
    });
    return {
      partition: this.#partition,
      position: { ledgerId, entryId },
      messageCount: this.#ends.length,
      bytes: this.#bytes,
      bounds,
      publishTimeMs: message.getPublishTimestamp(),
      properties,
    };
  }

  #append(data: Uint8Array): void {
    const start = this.#ends.at(-1) ?? 0;
    const end = start + data.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.#bytes.set(data, start);
    this.#ends.push(end);
  }
}
