import { assert, utf8 } from "../../base/mod.ts";
import { END_MARKER_PROPERTY, type Producer, type Receipt } from "../../contract.ts";
import { FrameBatch } from "./batch_buffer.ts";
import { systemNameOf } from "./connection.ts";
import { type ClientContext, orAborted } from "./context.ts";
import { PartitionProducer } from "./partition_producer.ts";
import { partitionTopic } from "./topic_name.ts";
import {
  closePayload,
  compress,
  type CompressionName,
  compressionNumber,
  type MetadataFields,
  ProtoWriter,
  type Schema,
  writeMetadata,
  writeSend,
} from "../wire/mod.ts";

/** What a producer of batches is opened with. */
export interface BatchProducerOptions {
  readonly topic: string;
  /** Stable over restarts, so that the broker can tell what it has already; partition k is sent to as `<name>-partition-<k>`. */
  readonly producerName: string;
  /** Registered with the topic. */
  readonly schema?: Schema | undefined;
  /** Default none. */
  readonly compression?: CompressionName | undefined;
  /** Batches of one partition that may be open or wait for receipts. Default 64. */
  readonly batchesInFlightMax?: number | undefined;
  /** Bytes of one partition that may wait for receipts. Default 32 MiB. */
  readonly bytesInFlightMax?: number | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

const BATCHES_IN_FLIGHT_MAX = 64;
const BYTES_IN_FLIGHT_MAX = 32 * 1024 * 1024;

interface Lane {
  readonly producer: PartitionProducer;
  readonly name: Uint8Array;
  readonly spare: FrameBatch[];
  /** Batches handed out or waiting for receipts. */
  inFlight: number;
  bytesInFlight: number;
  readonly waiting: (() => void)[];
}

/**
 * Sends batches that are laid out in place to the partitions of a topic: no object, string or copy a message.
 *
 * @example
 * ```ts ignore
 * await using client = await connectPulsar({ serviceUrl: "pulsar://127.0.0.1:6650" });
 * await using producer = await client.openBatchProducer({ topic: "orders", producerName: "till-1" });
 * const batch = producer.openBatch(0)!;
 * const start = batch.reserve(100);
 * const { written } = new TextEncoder().encodeInto("hello", batch.bytes.subarray(start));
 * batch.commit(start + written);
 * const receipt = await producer.send(batch, producer.lastSequenceId(0) + 1);
 * ```
 */
export class BatchProducer implements Producer {
  readonly #context: ClientContext;
  readonly #compression: ReturnType<typeof compressionNumber>;
  readonly #batchesInFlightMax: number;
  readonly #bytesInFlightMax: number;
  readonly #lanes: readonly Lane[];
  readonly #writer = new ProtoWriter();
  #closed = false;

  private constructor(
    context: ClientContext,
    options: BatchProducerOptions,
    producers: readonly PartitionProducer[],
    names: readonly string[],
  ) {
    this.#context = context;
    this.#compression = compressionNumber(options.compression ?? "none");
    this.#batchesInFlightMax = options.batchesInFlightMax ?? BATCHES_IN_FLIGHT_MAX;
    this.#bytesInFlightMax = options.bytesInFlightMax ?? BYTES_IN_FLIGHT_MAX;
    this.#lanes = producers.map((producer, i) => ({
      producer,
      name: utf8(names[i]!),
      spare: [],
      inFlight: 0,
      bytesInFlight: 0,
      waiting: [],
    }));
  }

  /** @throws {PulsarError} why a partition's producer cannot be registered */
  static async open(
    context: ClientContext,
    options: BatchProducerOptions,
    partitionCount: number,
  ): Promise<BatchProducer> {
    const { topic, producerName, schema, signal, compression = "none" } = options;
    // What is refused must be so before the broker has producers that nobody would close.
    compressionNumber(compression);
    const topics = partitionCount === 0
      ? [{ topic, producerName }]
      : Array.from({ length: partitionCount }, (_, k) => ({
        topic: partitionTopic(topic, k),
        producerName: `${producerName}-partition-${k}`,
      }));
    const opened = await Promise.allSettled(
      topics.map((names) => PartitionProducer.open(context, { ...names, schema, signal })),
    );
    const producers = opened.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : []
    );
    const failed = opened.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await Promise.all(producers.map((producer) => producer[Symbol.asyncDispose]()));
      throw failed.reason;
    }
    return new BatchProducer(
      context,
      options,
      producers,
      topics.map((names) => names.producerName),
    );
  }

  get partitionCount(): number {
    return this.#lanes.length;
  }

  get systemName(): string {
    return systemNameOf(this.#lanes[0]!.producer.serverVersion);
  }

  lastSequenceId(partition: number): number {
    return this.#lane(partition).producer.lastSequenceId;
  }

  openBatch(partition: number): FrameBatch | undefined {
    const lane = this.#lane(partition);
    if (this.#isFull(lane)) return undefined;
    lane.inFlight++;
    const { messageBytesMax } = lane.producer;
    return lane.spare.pop() ?? new FrameBatch(partition, lane.name.length, messageBytesMax);
  }

  /** Resolves when `openBatch` would give a buffer, or the producer is closed.
   *
   * @throws the signal's reason when it is aborted before
   */
  async whenReady(partition: number, signal?: AbortSignal): Promise<void> {
    const lane = this.#lane(partition);
    while (this.#isFull(lane) && !this.#closed) {
      const waiting = new Promise<void>((resolve) => lane.waiting.push(resolve));
      await (signal === undefined ? waiting : orAborted(waiting, signal));
    }
  }

  async send(batch: FrameBatch, sequenceId: number): Promise<Receipt> {
    const lane = this.#lane(batch.partition);
    let bytes = 0;
    try {
      assert(batch.messageCount > 0, "an empty batch");
      batch.assertFits();
      const frame = this.#seal(lane, batch, sequenceId);
      bytes = frame.length;
      lane.bytesInFlight += bytes;
      return await lane.producer.send(sequenceId, frame);
    } finally {
      lane.bytesInFlight -= bytes;
      this.#release(lane, batch);
    }
  }

  async sendEndMarker(partition: number, sequenceId: number): Promise<Receipt> {
    const lane = this.#lane(partition);
    const properties = [{ key: END_MARKER_PROPERTY, value: "true" }];
    const writer = new ProtoWriter();
    this.#frame(lane, writer, { sequenceId, highestSequenceId: sequenceId, properties }, 0);
    return await lane.producer.send(sequenceId, writer.finish());
  }

  /** Receipts that were ignored because they came twice, and how often a partition was registered again: for metrics. */
  get counters(): { readonly staleReceipts: number; readonly reconnects: number } {
    const producers = this.#lanes.map((lane) => lane.producer);
    return {
      staleReceipts: producers.reduce((sum, producer) => sum + producer.staleReceiptCount, 0),
      reconnects: producers.reduce((sum, producer) => sum + producer.reconnectCount, 0),
    };
  }

  /** Closes it; what has no receipt yet is rejected with code `closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#context.opened.delete(this);
    await Promise.all(this.#lanes.map((lane) => lane.producer[Symbol.asyncDispose]()));
    for (const lane of this.#lanes) lane.waiting.splice(0).forEach((resolve) => resolve());
  }

  /** Writes the frame around the batch; without compression it lies in the batch's own buffer. */
  #seal(lane: Lane, batch: FrameBatch, sequenceId: number): Uint8Array {
    const { payloadStart, payloadEnd, messageCount } = batch;
    const writer = this.#writer;
    let payloadBytes = payloadEnd - payloadStart;
    const fields = {
      sequenceId,
      highestSequenceId: sequenceId + messageCount - 1,
      batchMessageCount: messageCount,
      uncompressedSize: payloadBytes,
      compression: this.#compression,
    };
    if (this.#compression === 0) writer.attach(batch.bytes, payloadStart, payloadEnd);
    else {
      const payload = compress(this.#compression, batch.bytes.subarray(payloadStart, payloadEnd));
      payloadBytes = payload.length;
      const room = new Uint8Array(payloadStart + payloadBytes);
      room.set(payload, payloadStart);
      writer.attach(room, payloadStart, room.length);
    }
    this.#frame(lane, writer, fields, payloadBytes);
    return writer.bytes.subarray(writer.start, writer.end);
  }

  #frame(
    lane: Lane,
    writer: ProtoWriter,
    fields: Partial<MetadataFields> & Pick<MetadataFields, "sequenceId" | "highestSequenceId">,
    payloadBytes: number,
  ): void {
    writeMetadata(writer, {
      compression: 0,
      uncompressedSize: 0,
      ...fields,
      producerName: lane.name,
      publishTimeMs: Math.floor(this.#context.clock.wallMs()),
      schemaVersion: lane.producer.schemaVersion,
    });
    closePayload(writer, payloadBytes, this.#context.crc32c);
    writeSend(writer, {
      producerId: lane.producer.producerId,
      sequenceId: fields.sequenceId,
      numMessages: fields.batchMessageCount ?? 1,
      highestSequenceId: fields.highestSequenceId,
    });
  }

  #lane(partition: number): Lane {
    const lane = this.#lanes[partition];
    if (lane === undefined) {
      throw new RangeError(`Cannot send: partition ${partition} of ${this.#lanes.length}`);
    }
    return lane;
  }

  #isFull(lane: Lane): boolean {
    return lane.inFlight >= this.#batchesInFlightMax ||
      lane.bytesInFlight >= this.#bytesInFlightMax;
  }

  #release(lane: Lane, batch: FrameBatch): void {
    batch.clear();
    lane.spare.push(batch);
    lane.inFlight--;
    for (const resolve of lane.waiting.splice(0)) resolve();
  }
}
