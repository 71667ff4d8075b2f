import type { WallTimeMs } from "../../base/mod.ts";
import { timesOf } from "./subscription_times.ts";
import type { Topic } from "./topic.ts";
import type { NonPersistentTopic } from "./non_persistent_topic.ts";

/** The weight of the newest second: about ten seconds count. */
const WEIGHT = 0.1;

/** Counters of one producer or consumer. */
interface Totals {
  readonly messages: number;
  readonly bytes: number;
  readonly redelivered: number;
  readonly acked: number;
}

const NOTHING: Totals = { messages: 0, bytes: 0, redelivered: 0, acked: 0 };

/** Counters of one producer or consumer a second, smoothed over about ten seconds. */
export class EntityRates {
  messagesPerSec = 0;
  bytesPerSec = 0;
  redeliveredPerSec = 0;
  ackedPerSec = 0;
  #last = NOTHING;

  /** Looks at the counters, once a second. */
  sample(now: Totals): void {
    const smooth = (rate: number, difference: number) => rate + WEIGHT * (difference - rate);
    this.messagesPerSec = smooth(this.messagesPerSec, now.messages - this.#last.messages);
    this.bytesPerSec = smooth(this.bytesPerSec, now.bytes - this.#last.bytes);
    this.redeliveredPerSec = smooth(
      this.redeliveredPerSec,
      now.redelivered - this.#last.redelivered,
    );
    this.ackedPerSec = smooth(this.ackedPerSec, now.acked - this.#last.acked);
    this.#last = now;
  }
}

/** They go with their producers and consumers. */
const known = new WeakMap<object, EntityRates>();

/** The rates of a producer or consumer. */
export function ratesOf(entity: object): EntityRates {
  let rates = known.get(entity);
  if (rates === undefined) known.set(entity, rates = new EntityRates());
  return rates;
}

/** Once a second: the rates of everybody who is connected to a topic, and when its subscriptions last moved. */
export function sampleRates(topic: Topic | NonPersistentTopic, nowMs: WallTimeMs): void {
  if ("entrySizes" in topic) {
    for (const subscription of topic.subscriptions.values()) {
      timesOf(subscription).sample(subscription, nowMs);
    }
    const { count: messages, sumBytes: bytes } = topic.entrySizes;
    ratesOf(topic).sample({ messages, bytes, redelivered: 0, acked: 0 });
  }
  for (const producer of topic.producers.values()) {
    const { messagesIn: messages, bytesIn: bytes } = producer;
    ratesOf(producer).sample({ messages, bytes, redelivered: 0, acked: 0 });
  }
  for (const { consumers } of topic.subscriptions.values()) {
    for (const consumer of consumers) {
      ratesOf(consumer).sample({
        messages: consumer.messagesOut,
        bytes: consumer.bytesOut,
        redelivered: consumer.messagesRedelivered,
        acked: consumer.messagesAcked,
      });
    }
  }
}
