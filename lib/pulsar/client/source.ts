import { assert } from "../../base/mod.ts";
import type { Position, Source, SourceHandler } from "../../contract.ts";
import { systemNameOf } from "./connection.ts";
import type { ClientContext } from "./context.ts";
import { assertChoices, assertName } from "./option_checks.ts";
import { PartitionConsumer } from "./partition_consumer.ts";
import { partitionTopic } from "./topic_name.ts";
import { PulsarError, type Schema } from "../wire/mod.ts";

/** What a source is opened with. */
export interface SourceOptions {
  readonly topic: string;
  readonly subscription: string;
  /** `exclusive`: this source alone, or an error. `failover`: several sources share the partitions and take over from one another. */
  readonly subscriptionType: "exclusive" | "failover";
  readonly consumerName?: string | undefined;
  /** Must be compatible with the topic's. */
  readonly schema?: Schema | undefined;
  /** Bytes of one partition that may be under way or wait for the handler. Default 8 MiB. */
  readonly receiverBytesMax?: number | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

const TYPES: readonly SourceOptions["subscriptionType"][] = ["exclusive", "failover"];
const RECEIVER_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Reads the partitions of a topic under one durable subscription, from the earliest message on, and hands over whole batches as views.
 *
 * @example
 * ```ts ignore
 * await using source = await client.openSource({ topic: "orders", subscription: "sums", subscriptionType: "exclusive" });
 * await source.run({
 *   activated: () => Promise.resolve(undefined),
 *   deactivated: () => {},
 *   batch: (batch) => console.log(batch.messageCount),
 * }, AbortSignal.timeout(10_000));
 * ```
 */
export class TopicSource implements Source {
  readonly #consumers: readonly PartitionConsumer[];
  readonly #context: ClientContext;
  #wasRun = false;

  private constructor(context: ClientContext, consumers: readonly PartitionConsumer[]) {
    this.#context = context;
    this.#consumers = consumers;
  }

  /** @throws {PulsarError} why a partition cannot be subscribed */
  static async open(
    context: ClientContext,
    options: SourceOptions,
    partitionCount: number,
  ): Promise<TopicSource> {
    assertName("open source", "subscription", options.subscription);
    const { subscriptionType: value } = options;
    const choice = { name: "subscriptionType", value: value ?? null, allowed: TYPES };
    assertChoices("open source", [choice]);
    const receiverBytesMax = options.receiverBytesMax ?? RECEIVER_BYTES_MAX;
    const topics = partitionCount === 0
      ? [options.topic]
      : Array.from({ length: partitionCount }, (_, k) => partitionTopic(options.topic, k));
    const opened = await Promise.allSettled(
      topics.map((topic, partition) =>
        PartitionConsumer.open(context, { ...options, topic, partition, receiverBytesMax })
      ),
    );
    const consumers = opened.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : []
    );
    const failed = opened.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await Promise.all(consumers.map((consumer) => consumer[Symbol.asyncDispose]()));
      throw failed.reason;
    }
    return new TopicSource(context, consumers);
  }

  get partitionCount(): number {
    return this.#consumers.length;
  }

  get systemName(): string {
    return systemNameOf(this.#consumers[0]!.serverVersion);
  }

  /**
   * See `Source.run`; it can be called once. The subscription stays until the source is disposed of, so that acknowledgements can follow.
   *
   * @throws what the handler throws, or {PulsarError} `cursor_beyond_checkpoint`, `checksum_mismatch`, `malformed` or why the broker refuses
   */
  async run(handler: SourceHandler, signal: AbortSignal): Promise<void> {
    assert(!this.#wasRun, "run was called before");
    this.#wasRun = true;
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    // All of them end before this does, so that no handler is called afterwards.
    const ended = await Promise.allSettled(
      this.#consumers.map((consumer) =>
        consumer.run(handler, either).catch((error) => {
          failed.abort(error);
          throw error;
        })
      ),
    );
    const rejected = ended.find((result) => result.status === "rejected");
    if (rejected !== undefined) throw rejected.reason;
  }

  // deno-lint-ignore require-await -- the contract's promise: an error is a rejection, never thrown at the call
  async acknowledge(partition: number, position: Position): Promise<void> {
    this.#consumer(partition).acknowledge(position);
  }

  async isIdle(partition: number): Promise<boolean> {
    try {
      return await this.#consumer(partition).isIdle();
    } catch (error) {
      // Not connected, or no answer: whoever cannot ask is not idle.
      if (error instanceof PulsarError && error.retryable) return false;
      throw error;
    }
  }

  /** The position of a partition's last entry, or undefined for none. */
  async lastPosition(partition: number): Promise<Position | undefined> {
    return await this.#consumer(partition).lastPosition();
  }

  /** Sets a partition's cursor to an entry, or to the earliest; the handler is activated again and must give a position that fits. */
  async seek(partition: number, position: Position | "earliest"): Promise<void> {
    const target = position === "earliest" ? { ledgerId: -1, entryId: -1 } : position;
    await this.#consumer(partition).seek(target);
  }

  /** Entries that came damaged, and how often a partition was subscribed again: for metrics. */
  get counters(): { readonly damagedEntries: number; readonly reconnects: number } {
    return {
      damagedEntries: this.#consumers.reduce((sum, { damagedCount }) => sum + damagedCount, 0),
      reconnects: this.#consumers.reduce((sum, { reconnectCount }) => sum + reconnectCount, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.opened.delete(this);
    await Promise.all(this.#consumers.map((consumer) => consumer[Symbol.asyncDispose]()));
  }

  #consumer(partition: number): PartitionConsumer {
    const consumer = this.#consumers[partition];
    if (consumer === undefined) {
      throw new RangeError(`Cannot read: partition ${partition} of ${this.#consumers.length}`);
    }
    return consumer;
  }
}
