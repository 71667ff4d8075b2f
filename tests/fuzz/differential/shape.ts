/** What the judge's parts know of one another. */
import type { Command, MessageIdData } from "../../../lib/pulsar/wire/mod.ts";
import type { JudgeConnection, Tampering } from "./judge_connection.ts";
import type { Operation } from "./operations.ts";

/** A broker, as the judge needs it. */
export interface JudgedBroker {
  readonly name: string;
  readonly serviceUrl: string;
  readonly adminUrl: string;
  readonly tampering: Tampering;
  /** Ends it and starts it again, or what comes nearest to that. All connections are cut before. */
  readonly restart: (topic: string) => Promise<void>;
  /** How long silence must last to count, in rounds; more on a busy machine. */
  readonly quietRounds: number;
}

/** A consumer that is connected. */
export interface JudgedConsumer {
  readonly name: string;
  readonly connection: JudgeConnection;
  /** Events that were looked at. */
  seen: number;
  /** What it was allowed and has not used: only whether there is any matters. */
  permits: number;
}

/** A subscription, for whoever waits for it to come to rest. */
export interface SubscriptionView {
  readonly name: string;
  readonly consumers: readonly JudgedConsumer[];
  /** Entries that were delivered and not acknowledged since. */
  readonly outstandingCount: number;
}

/** One topic of one broker. */
export interface TopicView {
  readonly broker: JudgedBroker;
  readonly topic: string;
  readonly subscriptions: readonly SubscriptionView[];
  readonly isTerminated: boolean;
  /** Ordinal of a position, or what it is instead. */
  ordinalOf(position: { ledgerId: number; entryId: number }): number | string;
}

/** What a subscription needs of its topic. */
export interface SubscriptionHost extends TopicView {
  connect(): Promise<JudgeConnection>;
  /** The topic is being terminated just now: who is connected must be told. */
  readonly isTerminating: boolean;
  /** A cursor is being moved: who was served is away for a moment. */
  readonly isSeeking: boolean;
  /** The key of an entry's messages. */
  keyOf(ordinal: number): string;
  /** Where a seek goes. */
  seekTarget(
    seek: Extract<Operation, { kind: "seek" }>,
  ): { readonly messageId?: MessageIdData; readonly messagePublishTime?: number };
}

/** What a broker answered, without what brokers may word as they like. */
export function plainAnswer(command: Command | undefined): string {
  if (command === undefined) return "the end of the connection";
  const { error } = command.body as { error?: number };
  return error === undefined ? command.type : `${command.type} ${error}`;
}
