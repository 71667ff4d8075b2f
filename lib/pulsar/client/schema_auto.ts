/** AUTO_CONSUME: each message is read by the schema that it was written with. */
import { textOf } from "../../base/mod.ts";
import type { EncodedOrigin, Schema, SchemaInfo, TopicSchema, WriterSchemas } from "./schema.ts";
import { type AvroOptions, AvroSchema } from "./schema_avro.ts";
import { jsonSchema } from "./schema_json.ts";
import { KeyValueSchema, splitKeyValueInfo } from "./schema_key_value.ts";
import {
  booleanSchema,
  bytesSchema,
  doubleSchema,
  floatSchema,
  integerSchema,
  longSchema,
  schemaMismatch,
  stringSchema,
} from "./schema_primitives.ts";
import {
  dateSchema,
  instantSchema,
  localDateSchema,
  localDateTimeSchema,
  localTimeSchema,
} from "./schema_time.ts";
import { AUTO_CONSUME_INFO, schemaTypeName } from "./schema_types.ts";
import { PulsarError, SchemaType } from "../wire/mod.ts";

const PLAIN: ReadonlyMap<SchemaType, () => Schema<never>> = new Map(
  Object.entries(
    {
      [SchemaType.None]: bytesSchema,
      [SchemaType.String]: stringSchema,
      [SchemaType.Bool]: booleanSchema,
      [SchemaType.Int8]: () => integerSchema(8),
      [SchemaType.Int16]: () => integerSchema(16),
      [SchemaType.Int32]: () => integerSchema(32),
      [SchemaType.Int64]: longSchema,
      [SchemaType.Float]: floatSchema,
      [SchemaType.Double]: doubleSchema,
      [SchemaType.Date]: () => dateSchema("Date"),
      [SchemaType.Time]: () => dateSchema("Time"),
      [SchemaType.Timestamp]: () => dateSchema("Timestamp"),
      [SchemaType.Instant]: instantSchema,
      [SchemaType.LocalDate]: localDateSchema,
      [SchemaType.LocalTime]: localTimeSchema,
      [SchemaType.LocalDateTime]: localDateTimeSchema,
    } satisfies Record<number, () => unknown>,
  ).map(([type, make]) => [Number(type) as SchemaType, make as unknown as () => Schema<never>]),
);

/**
 * The schema that reads what was written with a registered one.
 *
 * @throws {PulsarError} `not_supported` for Protobuf
 */
function schemaOfInfo(info: SchemaInfo, options: AvroOptions): Schema<unknown> {
  const plain = PLAIN.get(info.type);
  if (plain !== undefined) return plain() as Schema<unknown>;
  if (info.type === SchemaType.Avro) {
    return new AvroSchema(textOf(info.schemaData), { ...options, name: info.name });
  }
  if (info.type === SchemaType.Json) return jsonSchema(textOf(info.schemaData), info.name);
  if (info.type === SchemaType.KeyValue) {
    const { key, value, encoding } = splitKeyValueInfo(info);
    return new KeyValueSchema(schemaOfInfo(key, options), schemaOfInfo(value, options), encoding);
  }
  throw new PulsarError(`Cannot decode message: its schema is ${schemaTypeName(info)}`, {
    code: "not_supported",
    cure: "consume the topic as bytes, and decode them with the application's own classes",
  });
}

/** Reads whatever the topic holds; bytes where it has no schema. */
export class AutoConsumeSchema implements TopicSchema<unknown> {
  readonly info = undefined;
  readonly consumerInfo = AUTO_CONSUME_INFO;
  readonly readsKey = true;
  readonly #options: AvroOptions;
  readonly #registry: WriterSchemas | undefined;
  readonly #readers = new Map<string, Schema<unknown>>();

  constructor(options: AvroOptions, registry?: WriterSchemas) {
    this.#options = options;
    this.#registry = registry;
  }

  encode(): never {
    throw schemaMismatch("encode", "AUTO_CONSUME only reads");
  }

  decode(bytes: Uint8Array, origin: EncodedOrigin = {}): unknown {
    if (origin.schemaVersion === undefined) return origin.isNull ? null : bytes;
    const reader = this.#readers.get(origin.schemaVersion.join());
    if (reader === undefined) {
      throw schemaMismatch("decode", "its version of the topic's schema was not looked up");
    }
    return origin.isNull && reader.readsKey !== true ? null : reader.decode(bytes, origin);
  }

  forTopic(registry: WriterSchemas): TopicSchema<unknown> {
    return new AutoConsumeSchema(this.#options, registry);
  }

  prepare(schemaVersion: Uint8Array | undefined): Promise<void> | undefined {
    if (schemaVersion === undefined || this.#readers.has(schemaVersion.join())) return undefined;
    return this.#learn(schemaVersion);
  }

  async #learn(schemaVersion: Uint8Array): Promise<void> {
    const info = await this.#registry?.get(schemaVersion);
    const reader = info === undefined ? bytesSchema() : schemaOfInfo(info, this.#options);
    this.#readers.set(schemaVersion.join(), reader as Schema<unknown>);
  }
}
