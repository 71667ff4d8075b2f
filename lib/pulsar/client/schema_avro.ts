/** AVRO, by avsc; messages of other versions of the topic's schema are resolved as the Apache Avro specification says. */
import avro from "avsc";
import { Buffer } from "node:buffer";
import { messageOf, textOf, utf8 } from "../../base/mod.ts";
import type { EncodedOrigin, SchemaInfo, TopicSchema, WriterSchemas } from "./schema.ts";
import { schemaMismatch } from "./schema_primitives.ts";
import { alignRecordNames, PulsarError, SchemaType } from "../wire/mod.ts";
import type { NamedType } from "../wire/mod.ts";

/** How AVRO is read and written. */
export interface AvroOptions {
  /** As what `long` comes: `number` (refused beyond 2^53) or `bigint`. Default `number`. */
  readonly longs?: "number" | "bigint" | undefined;
  /** Classes for logical types, as avsc has them. */
  readonly logicalTypes?: Readonly<Record<string, unknown>> | undefined;
  /** Name of the registered schema. Default the record's. */
  readonly name?: string | undefined;
}

/** The definition as JSON text. */
export function definitionText(definition: object | string): string {
  return typeof definition === "string" ? definition : JSON.stringify(definition);
}

/** @throws {PulsarError} `schema_mismatch` when it is no AVRO schema */
export function avroType(text: string, options: AvroOptions = {}): avro.Type {
  try {
    const registry = options.longs === "bigint" ? { long: bigintLong() } : {};
    const { logicalTypes = {} } = options;
    return avro.Type.forSchema(
      JSON.parse(text) as avro.Schema,
      { registry, logicalTypes } as unknown as avro.ForSchemaOptions,
    );
  } catch (error) {
    throw new PulsarError(`Cannot use schema: it is not AVRO's: ${messageOf(error)}`, {
      code: "schema_mismatch",
      cause: error,
    });
  }
}

/** The record's name without its namespace. */
export function shortName(type: avro.Type): string {
  return type.name?.split(".").at(-1) ?? "";
}

function bigintLong(): avro.Type {
  const isLong = (value: unknown) =>
    typeof value === "bigint" && BigInt.asIntN(64, value) === value;
  return avro.types.LongType.__with({
    fromBuffer: (buffer: Uint8Array) =>
      new DataView(buffer.buffer, buffer.byteOffset, 8).getBigInt64(0, true),
    toBuffer(value: bigint) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, value, true);
      return bufferOf(bytes);
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: isLong,
    compare: (a: bigint, b: bigint) => a === b ? 0 : a < b ? -1 : 1,
  });
}

/** avsc reads Node's buffers only; nothing is copied. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A reader of its own for one writer, whose names its records know. */
interface Resolution {
  readonly type: avro.Type;
  readonly resolver: avro.Resolver;
}

/** AVRO of one definition, which reads any version of a topic's schema that it can be resolved with. */
export class AvroSchema<T> implements TopicSchema<T> {
  readonly info: SchemaInfo;
  readonly #type: avro.Type;
  readonly #options: AvroOptions;
  readonly #registry: WriterSchemas | undefined;
  /** How to read each version; undefined where it was written as it is read. */
  readonly #resolvers = new Map<string, Resolution | undefined>();

  /**
   * @param text the definition as JSON text
   * @param registry of the topic that is read, undefined for none
   */
  constructor(text: string, options: AvroOptions, registry?: WriterSchemas) {
    this.#type = avroType(text, options);
    this.#options = options;
    this.#registry = registry;
    const name = options.name ?? shortName(this.#type);
    this.info = { name, type: SchemaType.Avro, schemaData: utf8(text), properties: [] };
  }

  encode(value: T): Uint8Array {
    try {
      const { buffer, byteOffset, length } = this.#type.toBuffer(value);
      return new Uint8Array(buffer, byteOffset, length);
    } catch (error) {
      throw schemaMismatch("encode", messageOf(error));
    }
  }

  decode(bytes: Uint8Array, origin?: EncodedOrigin): T {
    const resolution = this.#resolvers.get(origin?.schemaVersion?.join() ?? "");
    const { type, resolver } = resolution ?? { type: this.#type, resolver: undefined };
    try {
      return type.fromBuffer(bufferOf(bytes), resolver) as T;
    } catch (error) {
      throw schemaMismatch("decode", messageOf(error));
    }
  }

  forTopic(registry: WriterSchemas): TopicSchema<T> {
    return new AvroSchema(textOf(this.info.schemaData), this.#options, registry);
  }

  prepare(schemaVersion: Uint8Array | undefined): Promise<void> | undefined {
    // Without a version the bytes must be of the reader's own schema.
    if (schemaVersion === undefined || this.#resolvers.has(schemaVersion.join())) return undefined;
    return this.#learn(schemaVersion);
  }

  async #learn(schemaVersion: Uint8Array): Promise<void> {
    const writer = await this.#registry?.get(schemaVersion);
    this.#resolvers.set(schemaVersion.join(), writer && this.#resolverFor(writer));
  }

  #resolverFor(writer: SchemaInfo): Resolution | undefined {
    if (writer.type !== SchemaType.Avro) {
      throw schemaMismatch(
        "decode",
        `it was written with schema ${writer.name}, which is not AVRO`,
      );
    }
    const text = textOf(writer.schemaData);
    const own = textOf(this.info.schemaData);
    if (text === own) return undefined;
    try {
      const written = avroType(text, this.#options);
      const type = avroType(own, this.#options);
      alignRecordNames(type as unknown as NamedType, written as unknown as NamedType);
      return { type, resolver: type.createResolver(written) };
    } catch (error) {
      throw schemaMismatch(
        "decode",
        `its version of the schema cannot be read: ${messageOf(error)}`,
      );
    }
  }
}
