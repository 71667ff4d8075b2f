import type { Schema } from "./schema.ts";
import { AutoConsumeSchema } from "./schema_auto.ts";
import { type AvroOptions, AvroSchema, definitionText } from "./schema_avro.ts";
import { jsonSchema } from "./schema_json.ts";
import { type KeyValueEncoding, type KeyValuePair, KeyValueSchema } from "./schema_key_value.ts";
import {
  booleanSchema,
  bytesSchema,
  doubleSchema,
  floatSchema,
  integerSchema,
  longSchema,
  stringSchema,
} from "./schema_primitives.ts";
import {
  dateSchema,
  instantSchema,
  localDateSchema,
  localDateTimeSchema,
  localTimeSchema,
} from "./schema_time.ts";

/**
 * Pulsar's schemas, by their names in Pulsar's own clients. Bytes are the same as Java's.
 *
 * @example
 * ```ts
 * import { schema } from "./schemas.ts";
 * import assert from "node:assert/strict";
 * interface Order { item: string; count: number }
 * const orders = schema.avro<Order>({
 *   type: "record",
 *   name: "Order",
 *   fields: [{ name: "item", type: "string" }, { name: "count", type: "int" }],
 * });
 * assert.deepEqual({ ...orders.decode(orders.encode({ item: "tea", count: 2 })) }, { item: "tea", count: 2 });
 * assert.deepEqual([...schema.int32().encode(-2)], [255, 255, 255, 254]);
 * ```
 */
export const schema = {
  bytes: bytesSchema,
  string: stringSchema,
  boolean: booleanSchema,
  int8: (): Schema<number> => integerSchema(8),
  int16: (): Schema<number> => integerSchema(16),
  int32: (): Schema<number> => integerSchema(32),
  int64: longSchema,
  float: floatSchema,
  double: doubleSchema,
  date: (): Schema<Date> => dateSchema("Date"),
  time: (): Schema<Date> => dateSchema("Time"),
  timestamp: (): Schema<Date> => dateSchema("Timestamp"),
  instant: instantSchema,
  localDate: localDateSchema,
  localTime: localTimeSchema,
  localDateTime: localDateTimeSchema,

  /**
   * @param definition an AVRO schema, as JSON text or as the object of it
   * @throws {PulsarError} `schema_mismatch` when it is none
   */
  avro: <T>(definition: object | string, options: AvroOptions = {}): Schema<T> =>
    new AvroSchema<T>(definitionText(definition), options),

  /**
   * @param definition an AVRO schema, which JSON schemas of Pulsar are registered as
   * @throws {PulsarError} `schema_mismatch` when it is none
   */
  json: <T>(definition: object | string, name?: string): Schema<T> => jsonSchema(definition, name),

  /** Pairs; `separated` has the key as the message's key, which compaction and Key_Shared go by. */
  keyValue: <K, V>(
    key: Schema<K>,
    value: Schema<V>,
    encoding: KeyValueEncoding = "inline",
  ): Schema<KeyValuePair<K, V>> => new KeyValueSchema(key, value, encoding),

  /** Reads each message by the schema that it was written with. */
  autoConsume: (options: AvroOptions = {}): Schema<unknown> => new AutoConsumeSchema(options),
} as const;
