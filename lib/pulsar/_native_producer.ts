/** Batches through npm:pulsar-client: it takes single messages, and a flush makes each batch an entry. */
import { Buffer } from "node:buffer";
import { assert } from "../base/mod.ts";
import { type BatchBuffer, END_MARKER_PROPERTY, type Producer, type Receipt } from "../contract.ts";
import type { NativeMessageId, NativeProducerHandle } from "./_native_addon.ts";
import { MessageId } from "./client/mod.ts";
import { PulsarError } from "./wire/mod.ts";

const BATCHES_IN_FLIGHT_MAX = 64;
const INITIAL_BYTES = 256 * 1024;

/** A batch as the contract has it; the messages lie one behind the other. */
class NativeBatch implements BatchBuffer {
  readonly partition: number;
  readonly ends: number[] = [];
  bytes = new Uint8Array(INITIAL_BYTES);

  constructor(partition: number) {
    this.partition = partition;
  }

  get messageCount(): number {
    return this.ends.length;
  }

  get byteLength(): number {
    return this.ends.at(-1) ?? 0;
  }

  reserve(valueBytesMax: number): number {
    const wanted = this.byteLength + valueBytesMax;
    if (wanted > this.bytes.length) {
      const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.byteLength));
      this.bytes = grown;
    }
    return this.byteLength;
  }

  commit(end: number): void {
    assert(end >= this.byteLength, "commit before the reserved offset");
    this.ends.push(end);
  }
}

interface Lane {
  readonly handle: NativeProducerHandle;
  readonly spare: NativeBatch[];
  inFlight: number;
}

/** The contract's producer. */
export class NativeProducer implements Producer {
  readonly systemName: string;
  readonly #lanes: readonly Lane[];

  constructor(handles: readonly NativeProducerHandle[], systemName: string) {
    this.systemName = systemName;
    this.#lanes = handles.map((handle) => ({ handle, spare: [], inFlight: 0 }));
  }

  get partitionCount(): number {
    return this.#lanes.length;
  }

  /** −1: this client does not tell it. */
  lastSequenceId(): number {
    return -1;
  }

  openBatch(partition: number): BatchBuffer | undefined {
    const lane = this.#lane(partition);
    if (lane.inFlight >= BATCHES_IN_FLIGHT_MAX) return undefined;
    lane.inFlight++;
    return lane.spare.pop() ?? new NativeBatch(partition);
  }

  async send(batch: BatchBuffer, sequenceId: number): Promise<Receipt> {
    const lane = this.#lane(batch.partition);
    const { bytes, ends } = batch as NativeBatch;
    try {
      assert(ends.length > 0, "an empty batch");
      let start = 0;
      // The addon copies each message before it returns.
      const sent = ends.map((end, i) => {
        const data = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
        start = end;
        return lane.handle.send({ data, sequenceId: sequenceId + i });
      });
      const flushed = lane.handle.flush();
      const ids = await Promise.all(sent);
      await flushed;
      return receiptOf(ids[0]!, ids.at(-1)!);
    } catch (error) {
      throw nativeError("send", error);
    } finally {
      ends.length = 0;
      lane.inFlight--;
      lane.spare.push(batch as NativeBatch);
    }
  }

  async sendEndMarker(partition: number, sequenceId: number): Promise<Receipt> {
    try {
      const id = await this.#lane(partition).handle.send({
        data: Buffer.alloc(0),
        sequenceId,
        properties: { [END_MARKER_PROPERTY]: "true" },
        // A message with a delivery time has an entry of its own, whose properties readers find; this one is over at once.
        deliverAt: 1,
      });
      return receiptOf(id, id);
    } catch (error) {
      throw nativeError("send the end marker", error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#lanes.map(({ handle }) => handle.close()));
  }

  #lane(partition: number): Lane {
    const lane = this.#lanes[partition];
    if (lane === undefined) {
      throw new RangeError(`Cannot send: partition ${partition} of ${this.#lanes.length}`);
    }
    return lane;
  }
}

function receiptOf(firstId: NativeMessageId, lastId: NativeMessageId): Receipt {
  const [first, last] = [firstId, lastId].map((id) => MessageId.fromBytes(id.serialize()));
  const { ledgerId, entryId } = first!;
  if (last!.ledgerId !== ledgerId || last!.entryId !== entryId) {
    throw new PulsarError("Cannot send batch: npm:pulsar-client made two entries of it", {
      code: "not_supported",
      cure: "send smaller batches",
    });
  }
  return { position: { ledgerId, entryId }, duplicate: ledgerId < 0 || entryId < 0 };
}

/** The addon's errors are texts such as `Failed to send message: TimeOut`. */
export function nativeError(action: string, error: unknown): PulsarError {
  if (error instanceof PulsarError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new PulsarError(`Cannot ${action}: npm:pulsar-client says: ${text}`, {
    code: "unknown_error",
    cause: error,
  });
}
