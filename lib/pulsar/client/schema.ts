/** What a topic's messages are made of: the interface between values and bytes. The schemas themselves are in `schemas.ts`. */
import type { Schema as SchemaInfo } from "../wire/mod.ts";

export type { SchemaInfo };

/** What comes with the bytes of a message. */
export interface EncodedOrigin {
  /** `schema_version` of the message: 8 bytes big-endian for a schema of the topic, absent for messages without one. */
  readonly schemaVersion?: Uint8Array | undefined;
  /** The message's key as bytes; only KEY_VALUE with separated encoding looks at it. */
  readonly keyBytes?: Uint8Array | undefined;
  /** The message was sent without a value; asked only of schemas that have a key in the message. */
  readonly isNull?: boolean | undefined;
}

/**
 * Turns values into bytes and back, as Pulsar's Java client does.
 *
 * `T` is what a producer takes and a consumer gives.
 */
export interface Schema<T> {
  /** What is registered with the topic; undefined for plain bytes and for AUTO_CONSUME, which register nothing. */
  readonly info: SchemaInfo | undefined;
  /** What a consumer says instead, where it is something else. */
  readonly consumerInfo?: SchemaInfo | undefined;
  /** @throws {PulsarError} `schema_mismatch` when the value is none of this schema */
  encode(value: T): Uint8Array;
  /** The message's key, for KEY_VALUE with separated encoding; a message of it has no other key. */
  encodeKey?(value: T): Uint8Array | undefined;
  /** Whether `decode` wants `keyBytes` and `isNull`, because a part of the value is in the message's key. */
  readonly readsKey?: boolean;
  /** Whether the message goes out as one without a value, although it has a key. */
  isNullValue?(value: T): boolean;
  /** @throws {PulsarError} `schema_mismatch` when the bytes are none of this schema */
  decode(bytes: Uint8Array, origin?: EncodedOrigin): T;
  /**
   * The schema as a consumer of one topic needs it: one that reads what was written with other versions of the topic's schema.
   * Absent where the bytes say everything (numbers, text, JSON).
   */
  forTopic?(registry: WriterSchemas): TopicSchema<T>;
}

/** A schema that reads messages of one topic. */
export interface TopicSchema<T> extends Schema<T> {
  /**
   * Learns a version of the topic's schema; `decode` of a message of that version works afterwards.
   *
   * @returns undefined when it is known already, so that nobody waits for nothing
   * @throws {PulsarError} from the result: why the version cannot be read
   */
  prepare(schemaVersion: Uint8Array | undefined): Promise<void> | undefined;
}

/** The schemas that a topic's messages were written with, as the broker keeps them. */
export interface WriterSchemas {
  /**
   * The schema of a version, or the newest one for undefined.
   *
   * @returns undefined where the topic has none
   */
  get(schemaVersion: Uint8Array | undefined): Promise<SchemaInfo | undefined>;
}
