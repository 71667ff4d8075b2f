import type { EventTimeMs, WallTimeMs } from "../../base/mod.ts";
import type { MessageId } from "./message_id.ts";

/**
 * A message as a consumer or reader gives it.
 *
 * What it says is read from the entry's bytes when it is asked for. `data` and the other byte fields are views of them: they stay
 * valid, and keep the whole entry in memory as long as they are used; `data.slice()` keeps the message's own bytes only.
 */
export interface Message<T = Uint8Array> {
  readonly id: MessageId;
  /** Full name of the topic or partition that it came from. */
  readonly topic: string;
  /** The payload; empty where `isNull`. */
  readonly data: Uint8Array;
  /** The payload as the consumer's schema reads it; without a schema, `data`.
   *
   * @throws {PulsarError} `schema_mismatch` when the payload is none of the schema
   */
  readonly value: T;
  /** It was sent without a value: for a compacted topic that means that its key is deleted. */
  readonly isNull: boolean;
  readonly key: string | undefined;
  /** The key where it was sent as bytes, else its UTF-8. */
  readonly keyBytes: Uint8Array | undefined;
  readonly orderingKey: Uint8Array | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** As its producer set it. */
  readonly eventTimeMs: EventTimeMs | undefined;
  /** When the producer made the batch. */
  readonly publishTimeMs: WallTimeMs;
  readonly producerName: string;
  readonly sequenceId: number;
  /** How often it was delivered before on this subscription; shared and key_shared ones count. */
  readonly redeliveryCount: number;
  /** Version of the topic's schema that it was sent with. */
  readonly schemaVersion: Uint8Array | undefined;
  /** Cluster that it came from, for topics that are replicated. */
  readonly replicatedFrom: string | undefined;
  /** Its place in the topic, counted from 0, where the broker counts messages. */
  readonly index: number | undefined;
  /** When the broker stored it, where the broker notes that. */
  readonly brokerPublishTimeMs: WallTimeMs | undefined;
  /** When it was to be delivered at the earliest. */
  readonly deliverAtTimeMs: WallTimeMs | undefined;
}
