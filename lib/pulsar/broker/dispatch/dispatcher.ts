import type { EarlierEntries, PartitionLog, Position } from "../log/mod.ts";
import type { Consumer } from "./consumer.ts";
import type { Cursor } from "./cursor.ts";
import type { TopicName } from "../topic_name.ts";

/** What a dispatcher needs of its subscription. */
export interface DispatchSource {
  readonly log: PartitionLog;
  readonly cursor: Cursor;
  readonly topicName: TopicName;
  /** What stands for the beginning of the log when it is read compacted. */
  readonly compacted?: EarlierEntries | undefined;
  /** Why nothing can be read for it, while that is so. */
  readError: unknown;
  reportReadError(error: unknown): void;
  /** Acknowledges an entry that is no message for anybody. */
  ackIndividual(position: Position): void;
}

/** How a subscription spreads its messages over its consumers. One implementation for each kind of subscription. */
export interface Dispatcher {
  readonly consumers: readonly Consumer[];
  /** The consumer that is served, where there is only one. */
  readonly active: Consumer | undefined;
  /** @throws {BrokerError} `consumer_busy`, `consumer_assign` */
  add(consumer: Consumer): Promise<void>;
  /** @param isComingBack it was sent away to subscribe again: nobody takes its place at once */
  remove(consumer: Consumer, isComingBack?: boolean): void;
  /** Sends what can be sent. */
  wake(): void;
  /**
   * Sends again what a consumer has not acknowledged; `positions` empty means all of it.
   *
   * @param epoch of the consumer from now on, −1 where it said none
   */
  redeliver(consumer: Consumer, positions: readonly Position[], epoch: number): void;
  /** Begins again behind the cursor. */
  rewind(): void;
  close(): void;
}

/** Wait before a read that failed is tried again. */
export const READ_RETRY_MS = 1000;
