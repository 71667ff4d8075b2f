import { ProtoWriter, writeMessageHeader } from "../wire/mod.ts";
import type { Entry } from "./log/mod.ts";
import type { Consumer, DeliverySource, KeySelector, SubscriptionKind } from "./dispatch/mod.ts";
import { Cursor, KeyRanges, KeyRing, keySharedPolicy, pickActive } from "./dispatch/mod.ts";
import { EARLIEST, EntryHead } from "./log/mod.ts";
import { BrokerError } from "./errors.ts";
import type { TopicName } from "./topic_name.ts";

const writer = new ProtoWriter();
const head = new EntryHead();

/** What such a subscription needs of its topic. */
export interface NonPersistentHost {
  readonly name: TopicName;
  messagesOut: number;
  bytesOut: number;
  messagesDropped: number;
}

/**
 * A subscription of a topic without a log: what comes goes out at once to a consumer that has asked for it, or is dropped and counted.
 * It lives as long as it has consumers.
 */
export class NonPersistentSubscription implements DeliverySource {
  readonly consumers: Consumer[] = [];
  kind: SubscriptionKind = "Exclusive";
  messagesOut = 0;
  bytesOut = 0;
  /** Messages for which no consumer was ready. */
  messagesDropped = 0;
  /** Nothing is acknowledged here: it stays where it is. */
  readonly cursor = new Cursor({ nextPosition: (position) => position }, EARLIEST);
  #next = 0;
  #keys: KeySelector = new KeyRing();

  constructor(private readonly topic: NonPersistentHost, readonly name: string) {}

  get partition(): number {
    return this.topic.name.partition;
  }

  /** The consumer that is served, where there is only one. */
  get active(): Consumer | undefined {
    if (this.kind !== "Exclusive" && this.kind !== "Failover") return undefined;
    const { partition, full } = this.topic.name;
    // As in Pulsar: here a topic without partitions counts as the first of them.
    return pickActive(this.consumers, Math.max(0, partition), full);
  }

  /** @throws {BrokerError} `consumer_busy` */
  async add(consumer: Consumer, kind: SubscriptionKind): Promise<void> {
    for (let [holder] = this.consumers; holder !== undefined; [holder] = this.consumers) {
      if (kind !== this.kind) throw busy(this.kind, kind);
      if (kind !== "Exclusive") break;
      if (await holder.link.isAlive()) {
        throw new BrokerError("Exclusive consumer is already connected", {
          code: "consumer_busy",
          retryable: true,
        });
      }
    }
    this.kind = kind;
    if (kind === "Key_Shared") await this.#claimKeys(consumer);
    this.consumers.push(consumer);
  }

  /** Gives a consumer its share of the keys; the first one decides how they are shared out. */
  async #claimKeys(consumer: Consumer): Promise<void> {
    const { isSticky } = keySharedPolicy(consumer.keyShared);
    if (this.consumers.length === 0) this.#keys = isSticky ? new KeyRanges() : new KeyRing();
    else if (isSticky !== this.#keys instanceof KeyRanges) {
      throw new BrokerError("Subscription is of different key shared mode", {
        code: "consumer_busy",
        retryable: true,
      });
    }
    for (;;) {
      const holder = this.#keys.conflictWith(consumer);
      if (holder === undefined) break;
      if (!await holder.link.isAlive()) continue;
      throw new BrokerError(`Range conflict with consumer ${holder.name}`, {
        code: "consumer_assign",
        retryable: true,
      });
    }
    this.#keys.add(consumer);
  }

  remove(consumer: Consumer): void {
    consumer.isClosed = true;
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    if (this.kind === "Key_Shared") this.#keys.remove(consumer);
  }

  /** Sends an entry to whoever is to have it, if he can take it now. */
  publish(entry: Entry): void {
    const consumer = this.#consumerFor(entry);
    if (consumer?.isReady === true) {
      this.#deliver(consumer, entry);
      return;
    }
    this.messagesDropped += entry.messageCount;
    this.topic.messagesDropped += entry.messageCount;
  }

  #consumerFor({ bytes, start, end }: Entry): Consumer | undefined {
    if (this.kind === "Shared") return this.#nextReady();
    if (this.kind !== "Key_Shared") return this.active;
    return this.#keys.select(this.#keys.hashOf(head.read(bytes, start, end).keyHash()));
  }

  /** In turn, among those of the highest priority that can take something. */
  #nextReady(): Consumer | undefined {
    const { consumers } = this;
    let best: Consumer | undefined;
    for (let i = 0; i < consumers.length; i++) {
      const candidate = consumers[(this.#next + i) % consumers.length]!;
      const isBetter = best === undefined || candidate.priority < best.priority;
      if (candidate.isReady && isBetter) best = candidate;
    }
    if (best !== undefined) this.#next = consumers.indexOf(best) + 1;
    return best;
  }

  #deliver(consumer: Consumer, { bytes, start, end, messageCount }: Entry): void {
    const entryBytes = end - start;
    writeMessageHeader(writer.reset(), {
      consumerId: consumer.consumerId,
      ledgerId: 0,
      entryId: 0,
      partition: this.partition,
      redeliveryCount: 0,
      consumerEpoch: this.kind === "Exclusive" || this.kind === "Failover" ? consumer.epoch : -1,
      sectionBytes: entryBytes,
    });
    const { outbox } = consumer.link;
    outbox.add(writer.bytes, writer.start, writer.end);
    outbox.add(bytes, start, end);
    consumer.permits -= messageCount;
    consumer.messagesOut += messageCount;
    consumer.bytesOut += entryBytes;
    this.noteOut(messageCount, entryBytes);
  }

  noteOut(messages: number, bytes: number): void {
    this.messagesOut += messages;
    this.bytesOut += bytes;
    this.topic.messagesOut += messages;
    this.topic.bytesOut += bytes;
  }

  /** Closes all consumers; their clients subscribe again. */
  close(): void {
    for (const consumer of [...this.consumers]) {
      this.remove(consumer);
      consumer.link.dropConsumer(consumer.consumerId);
    }
  }
}

function busy(active: SubscriptionKind, wanted: SubscriptionKind): BrokerError {
  return new BrokerError(
    `Subscription is of different type. Active subscription type of '${active}' is different than the connecting consumer's type '${wanted}'.`,
    { code: "consumer_busy", retryable: true },
  );
}
