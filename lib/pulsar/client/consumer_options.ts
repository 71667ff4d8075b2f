import type { Message } from "./message.ts";
import type { MessageId } from "./message_id.ts";
import {
  assertChoices,
  assertFlags,
  assertFunctions,
  assertName,
  assertSchema,
} from "./option_checks.ts";
import type { Schema } from "./schema.ts";
import { PulsarError } from "../wire/mod.ts";

/** How a subscription's messages are shared out among its consumers. */
export type SubscriptionType = "exclusive" | "shared" | "failover" | "key_shared";
const SUBSCRIPTION_TYPES = ["exclusive", "shared", "failover", "key_shared"] as const;
/** What stands for the ends of a topic. */
export const END_POSITIONS: readonly string[] = ["earliest", "latest"];
/** Of errors: what could not be done. */
const SUBSCRIBE = "subscribe";

const TOPICS_MODES = ["persistent", "non-persistent", "all"] as const;
const CRYPTO_FAILURES = ["fail", "discard", "consume"] as const;
const KEY_SHARED_MODES = ["auto_split", "sticky"] as const;

/** How long to wait before a message is delivered again, in ms, by how often it was delivered again already. */
export type RedeliveryBackoff = (redeliveryCount: number) => number;

/** What happens with messages that are not dealt with, however often they come. */
export interface DeadLetterPolicy {
  /** A message that has been delivered again so often goes to the dead letter topic when it fails once more. */
  readonly maxRedeliverCount: number;
  /** Default `<topic>-<subscription>-DLQ`. */
  readonly deadLetterTopic?: string | undefined;
  /** Where `reconsumeLater` sends messages. Default `<topic>-<subscription>-RETRY`. */
  readonly retryLetterTopic?: string | undefined;
  /** A subscription that is made with the dead letter topic, so that nothing of it is lost before somebody subscribes. */
  readonly initialSubscription?: string | undefined;
}

/** Which keys a key_shared consumer gets. */
export type KeySharedPolicy =
  /** The broker shares the keys out evenly. */
  | { readonly mode: "auto_split"; readonly allowOutOfOrderDelivery?: boolean | undefined }
  /** This consumer gets the keys whose hash modulo 65,536 lies in its ranges, both ends included. */
  | {
    readonly mode: "sticky";
    readonly ranges: readonly { readonly start: number; readonly end: number }[];
    readonly allowOutOfOrderDelivery?: boolean | undefined;
  };

/** Called with each message; the next one comes when the result has settled. A rejection counts as a negative acknowledgement. */
export type MessageListener<T> = (message: Message<T>) => void | Promise<void>;

/** What consumers, readers and table views have in common. */
export interface ReadingOptions<T> {
  /** Reads values; must be compatible with the topic's. */
  readonly schema?: Schema<T> | undefined;
  /** Seen in the broker's statistics, and the order of failover consumers. Default random. */
  readonly consumerName?: string | undefined;
  /** Seen in the broker's statistics. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * Messages of one topic or partition that may wait here for `receive`. Default 1,000; for exclusive and failover subscriptions as many as 8 MiB hold.
   * 0: the broker sends one when `receive` is called.
   */
  readonly receiverQueueSize?: number | undefined;
  /** Only the newest message of each key, from a topic that was compacted; exclusive and failover subscriptions. */
  readonly readCompacted?: boolean | undefined;
  /** Whether `seek` and a start position include the message that they name. Default false. */
  readonly startMessageIdInclusive?: boolean | undefined;
  /** What to do with encrypted messages, which this client cannot decrypt: `receive` rejects (default), they are dropped, or come as they are. */
  readonly cryptoFailureAction?: "fail" | "discard" | "consume" | undefined;
  /** Messages in chunks that may be incomplete at a time. Default 10. */
  readonly maxPendingChunkedMessages?: number | undefined;
  /** Time after which the chunks of a message that does not become complete are dropped. Default 60 s. */
  readonly expireIncompleteChunkedMessageMs?: number | undefined;
  /** Bytes that a message in chunks may have. Default 512 MiB. */
  readonly chunkedMessageBytesMax?: number | undefined;
  /** How often the number of partitions is looked up. Default 60 s; 0 for never. */
  readonly autoUpdatePartitionsIntervalMs?: number | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

/** What a consumer is opened with: exactly one of `topic`, `topics` and `topicsPattern`. */
export interface ConsumerOptions<T = Uint8Array> extends ReadingOptions<T> {
  readonly topic?: string | undefined;
  readonly topics?: readonly string[] | undefined;
  /** Topics of one namespace, `persistent://tenant/namespace/pattern`; those that are made later are noticed. */
  readonly topicsPattern?: string | RegExp | undefined;
  /** Which topics of the namespace the pattern is for. Default `persistent`, or what the pattern begins with. */
  readonly topicsMode?: "persistent" | "non-persistent" | "all" | undefined;
  /** How often topics are listed where the broker does not tell of changes. Default 60 s. */
  readonly patternAutoDiscoveryIntervalMs?: number | undefined;
  readonly subscription: string;
  /** Default `exclusive`. */
  readonly subscriptionType?: SubscriptionType | undefined;
  /** Whether the subscription outlives its consumers. Default true. */
  readonly durable?: boolean | undefined;
  /** Where a new subscription begins. Default `latest`. */
  readonly initialPosition?: "earliest" | "latest" | undefined;
  /** Kept with the subscription. */
  readonly subscriptionProperties?: Readonly<Record<string, string>> | undefined;
  readonly keySharedPolicy?: KeySharedPolicy | undefined;
  /** 0 is served first: shared consumers of another level get messages when all of this one are full; default 0. */
  readonly priority?: number | undefined;
  /** Time within which a message must be acknowledged, or it is delivered again. At least 1 s; default none. */
  readonly ackTimeoutMs?: number | undefined;
  /** Default: always `ackTimeoutMs`. */
  readonly ackTimeoutBackoff?: RedeliveryBackoff | undefined;
  /** Default 60 s. */
  readonly negativeAckRedeliveryDelayMs?: number | undefined;
  /** Default: always `negativeAckRedeliveryDelayMs`. */
  readonly negativeAckBackoff?: RedeliveryBackoff | undefined;
  readonly deadLetterPolicy?: DeadLetterPolicy | undefined;
  /** Reads the retry letter topic, too, so that `reconsumeLater` works. */
  readonly enableRetry?: boolean | undefined;
  /** Tells the broker of single messages of a batch; it must be told to keep that. Default false. */
  readonly batchIndexAck?: boolean | undefined;
  /** How long acknowledgements may wait for others, to go in one command. Default 100 ms; 0 for not at all. */
  readonly ackGroupTimeMs?: number | undefined;
  /** `acknowledge` waits until the broker says that it has noted it. Default false. */
  readonly ackReceipt?: boolean | undefined;
  /** Kept up in other clusters, where the topic is replicated. */
  readonly replicateSubscriptionState?: boolean | undefined;
  /** Makes topics that are missing, where the broker allows it. Default true. */
  readonly createTopic?: boolean | undefined;
  readonly listener?: MessageListener<T> | undefined;
  /** Hears, instead of whoever would call `receive`, of messages that the listener cannot be given, and why there will be no more. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** A failover subscription's consumer has become, or ceased to be, the one that reads a topic or partition. */
  readonly activeChanged?: ((isActive: boolean, topic: string) => void) | undefined;
}

/** Where reading begins when it is not for the subscription to say. */
export interface StartPosition {
  readonly id: MessageId;
  readonly isInclusive: boolean;
}

/** Delays that grow by a factor from redelivery to redelivery, as `MultiplierRedeliveryBackoff` of the Java client.
 *
 * @example
 * ```ts
 * import { multiplierBackoff } from "./consumer_options.ts";
 * import assert from "node:assert/strict";
 * const backoff = multiplierBackoff({ minDelayMs: 1_000, maxDelayMs: 60_000, multiplier: 2 });
 * assert.deepEqual([0, 1, 2, 10].map(backoff), [1_000, 2_000, 4_000, 60_000]);
 * ```
 */
export function multiplierBackoff(
  options: {
    readonly minDelayMs: number;
    readonly maxDelayMs: number;
    readonly multiplier: number;
  },
): RedeliveryBackoff {
  const { minDelayMs, maxDelayMs, multiplier } = options;
  return (redeliveryCount) => Math.min(minDelayMs * multiplier ** redeliveryCount, maxDelayMs);
}

/** @throws {TypeError} or {RangeError} for options that are not of their kind, or contradict one another */
export function assertConsumerOptions(options: ConsumerOptions<unknown>): void {
  const { topic, topics, topicsPattern, subscription, receiverQueueSize, ackTimeoutMs } = options;
  const named = [topic, topics, topicsPattern].filter((one) => one !== undefined).length;
  if (named !== 1 || topics?.length === 0) {
    throw new TypeError(
      `Cannot subscribe: ${named} of topic, topics and topicsPattern are given; give exactly one`,
    );
  }
  assertName(SUBSCRIBE, "subscription", subscription);
  assertKinds(options);
  const isCounted = receiverQueueSize === undefined ||
    (Number.isSafeInteger(receiverQueueSize) && receiverQueueSize >= 0);
  if (!isCounted) {
    throw new RangeError(
      `Cannot subscribe: receiverQueueSize is ${receiverQueueSize}; give a whole number from 0 on`,
    );
  }
  if (ackTimeoutMs !== undefined && ackTimeoutMs < 1000) {
    throw new RangeError(`Cannot subscribe: ackTimeoutMs is ${ackTimeoutMs}; give at least 1000`);
  }
  const maxRedeliverCount = options.deadLetterPolicy?.maxRedeliverCount ?? 1;
  if (!(maxRedeliverCount >= 0)) {
    throw new RangeError(
      `Cannot subscribe: maxRedeliverCount is ${maxRedeliverCount}; give at least 0`,
    );
  }
  assertFitsType(options);
}

/** Each option is of its kind. */
function assertKinds(options: ConsumerOptions<unknown>): void {
  const { keySharedPolicy, schema } = options;
  assertChoices(SUBSCRIBE, [
    { name: "subscriptionType", value: options.subscriptionType, allowed: SUBSCRIPTION_TYPES },
    { name: "initialPosition", value: options.initialPosition, allowed: END_POSITIONS },
    { name: "topicsMode", value: options.topicsMode, allowed: TOPICS_MODES },
    { name: "cryptoFailureAction", value: options.cryptoFailureAction, allowed: CRYPTO_FAILURES },
    { name: "keySharedPolicy.mode", value: keySharedPolicy?.mode, allowed: KEY_SHARED_MODES },
  ]);
  const { readCompacted, startMessageIdInclusive, durable, enableRetry, createTopic } = options;
  const { batchIndexAck, ackReceipt, replicateSubscriptionState } = options;
  assertFlags(SUBSCRIBE, { readCompacted, startMessageIdInclusive, durable, enableRetry });
  assertFlags(SUBSCRIBE, { createTopic, batchIndexAck, ackReceipt, replicateSubscriptionState });
  const { listener, onError, activeChanged, ackTimeoutBackoff, negativeAckBackoff } = options;
  assertFunctions(SUBSCRIBE, { listener, onError, activeChanged });
  assertFunctions(SUBSCRIBE, { ackTimeoutBackoff, negativeAckBackoff });
  assertSchema(SUBSCRIBE, schema);
}

function assertFitsType(options: ConsumerOptions<unknown>): void {
  const { subscriptionType = "exclusive", readCompacted, keySharedPolicy, durable } = options;
  const isSingle = subscriptionType === "exclusive" || subscriptionType === "failover";
  if (readCompacted && (!isSingle || durable === false && subscriptionType === "failover")) {
    throw unfit("readCompacted", "needs an exclusive or failover subscription");
  }
  if (keySharedPolicy !== undefined && subscriptionType !== "key_shared") {
    throw unfit("keySharedPolicy", "needs a key_shared subscription");
  }
  const namesRetryTopic = options.deadLetterPolicy?.retryLetterTopic !== undefined;
  if (options.enableRetry && options.topicsPattern !== undefined && !namesRetryTopic) {
    throw unfit("enableRetry", "with topicsPattern needs deadLetterPolicy.retryLetterTopic");
  }
  if (options.deadLetterPolicy !== undefined && isSingle && !options.enableRetry) {
    throw unfit(
      "deadLetterPolicy",
      "needs a shared or key_shared subscription, which counts redeliveries, or enableRetry",
    );
  }
}

function unfit(option: string, why: string): PulsarError {
  return new PulsarError(`Cannot subscribe: ${option} ${why}`, { code: "not_supported" });
}
