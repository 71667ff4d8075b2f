import type { AppendListener, Entry } from "./log/mod.ts";
import type { KnownProducer } from "./deduplication.ts";
import { unloading } from "./errors.ts";
import { NonPersistentSubscription } from "./non_persistent_subscription.ts";
import type { NonPersistentHost } from "./non_persistent_subscription.ts";
import type { Producer } from "./producer.ts";
import { hasTypedConsumers } from "./dispatch/mod.ts";
import type { TopicName } from "./topic_name.ts";
import type { TopicPolicies } from "./policies/mod.ts";
import { TopicProducers } from "./topic_producers.ts";
import type { WritableTopic } from "./writable_topic.ts";

/** A topic that nobody used for this many seconds is forgotten, as Pulsar does it by default. */
const IDLE_SECONDS_MAX = 60;

/**
 * A topic without a log (https://pulsar.apache.org/docs/concepts-messaging/#non-persistent-topics): each message goes to the consumers
 * that are there and ready, at once or never. Nothing of it survives, not even its name.
 */
export class NonPersistentTopic implements WritableTopic, NonPersistentHost {
  readonly gate = new TopicProducers(() => Promise.resolve());
  readonly subscriptions = new Map<string, NonPersistentSubscription>();
  messagesIn = 0;
  bytesIn = 0;
  messagesOut = 0;
  bytesOut = 0;
  messagesDropped = 0;
  isClosed = false;
  #idleSeconds = 0;

  constructor(readonly name: TopicName, readonly policies: () => TopicPolicies) {}

  get producers(): ReadonlyMap<string, Producer> {
    return this.gate.byName;
  }

  get epoch(): number {
    return this.gate.epoch;
  }

  assertWritable(): void {
    if (this.isClosed) throw unloading();
  }

  /** Nothing is kept, so nothing is known. */
  knownProducer(_name: string): KnownProducer | undefined {
    return undefined;
  }

  /** A subscription lives only as long as its consumers. */
  createInitialSubscription(_name: string | undefined): Promise<void> {
    return Promise.resolve();
  }

  /** Sends an entry on its way; the receipt says nothing about who got it. */
  stage(entry: Entry, listener: AppendListener): void {
    listener.appended(0, 0);
    for (const subscription of this.subscriptions.values()) subscription.publish(entry);
  }

  flush(): void {}

  noteIn(messages: number, bytes: number): void {
    this.messagesIn += messages;
    this.bytesIn += bytes;
  }

  removeProducer(producer: Producer): void {
    this.gate.remove(producer);
  }

  /** Nothing is stored, so nothing can fail. */
  producerFailed(producer: Producer): void {
    this.removeProducer(producer);
  }

  /** The subscription of a name, made where there is none. */
  subscribe(name: string): NonPersistentSubscription {
    if (this.isClosed) throw unloading();
    let subscription = this.subscriptions.get(name);
    if (subscription === undefined) {
      subscription = new NonPersistentSubscription(this, name);
      this.subscriptions.set(name, subscription);
    }
    return subscription;
  }

  /** Forgets a subscription that nobody reads from any more. */
  unsubscribeIdle(subscription: NonPersistentSubscription): void {
    if (subscription.consumers.length > 0) return;
    if (this.subscriptions.get(subscription.name) === subscription) {
      this.subscriptions.delete(subscription.name);
    }
  }

  /** Whether somebody is connected who says what the topic holds. */
  get isActive(): boolean {
    return this.producers.size > 0 || hasTypedConsumers(this);
  }

  /** Whether nobody is connected. */
  get isIdle(): boolean {
    return this.producers.size === 0 && this.subscriptions.size === 0;
  }

  /**
   * Once a second.
   *
   * @returns whether the topic may be forgotten
   */
  tick(): boolean {
    this.#idleSeconds = this.isIdle ? this.#idleSeconds + 1 : 0;
    return this.#idleSeconds >= IDLE_SECONDS_MAX;
  }

  /** Closes all producers and consumers; their clients come again. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.gate.refuseWaiting(unloading());
    for (const producer of [...this.producers.values()]) {
      this.removeProducer(producer);
      producer.link.dropProducer(producer.producerId);
    }
    for (const subscription of this.subscriptions.values()) subscription.close();
    this.subscriptions.clear();
  }
}
