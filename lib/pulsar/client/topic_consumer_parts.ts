/** What a topic's consumer is made of, and what it tells the consumer that it belongs to. */
import type { AckSettings } from "./ack_sender.ts";
import type { StartPosition } from "./consumer_options.ts";
import type { InboxSource } from "./inbox.ts";
import type { PermitsBound } from "./permits.ts";
import type { ReceivedEntry, ReceivedMessage } from "./received_entry.ts";
import type { RedeliverySettings } from "./redelivery.ts";
import type { Schema } from "./schema.ts";
import type { CommandSubscribe, PulsarError } from "../wire/mod.ts";

/** What a topic's consumer is opened with. */
export interface TopicConsumerOptions extends RedeliverySettings, AckSettings {
  readonly topic: string;
  /** −1 for a topic that is not partitioned. */
  readonly partition: number;
  readonly schema: Schema<unknown> | undefined;
  /** SUBSCRIBE but for what changes from session to session. */
  readonly subscribe: Omit<
    CommandSubscribe,
    "requestId" | "consumerId" | "topic" | "consumerEpoch" | "startMessageId"
  >;
  readonly start: StartPosition | undefined;
  readonly includesStart: boolean;
  readonly permits: PermitsBound;
  readonly cryptoFailureAction: "fail" | "discard" | "consume";
  readonly maxPendingChunkedMessages: number;
  readonly expireIncompleteChunkedMessageMs: number;
  readonly chunkedMessageBytesMax: number;
}

/** What a topic's consumer tells the consumer that it belongs to. */
export interface TopicConsumerOwner {
  /** Hands an entry with at least one message over. */
  arrived(source: InboxSource, entry: ReceivedEntry): void;
  /** A message that cannot be read; it stays unacknowledged. */
  unreadable(error: PulsarError): void;
  /** What of this topic was handed over and not taken yet comes again, or is not wanted any more.
   *
   * @param keys of entries; undefined for all of it
   */
  withdraw(source: InboxSource, keys?: ReadonlySet<string>): void;
  /** Entries that were handed over have become ready. */
  wake(): void;
  /** How many calls of `receive` wait. */
  readonly waiting: number;
  deadLetter(message: ReceivedMessage<unknown>): Promise<void>;
  activeChanged(isActive: boolean, topic: string): void;
  reachedEnd(): void;
  /** It cannot go on. */
  failed(error: unknown, topic: string): void;
}

/** Whom a topic's consumer belongs to, and what ends its opening. */
export interface TopicConsumerParts {
  readonly owner: TopicConsumerOwner;
  readonly signal?: AbortSignal | undefined;
}

/** Plain counts, for `stats`. */
export interface TopicCounters {
  messages: number;
  bytes: number;
  damaged: number;
  incompleteChunkedMessages: number;
}
