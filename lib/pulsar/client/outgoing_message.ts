/** A message as it is given to a producer, and as its bytes go out. */
import type { Clock } from "../../base/mod.ts";
import { PulsarError } from "../wire/mod.ts";
import type { Schema } from "./schema.ts";

/** A message to send. */
export interface OutgoingMessage<T = Uint8Array> {
  /** Null says that the key's value is gone: what compaction deletes by. Bytes must not change before the message has its receipt. */
  readonly value: T | null;
  /** Messages of one key go to one partition, in order. */
  readonly key?: string | undefined;
  /** A key that is no text; it travels as Base64. */
  readonly keyBytes?: Uint8Array | undefined;
  /** What Key_Shared subscriptions order by, where that is not the key. */
  readonly orderingKey?: Uint8Array | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** When it happened, by the application, whole ms since 1970. */
  readonly eventTimeMs?: number | undefined;
  /** For deduplication; grows from message to message of one partition. Given by the producer where it is left out. */
  readonly sequenceId?: number | undefined;
  /** Shared subscriptions hand it out at this time, whole ms since 1970. */
  readonly deliverAtMs?: number | undefined;
  /** … or this many ms after it is sent. */
  readonly deliverAfterMs?: number | undefined;
  /** Keeps it in this cluster. */
  readonly disableReplication?: boolean | undefined;
  /** Replicates it to these clusters only. */
  readonly replicationClusters?: readonly string[] | undefined;
}

/** A message's bytes and what goes with them. */
export interface EncodedMessage {
  readonly payload: Uint8Array;
  /** What it takes of a batch: the payload, and about what key and properties take. */
  readonly batchBytes: number;
  /** As it goes out: Base64 where `keyIsBase64` says so. */
  readonly partitionKey: string | undefined;
  readonly keyIsBase64: boolean;
  readonly keyIsNull: boolean;
  readonly isNull: boolean;
  readonly orderingKey: Uint8Array | undefined;
  readonly properties: readonly { readonly key: string; readonly value: string }[] | undefined;
  readonly eventTimeMs: number | undefined;
  readonly deliverAtMs: number | undefined;
  readonly replicateTo: readonly string[] | undefined;
  /** Undefined for the version that the producer was registered with. */
  readonly schemaVersion: Uint8Array | undefined;
  readonly sequenceId: number | undefined;
}

/** What Pulsar takes for "no other cluster". */
const LOCAL_CLUSTER = "__local__";
const NO_BYTES = new Uint8Array(0);

/** Base64 of bytes that are short: keys. */
function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * @throws {PulsarError} `schema_mismatch` when the value is none of the schema
 * @throws {TypeError} when the fields of the message contradict one another, or one is nothing that can be sent
 */
export function encodeOutgoing<T>(
  message: OutgoingMessage<T>,
  schema: Schema<T>,
  options: { readonly clock: Clock; readonly schemaVersion?: Uint8Array | undefined },
): EncodedMessage {
  const { value, properties } = message;
  assertNumbers(message);
  const key = keyOf(message, schema);
  const payload = value === null ? NO_BYTES : payloadOf(value, schema);
  return {
    payload,
    batchBytes: payload.length + (key.partitionKey?.length ?? 0) + lengthOf(properties),
    ...key,
    isNull: value === null || (schema.isNullValue?.(value) ?? false),
    orderingKey: message.orderingKey,
    properties: properties === undefined
      ? undefined
      : Object.entries(properties).map(([name, text]) => ({ key: name, value: text })),
    eventTimeMs: message.eventTimeMs,
    deliverAtMs: deliverAtOf(message, options.clock),
    replicateTo: message.disableReplication ? [LOCAL_CLUSTER] : message.replicationClusters,
    schemaVersion: options.schemaVersion,
    sequenceId: message.sequenceId,
  };
}

/** What the compiler does not see, a caller in JavaScript above all, is told here: later it would end others' messages too. */
function payloadOf<T>(value: T, schema: Schema<T>): Uint8Array {
  const payload: unknown = value === undefined ? undefined : schema.encode(value);
  if (payload instanceof Uint8Array) return payload;
  const what = value === undefined ? "undefined" : `a ${typeof value}`;
  throw new PulsarError(`Cannot send a message: its value is ${what}, not a Uint8Array`, {
    code: "schema_mismatch",
    cure: "encode it, open the producer with a schema, or send null for no value",
  });
}

function lengthOf(properties: Readonly<Record<string, string>> | undefined): number {
  let length = 0;
  for (const name in properties) {
    const text: unknown = properties[name];
    if (typeof text !== "string") {
      throw new TypeError(`Cannot send a message: property "${name}" is no string`);
    }
    length += name.length + text.length;
  }
  return length;
}

function assertNumbers(message: OutgoingMessage<unknown>): void {
  const { eventTimeMs, deliverAtMs, deliverAfterMs, sequenceId } = message;
  if (
    eventTimeMs === undefined && deliverAtMs === undefined && deliverAfterMs === undefined &&
    sequenceId === undefined
  ) return;
  for (const [name, number] of Object.entries({ eventTimeMs, deliverAtMs, deliverAfterMs })) {
    if (number === undefined || Number.isFinite(number)) continue;
    throw new TypeError(`Cannot send a message: ${name} is ${number}, not a finite number`);
  }
  if (sequenceId === undefined || Number.isSafeInteger(sequenceId)) return;
  throw new TypeError(`Cannot send a message: sequenceId is ${sequenceId}, not a whole number`);
}

function keyOf<T>(
  { value, key, keyBytes }: OutgoingMessage<T>,
  schema: Schema<T>,
): Pick<EncodedMessage, "partitionKey" | "keyIsBase64" | "keyIsNull"> {
  if (key !== undefined && keyBytes !== undefined) {
    throw new TypeError("Cannot send: the message has key and keyBytes; give one of them");
  }
  if (key !== undefined && typeof key !== "string") {
    throw new TypeError(`Cannot send a message: its key is a ${typeof key}, not a string`);
  }
  if (schema.encodeKey === undefined || value === null) {
    const isBytes = keyBytes !== undefined;
    const partitionKey = isBytes ? base64Of(keyBytes) : key;
    return { partitionKey, keyIsBase64: isBytes, keyIsNull: false };
  }
  if (key !== undefined || keyBytes !== undefined) {
    throw new TypeError(
      "Cannot send: the message has a key, which its schema takes from the value; leave it out",
    );
  }
  const encoded = schema.encodeKey(value);
  if (encoded === undefined) {
    return { partitionKey: undefined, keyIsBase64: false, keyIsNull: true };
  }
  return { partitionKey: base64Of(encoded), keyIsBase64: true, keyIsNull: false };
}

function deliverAtOf(
  { deliverAtMs, deliverAfterMs }: OutgoingMessage<unknown>,
  clock: Clock,
): number | undefined {
  if (deliverAfterMs === undefined) return deliverAtMs;
  if (deliverAtMs !== undefined) {
    throw new TypeError(
      "Cannot send: the message has deliverAtMs and deliverAfterMs; give one of them",
    );
  }
  return Math.floor(clock.wallMs() + deliverAfterMs);
}
