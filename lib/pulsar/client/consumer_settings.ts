/** From a consumer's options to what each of its topics is opened with. */
import type { Random } from "../../base/mod.ts";
import type {
  ConsumerOptions,
  KeySharedPolicy,
  StartPosition,
  SubscriptionType,
} from "./consumer_options.ts";
import { MessageId } from "./message_id.ts";
import type { PermitsBound } from "./permits.ts";
import type { TopicConsumerOptions } from "./topic_consumer_parts.ts";
import {
  CommandSubscribeInitialPosition,
  CommandSubscribeSubType,
  type KeySharedMeta,
  KeySharedMode,
  type KeyValue,
} from "../wire/mod.ts";

const QUEUE_MESSAGES = 1000;
const QUEUE_BYTES = 8 * 1024 * 1024;
/** However many messages are asked for, no more than this is to lie here once it is known how large they are. */
const COUNTED_BYTES = 64 * 1024 * 1024;
/** Until then: messages of 5 MiB must not come by the thousand. */
const FIRST_MESSAGES = 16;
const MINUTE_MS = 60_000;
const CHUNKED_BYTES_MAX = 512 * 1024 * 1024;

const TYPES: Readonly<Record<SubscriptionType, CommandSubscribeSubType>> = {
  exclusive: CommandSubscribeSubType.Exclusive,
  shared: CommandSubscribeSubType.Shared,
  failover: CommandSubscribeSubType.Failover,
  key_shared: CommandSubscribeSubType.Key_Shared,
};

/** What only readers ask for. */
export interface ReaderStart {
  readonly start?: StartPosition | undefined;
  /** Begins with the messages of the last so many seconds. */
  readonly startRollbackSec?: number | undefined;
}

/** What every topic of a consumer is opened with, but for its name. */
export type SharedTopicOptions = Omit<TopicConsumerOptions, "topic" | "partition" | "schema">;

/** Options with their defaults. */
export function sharedTopicOptions(
  options: ConsumerOptions<unknown>,
  reader: ReaderStart,
  random: Random,
): SharedTopicOptions {
  const { ackTimeoutMs, negativeAckRedeliveryDelayMs = MINUTE_MS } = options;
  return {
    subscribe: subscribeFields(options, reader, random),
    start: reader.start ?? startWithoutCursor(options),
    includesStart: options.startMessageIdInclusive ?? false,
    permits: permitsOf(options),
    batchIndexAck: options.batchIndexAck ?? false,
    ackGroupTimeMs: options.ackGroupTimeMs ?? 100,
    ackReceipt: options.ackReceipt ?? false,
    cryptoFailureAction: options.cryptoFailureAction ?? "fail",
    maxPendingChunkedMessages: options.maxPendingChunkedMessages ?? 10,
    expireIncompleteChunkedMessageMs: options.expireIncompleteChunkedMessageMs ?? MINUTE_MS,
    chunkedMessageBytesMax: options.chunkedMessageBytesMax ?? CHUNKED_BYTES_MAX,
    ackTimeoutBackoff: ackTimeoutMs === undefined
      ? undefined
      : options.ackTimeoutBackoff ?? (() => ackTimeoutMs),
    negativeAckBackoff: options.negativeAckBackoff ?? (() => negativeAckRedeliveryDelayMs),
    maxRedeliverCount: options.deadLetterPolicy?.maxRedeliverCount,
  };
}

function subscribeFields(
  options: ConsumerOptions<unknown>,
  { startRollbackSec }: ReaderStart,
  random: Random,
): TopicConsumerOptions["subscribe"] {
  const { initialPosition = "latest", schema, keySharedPolicy } = options;
  const schemaInfo = schema?.consumerInfo ?? schema?.info;
  return {
    subscription: options.subscription,
    subType: TYPES[options.subscriptionType ?? "exclusive"],
    consumerName: options.consumerName ?? randomName(random),
    priorityLevel: options.priority ?? 0,
    durable: options.durable ?? true,
    metadata: pairsOf(options.properties),
    readCompacted: options.readCompacted ?? false,
    initialPosition: initialPosition === "earliest"
      ? CommandSubscribeInitialPosition.Earliest
      : CommandSubscribeInitialPosition.Latest,
    // A topic that a pattern has found and that is gone meanwhile must not be made again.
    forceTopicCreation: options.createTopic ?? options.topicsPattern === undefined,
    subscriptionProperties: pairsOf(options.subscriptionProperties),
    ...(schemaInfo === undefined ? {} : { schema: schemaInfo }),
    ...(keySharedPolicy === undefined ? {} : { keySharedMeta: keySharedMeta(keySharedPolicy) }),
    ...(options.replicateSubscriptionState ? { replicateSubscriptionState: true } : {}),
    ...(startRollbackSec === undefined
      ? {}
      : { startMessageRollbackDurationSec: startRollbackSec }),
  };
}

/** A subscription that is not kept begins with the latest message whatever its initial position. */
function startWithoutCursor(options: ConsumerOptions<unknown>): StartPosition | undefined {
  if (options.durable !== false || options.initialPosition !== "earliest") return undefined;
  return { id: MessageId.earliest, isInclusive: true };
}

function permitsOf(options: ConsumerOptions<unknown>): PermitsBound {
  const { receiverQueueSize: messagesMax, subscriptionType = "exclusive" } = options;
  if (messagesMax !== undefined) return { messagesMax, bytesMax: COUNTED_BYTES };
  // What one shared consumer takes ahead the others cannot have.
  const isShared = subscriptionType === "shared" || subscriptionType === "key_shared";
  if (isShared) return { messagesMax: QUEUE_MESSAGES, bytesMax: COUNTED_BYTES };
  return { bytesMax: QUEUE_BYTES, firstMessages: FIRST_MESSAGES };
}

function keySharedMeta(policy: KeySharedPolicy): KeySharedMeta {
  const allowOutOfOrderDelivery = policy.allowOutOfOrderDelivery ?? false;
  if (policy.mode === "auto_split") {
    return { keySharedMode: KeySharedMode.AUTO_SPLIT, allowOutOfOrderDelivery };
  }
  const hashRanges = policy.ranges.map(({ start, end }) => ({ start, end }));
  return { keySharedMode: KeySharedMode.STICKY, hashRanges, allowOutOfOrderDelivery };
}

/** Ten characters, as consumers without a name have. */
export function randomName(random: Random): string {
  return Array.from({ length: 10 }, () => random.below(16).toString(16)).join("");
}

function pairsOf(record: Readonly<Record<string, string>> | undefined): KeyValue[] {
  return Object.entries(record ?? {}).map(([key, value]) => ({ key, value }));
}
