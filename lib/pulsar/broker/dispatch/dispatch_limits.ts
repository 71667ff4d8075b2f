/** How much the consumers of one subscription may hold, by Pulsar's settings and with its defaults. */
export interface DispatchLimits {
  /** A consumer with this many messages that are not acknowledged gets no more; 0 for no limit. */
  readonly consumerUnackedMax: number;
  /** So does a subscription, all consumers together. */
  readonly subscriptionUnackedMax: number;
  /** Entries that may wait for their consumer while others are looked for, for each consumer … */
  readonly lookAheadPerConsumer: number;
  /** … and for all of a subscription. */
  readonly lookAheadMax: number;
  /** Entries whose delivery time is kept in memory; where there are more, reading waits. */
  readonly delayedMax: number;
}

/** maxUnackedMessagesPerConsumer, maxUnackedMessagesPerSubscription, keySharedLookAheadMsgInReplayThresholdPer…; the last is our own. */
export const DISPATCH_LIMITS: DispatchLimits = {
  consumerUnackedMax: 50_000,
  subscriptionUnackedMax: 200_000,
  lookAheadPerConsumer: 2000,
  lookAheadMax: 20_000,
  delayedMax: 1_000_000,
};
