import type { Outbox } from "./outbox.ts";

/** A client's connection, as producers, consumers and topics need it. */
export interface ClientLink {
  readonly outbox: Outbox;
  /** Of the client, `host:port`. */
  readonly address: string;
  readonly clientVersion: string;
  /** Whether it knows ACTIVE_CONSUMER_CHANGE. */
  readonly knowsActiveConsumer: boolean;
  /** Asks the client for a sign of life; false when there is none in time, and then the connection is closed. */
  isAlive(): Promise<boolean>;
  /** Tells the client that the broker has closed a consumer, so that it subscribes again. */
  dropConsumer(consumerId: number): void;
  /** Tells the client that the broker has closed a producer, so that it creates it again. */
  dropProducer(producerId: number): void;
  /** Tells a consumer that it has everything, and that nothing more will come. */
  sendReachedEndOfTopic(consumerId: number): void;
  /** Tells a consumer whether it is the active one. */
  sendActiveConsumerChange(consumerId: number, isActive: boolean): void;
}
