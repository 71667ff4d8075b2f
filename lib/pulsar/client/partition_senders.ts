/** The senders of all partitions of one producer, and those of partitions that are added while it runs. */
import { closedError } from "./closed_error.ts";
import { type ClientContext, orAborted } from "./context.ts";
import { PartitionProducer } from "./partition_producer.ts";
import { PartitionSender } from "./partition_sender.ts";
import type { ProducerSettings } from "./producer_options.ts";
import type { ProducerMeter } from "./producer_stats.ts";
import { partitionTopic } from "./topic_name.ts";
import { PulsarError } from "../wire/mod.ts";

type AnySettings = Omit<ProducerSettings<never>, "schema"> & {
  readonly schema: Pick<ProducerSettings<never>["schema"], "info">;
};

/** Opens, holds and closes the senders. */
export class PartitionSenders implements AsyncDisposable {
  readonly #context: ClientContext;
  readonly #settings: AnySettings;
  readonly #meter: ProducerMeter;
  readonly #onBatchEnded: (index: number) => void;
  readonly #senders: PartitionSender[] = [];
  readonly #closing = new AbortController();
  #isPartitioned = false;
  #growing: Promise<void> | undefined;

  constructor(
    context: ClientContext,
    settings: AnySettings,
    parts: {
      readonly meter: ProducerMeter;
      readonly onBatchEnded: (index: number) => void;
    },
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#meter = parts.meter;
    this.#onBatchEnded = parts.onBatchEnded;
  }

  get count(): number {
    return this.#senders.length;
  }

  get first(): PartitionSender {
    return this.#senders[0]!;
  }

  at(index: number): PartitionSender {
    return this.#senders[index]!;
  }

  [Symbol.iterator](): Iterator<PartitionSender> {
    return this.#senders[Symbol.iterator]();
  }

  /**
   * @param partitionCount 0 for a topic that is not partitioned
   * @throws {PulsarError} why a partition's producer cannot be registered; then none is
   */
  async open(partitionCount: number): Promise<void> {
    this.#isPartitioned = partitionCount > 0;
    try {
      // The first one may be given its name by the broker; the others take the same.
      await this.#add(0);
      const rest = Array.from({ length: Math.max(partitionCount - 1, 0) }, (_, k) => k + 1);
      await this.#addAll(rest);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Looks whether the topic has more partitions, and opens them. What fails is tried again the next time. */
  async grow(): Promise<void> {
    if (!this.#isPartitioned || this.#growing !== undefined) return await this.#growing;
    this.#growing = this.#openAdded().catch((error) => {
      // The broker may be away: the partitions that are known go on without it.
      if (!(error instanceof PulsarError)) throw error;
    }).finally(() => this.#growing = undefined);
    await this.#growing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(
      closedError("go on", "producer"),
    );
    await this.#growing;
    await Promise.all(this.#senders.map((sender) => sender[Symbol.asyncDispose]()));
  }

  async #openAdded(): Promise<void> {
    const asked = this.#context.lookup.partitionCount(this.#settings.topic);
    const count = await orAborted(asked, this.#closing.signal);
    const known = this.#senders.length;
    const added = Array.from({ length: Math.max(count - known, 0) }, (_, k) => known + k);
    await this.#addAll(added);
  }

  async #addAll(partitions: readonly number[]): Promise<void> {
    // Two who wait for exclusive access would each get some partitions, and wait for the other's for ever.
    if (this.#settings.accessMode !== "shared") {
      for (const partition of partitions) await this.#add(partition);
      return;
    }
    const opened = await Promise.allSettled(partitions.map((k) => this.#open(k)));
    // In order: the index is the partition. Behind a gap nothing can be used.
    for (const result of opened) {
      if (result.status === "fulfilled" && this.#senders.length === result.value.index) {
        this.#senders.push(result.value.sender);
      } else if (result.status === "fulfilled") await result.value.sender[Symbol.asyncDispose]();
    }
    const failed = opened.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #add(partition: number): Promise<void> {
    this.#senders.push((await this.#open(partition)).sender);
  }

  async #open(index: number): Promise<{ index: number; sender: PartitionSender }> {
    const { topic, schema, producerName, signal, batching } = this.#settings;
    const { accessMode, properties, initialSubscription } = this.#settings;
    const given = this.#senders[0]?.producer.producerName;
    const producer = await PartitionProducer.open(this.#context, {
      topic: this.#isPartitioned ? partitionTopic(topic, index) : topic,
      producerName: producerName ?? given,
      isNameGenerated: producerName === undefined,
      schema: schema.info,
      accessMode,
      properties,
      initialSubscription,
      signal: AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]),
    });
    const { clock, crc32c } = this.#context;
    const sender = new PartitionSender(producer, {
      ...this.#settings,
      partition: this.#isPartitioned ? index : -1,
      clock,
      crc32c,
      batching,
      canChunk: this.#settings.chunking,
      meter: this.#meter,
      onBatchEnded: () => this.#onBatchEnded(index),
    });
    return { index, sender };
  }
}
