import type { MonoUs, WallTimeMs } from "../../base/mod.ts";
import type { NonPersistentTopic } from "./non_persistent_topic.ts";
import { timesOf } from "./subscription_times.ts";
import type { Topic } from "./topic.ts";

const COUNTERS = [
  "messagesIn",
  "bytesIn",
  "entriesIn",
  "messagesOut",
  "bytesOut",
  "messagesRedelivered",
  "messagesAcked",
] as const;

/** What is counted of topics, producers and consumers, and only rises. */
export type Counter = typeof COUNTERS[number];

/** The weight of the newest second: about ten seconds count. */
const WEIGHT = 0.1;

const zeros = () =>
  Object.fromEntries(COUNTERS.map((counter) => [counter, 0])) as Record<Counter, number>;

/** Counters a second, smoothed over about ten seconds. */
export class Rates {
  /** 0 for what is not counted. */
  readonly perSec: Readonly<Record<Counter, number>> = zeros();
  readonly #last = zeros();
  #lastUs: MonoUs | undefined;

  /** Looks at the counters, about once a second. */
  sample(counters: Readonly<Partial<Record<Counter, number>>>, nowUs: MonoUs): void {
    const seconds = this.#lastUs === undefined ? 1 : (nowUs - this.#lastUs) / 1e6;
    if (seconds <= 0) return;
    this.#lastUs = nowUs;
    const perSec: Record<Counter, number> = this.perSec;
    for (const counter of COUNTERS) {
      const count = counters[counter];
      if (count === undefined) continue;
      const rate = (count - this.#last[counter]) / seconds;
      perSec[counter] += WEIGHT * (rate - perSec[counter]);
      this.#last[counter] = count;
    }
  }
}

/** They go with what they are of. */
const known = new WeakMap<object, Rates>();

/** The rates of a topic, a producer or a consumer. */
export function ratesOf(counted: object): Rates {
  let rates = known.get(counted);
  if (rates === undefined) known.set(counted, rates = new Rates());
  return rates;
}

/** Once a second: the rates of a topic and of everybody who is connected to it, and when its subscriptions last moved. */
export function sampleRates(
  topic: Topic | NonPersistentTopic,
  { nowUs, nowMs }: { readonly nowUs: MonoUs; readonly nowMs: WallTimeMs },
): void {
  const { messagesIn, bytesIn, messagesOut, bytesOut } = topic;
  const counters = { messagesIn, bytesIn, messagesOut, bytesOut };
  if ("entrySizes" in topic) {
    ratesOf(topic).sample({ ...counters, entriesIn: topic.entrySizes.count }, nowUs);
    for (const subscription of topic.subscriptions.values()) {
      timesOf(subscription).sample(subscription, nowMs);
    }
  } else {
    ratesOf(topic).sample(counters, nowUs);
  }
  for (const producer of topic.producers.values()) ratesOf(producer).sample(producer, nowUs);
  for (const { consumers } of topic.subscriptions.values()) {
    for (const consumer of consumers) ratesOf(consumer).sample(consumer, nowUs);
  }
}
