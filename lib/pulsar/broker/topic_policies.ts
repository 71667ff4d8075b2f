/** What a topic keeps or refuses; sizes in bytes, times in ms, −1 for no bound. */
export interface TopicPolicies {
  /** Acknowledged data is kept up to this size; 0 keeps none. */
  readonly retentionBytes: number;
  /** Acknowledged data is kept for this long; 0 keeps none. */
  readonly retentionMs: number;
  /** Data that some subscription has not acknowledged may take this much. */
  readonly backlogBytesMax: number;
  /** Over that: `producer_request_hold` and `producer_exception` close the producers and refuse new ones, to wait or to give up. */
  readonly backlogPolicy: BacklogPolicy;
  readonly isDeduplicating: boolean;
}

/** What happens over the backlog quota, by Pulsar's names. */
export type BacklogPolicy =
  | "producer_request_hold"
  | "producer_exception"
  | "consumer_backlog_eviction";
