import type { KnownProducer } from "./deduplication.ts";
import type { Producer, ProducerHost } from "./producer.ts";
import type { TopicPolicies } from "./policies/mod.ts";
import type { TopicProducers } from "./topic_producers.ts";

/** A topic as those who write it see it: with a log, or without one. */
export interface WritableTopic extends ProducerHost {
  readonly gate: TopicProducers;
  readonly producers: ReadonlyMap<string, Producer>;
  readonly policies: () => TopicPolicies;
  /** @throws {BrokerError} `closed`, `topic_terminated`, `quota_held`, `quota_refused` */
  assertWritable(): void;
  /** What is known of a producer's name, where sequence ids are watched. */
  knownProducer(name: string): KnownProducer | undefined;
  /** Makes the subscription that a producer wants to be there before its first message. */
  createInitialSubscription(name: string | undefined): Promise<void>;
}
