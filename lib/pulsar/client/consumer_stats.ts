import type { TopicConsumer } from "./topic_consumer.ts";

/** What a consumer has counted since it was opened, and what it holds. */
export interface ConsumerStats {
  readonly messagesReceived: number;
  /** Of payloads, uncompressed. */
  readonly bytesReceived: number;
  /** Acknowledgements sent; one for a whole batch counts once. */
  readonly acksSent: number;
  /** Messages sent to the dead letter topic, and attempts that failed. */
  readonly deadLetters: number;
  readonly deadLetterFailures: number;
  /** Entries that came with a wrong checksum. */
  readonly damagedEntries: number;
  /** Messages in chunks that were given up because not all chunks came. */
  readonly incompleteChunkedMessages: number;
  /** How often a topic was subscribed again. */
  readonly reconnects: number;
  /** Calls of the listener that failed. */
  readonly listenerErrors: number;
  /** Times when topics or partitions could not be looked up. */
  readonly failedUpdates: number;
  /** Messages that wait to be received. */
  readonly queuedMessages: number;
  /** Acknowledgements that wait to be sent. */
  readonly pendingAcks: number;
}

/** Adds up what the topics of a consumer have counted. */
export function statsOf(
  topics: readonly TopicConsumer[],
  own: Pick<ConsumerStats, "listenerErrors" | "failedUpdates" | "queuedMessages">,
): ConsumerStats {
  const sum = (count: (topic: TopicConsumer) => number) =>
    topics.reduce((total, topic) => total + count(topic), 0);
  return {
    ...own,
    messagesReceived: sum(({ counters }) => counters.messages),
    bytesReceived: sum(({ counters }) => counters.bytes),
    acksSent: sum(({ acks }) => acks.sentCount),
    deadLetters: sum(({ redelivery }) => redelivery.deadLetterCount),
    deadLetterFailures: sum(({ redelivery }) => redelivery.deadLetterFailures),
    damagedEntries: sum(({ counters }) => counters.damaged),
    incompleteChunkedMessages: sum(({ counters }) => counters.incompleteChunkedMessages),
    reconnects: sum(({ session }) => Math.max(session.sessionCount - 1, 0)),
    pendingAcks: sum(({ acks }) => acks.tracker.pendingCount),
  };
}
