/** The topics and partitions that one consumer reads, which may become more while it runs. */
import { Alarm } from "./alarm.ts";
import { closedError } from "./closed_error.ts";
import type { ClientContext } from "./context.ts";
import { MessageId } from "./message_id.ts";
import type { StartPosition } from "./consumer_options.ts";
import type { SharedTopicOptions } from "./consumer_settings.ts";
import type { Schema } from "./schema.ts";
import { TopicConsumer } from "./topic_consumer.ts";
import type { TopicConsumerOwner } from "./topic_consumer_parts.ts";
import { partitionTopic } from "./topic_name.ts";
import type { FoundTopic } from "./topic_pattern.ts";
import { TopicSchemas } from "./topic_schemas.ts";
import { CommandSubscribeInitialPosition, PulsarError } from "../wire/mod.ts";

const PARTITION_SUFFIX = /-partition-(\d+)$/;

/** How many partitions a topic has, 0 for one that is not partitioned. */
export type PartitionCount = (topic: string, signal?: AbortSignal) => Promise<number>;

/** What a set is made of. */
export interface TopicSetParts {
  readonly context: ClientContext;
  readonly options: SharedTopicOptions;
  readonly schema: Schema<unknown> | undefined;
  readonly owner: TopicConsumerOwner;
  readonly partitionCount: PartitionCount;
  /** Aborted when the consumer is closed. */
  readonly closing: AbortSignal;
}

interface Topic {
  /** 0 for one that is not partitioned. */
  partitions: number;
  readonly consumers: TopicConsumer[];
  readonly schema: Schema<unknown> | undefined;
}

/** The consumers of a consumer's topics. */
export class TopicSet {
  readonly #parts: TopicSetParts;
  readonly #topics = new Map<string, Topic>();
  readonly #byName = new Map<string, TopicConsumer>();
  #list: readonly TopicConsumer[] = [];
  #isPaused = false;
  /** Times when the number of partitions could not be looked up. */
  failedUpdates = 0;

  constructor(parts: TopicSetParts) {
    this.#parts = parts;
  }

  /** One a topic or partition. */
  get consumers(): readonly TopicConsumer[] {
    return this.#list;
  }

  /** Full names, without partitions. */
  get topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /** The consumer of a topic or partition. */
  of(topic: string): TopicConsumer | undefined {
    return this.#byName.get(topic);
  }

  /** The consumer that an id belongs to, as far as the id says it. */
  ofId(id: MessageId): TopicConsumer | undefined {
    if (id.topic !== undefined) return this.#byName.get(id.topic);
    if (this.#list.length === 1) return this.#list[0];
    const fitting = this.#list.filter(({ partition }) => partition === id.partition);
    return fitting.length === 1 ? fitting[0] : undefined;
  }

  /**
   * Subscribes topics, all or none.
   *
   * @param isLate the consumer has been running: nothing of what came before it looked may be missed
   * @throws {PulsarError} why one cannot be subscribed
   */
  async add(topics: readonly string[], isLate: boolean, signal?: AbortSignal): Promise<void> {
    const added = topics.filter((topic) => !this.#topics.has(topic));
    const ended = await Promise.allSettled(
      added.map(async (topic) => {
        const partitions = await this.#parts.partitionCount(topic, signal);
        const schema = this.#schemaFor(topic);
        const consumers = await this.#open(namesOf(topic, 0, partitions), schema, {
          isLate,
          signal,
        });
        return { topic, partitions, consumers, schema };
      }),
    );
    const opened = ended.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const failed = ended.find((one) => one.status === "rejected");
    const error = failed?.reason ??
      (this.#parts.closing.aborted ? this.#parts.closing.reason : undefined);
    if (error !== undefined) {
      await closeAll(opened.flatMap(({ consumers }) => consumers));
      throw error;
    }
    for (const { topic, ...rest } of opened) {
      this.#topics.set(topic, rest);
      this.#index(rest.consumers);
    }
  }

  /**
   * Subscribes topics one by one: one that cannot be read does not keep the others away, and one that is gone meanwhile is not missed.
   *
   * @throws {PulsarError} why the first of those cannot be subscribed, when all others are
   */
  async addEach(topics: readonly string[], isLate: boolean, signal?: AbortSignal): Promise<void> {
    const ended = await Promise.allSettled(
      topics.map((topic) => this.add([topic], isLate, signal)),
    );
    const failed = ended.find((one) => one.status === "rejected" && !isGone(one.reason));
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Ends the consumers of a topic that is gone. */
  async remove(topic: string): Promise<void> {
    const gone = this.#topics.get(topic);
    if (gone === undefined) return;
    this.#topics.delete(topic);
    for (const consumer of gone.consumers) this.#byName.delete(consumer.topic);
    this.#list = [...this.#byName.values()];
    for (const consumer of gone.consumers) this.#parts.owner.withdraw(consumer);
    await closeAll(gone.consumers);
  }

  /** As {@link remove}, by the name of the topic or of one of its partitions. */
  async removeByName(name: string): Promise<void> {
    await this.remove(name.replace(PARTITION_SUFFIX, ""));
    await this.remove(name);
  }

  /** Follows a list of all topics that there are to be. */
  async follow(found: readonly FoundTopic[]): Promise<void> {
    const names = new Set(found.map(({ name }) => name));
    const gone = this.topics.filter((topic) => !names.has(topic));
    for (const topic of gone) await this.remove(topic);
    await this.addEach([...names], true);
    const hasGrown = found.some(({ name, partitions }) =>
      partitions > (this.#topics.get(name)?.partitions ?? 0)
    );
    if (hasGrown) await this.updatePartitions();
  }

  /** Looks for new partitions every `intervalMs`. */
  watchPartitions(intervalMs: number): void {
    const alarm = new Alarm(this.#parts.context.clock, async () => {
      try {
        await this.updatePartitions();
      } catch {
        // Counted; it is tried again when the interval is over.
        this.failedUpdates++;
      }
      if (!this.#parts.closing.aborted) alarm.within(intervalMs);
    });
    this.#parts.closing.addEventListener("abort", () => alarm.cancel());
    alarm.within(intervalMs);
  }

  /** Messages are to come, or not, for now. */
  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    for (const consumer of this.#list) consumer.isPaused = isPaused;
  }

  /** Subscribes the partitions that topics have got since it looked last. */
  async updatePartitions(): Promise<void> {
    for (const [name, topic] of this.#topics) {
      if (topic.partitions === 0) continue;
      const partitions = await this.#parts.partitionCount(name);
      if (partitions <= topic.partitions) continue;
      const names = namesOf(name, topic.partitions, partitions);
      const consumers = await this.#open(names, topic.schema, { isLate: true });
      if (this.#parts.closing.aborted || this.#topics.get(name) !== topic) {
        await closeAll(consumers);
        return;
      }
      topic.partitions = partitions;
      topic.consumers.push(...consumers);
      this.#index(consumers);
    }
  }

  #index(consumers: readonly TopicConsumer[]): void {
    for (const consumer of consumers) this.#byName.set(consumer.topic, consumer);
    this.#list = [...this.#byName.values()];
    // What came while they were opened may be waited for already.
    for (const consumer of consumers) consumer.isPaused = this.#isPaused;
  }

  async #open(
    names: readonly string[],
    schema: Schema<unknown> | undefined,
    { isLate, signal }: { readonly isLate: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<TopicConsumer[]> {
    const { context, options, owner } = this.#parts;
    const subscribe = isLate
      ? { ...options.subscribe, initialPosition: CommandSubscribeInitialPosition.Earliest }
      : options.subscribe;
    const either = AbortSignal.any([this.#parts.closing, ...(signal ? [signal] : [])]);
    const ended = await Promise.allSettled(names.map((topic) => {
      const partition = Number(PARTITION_SUFFIX.exec(topic)?.[1] ?? -1);
      const all = { ...options, subscribe, topic, partition, schema };
      // What is new is read from its beginning, whatever the first ones were begun with.
      const start = isLate ? lateStart(subscribe.durable) : options.start;
      return TopicConsumer.open(context, { ...all, start }, { owner, signal: either });
    }));
    const opened = ended.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const failed = ended.find((one) => one.status === "rejected");
    if (failed === undefined) return opened;
    await closeAll(opened);
    throw failed.reason;
  }

  #schemaFor(topic: string): Schema<unknown> | undefined {
    const { schema, context, closing } = this.#parts;
    return schema?.forTopic?.(new TopicSchemas(context, topic, closing)) ?? schema;
  }
}

async function closeAll(consumers: readonly TopicConsumer[]): Promise<void> {
  const error = closedError("read", "consumer");
  await Promise.all(consumers.map((consumer) => consumer.close(error)));
}

/** There is no such topic any more. */
export function isGone(error: unknown): boolean {
  return error instanceof PulsarError && error.code === "topic_not_found";
}

/** A subscription that is kept knows it by its initial position. */
function lateStart(durable: boolean | undefined): StartPosition | undefined {
  return durable === false ? { id: MessageId.earliest, isInclusive: true } : undefined;
}

function namesOf(topic: string, from: number, partitions: number): string[] {
  if (partitions === 0) return [topic];
  return Array.from({ length: partitions - from }, (_, k) => partitionTopic(topic, from + k));
}
