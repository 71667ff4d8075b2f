/**
 * KEY_VALUE: a pair of two schemas.
 *
 *     inline      [i32 length][key][i32 length][value]      length −1 where there is none
 *     separated   the key is the message's key (Base64), the payload the value
 *
 * The registered data are those of both schemas in the same form; names, types and properties are properties.
 */
import { readUint32, writeUint32 } from "../../base/mod.ts";
import { assertChoices } from "./option_checks.ts";
import type { EncodedOrigin, Schema, SchemaInfo, TopicSchema, WriterSchemas } from "./schema.ts";
import { plainInfo, schemaMismatch } from "./schema_primitives.ts";
import { schemaTypeName, schemaTypeNumber } from "./schema_types.ts";
import { SchemaType } from "../wire/mod.ts";

/** A pair; null where one of them is not there. */
export interface KeyValuePair<K, V> {
  readonly key: K | null;
  readonly value: V | null;
}

/** Where the key goes. */
export type KeyValueEncoding = "inline" | "separated";
const ENCODINGS: readonly KeyValueEncoding[] = ["inline", "separated"];

const NO_LENGTH = 0xffffffff;
/** Plain bytes have no number on the wire of their own; inside a pair they have a name. */
const BYTES_INFO = plainInfo("Bytes", SchemaType.None);
const NO_BYTES = new Uint8Array(0);

/** A schema of pairs. */
export class KeyValueSchema<K, V> implements TopicSchema<KeyValuePair<K, V>> {
  readonly info: SchemaInfo;
  readonly #key: Schema<K>;
  readonly #value: Schema<V>;
  readonly #encoding: KeyValueEncoding;
  readonly encodeKey?: (pair: KeyValuePair<K, V>) => Uint8Array | undefined;
  readonly readsKey: boolean;
  readonly isNullValue?: (pair: KeyValuePair<K, V>) => boolean;

  /** @throws {TypeError} for an encoding that is none */
  constructor(key: Schema<K>, value: Schema<V>, encoding: KeyValueEncoding) {
    assertChoices("make schema", [{ name: "encoding", value: encoding, allowed: ENCODINGS }]);
    this.#key = key;
    this.#value = value;
    this.#encoding = encoding;
    this.info = keyValueInfo(key.info ?? BYTES_INFO, value.info ?? BYTES_INFO, encoding);
    this.readsKey = encoding === "separated";
    if (this.readsKey) {
      this.encodeKey = (pair) => pair.key === null ? undefined : key.encode(pair.key);
      this.isNullValue = (pair) => pair.value === null;
    }
  }

  encode({ key, value }: KeyValuePair<K, V>): Uint8Array {
    const valueBytes = value === null ? undefined : this.#value.encode(value);
    if (this.#encoding === "separated") return valueBytes ?? NO_BYTES;
    return joinPair(key === null ? undefined : this.#key.encode(key), valueBytes);
  }

  decode(bytes: Uint8Array, origin: EncodedOrigin = {}): KeyValuePair<K, V> {
    const { schemaVersion, keyBytes, isNull = false } = origin;
    const parts = this.#encoding === "separated"
      ? { key: keyBytes, value: isNull ? undefined : bytes }
      : splitPair(bytes);
    const inner = { schemaVersion };
    return {
      key: parts.key === undefined ? null : this.#key.decode(parts.key, inner),
      value: parts.value === undefined ? null : this.#value.decode(parts.value, inner),
    };
  }

  forTopic(registry: WriterSchemas): TopicSchema<KeyValuePair<K, V>> {
    return new KeyValueSchema(
      partForTopic(this.#key, registry, "key"),
      partForTopic(this.#value, registry, "value"),
      this.#encoding,
    );
  }

  prepare(schemaVersion: Uint8Array | undefined): Promise<void> | undefined {
    const learning = [this.#key, this.#value].flatMap((part) =>
      (part as Partial<TopicSchema<unknown>>).prepare?.(schemaVersion) ?? []
    );
    return learning.length === 0 ? undefined : Promise.all(learning).then(() => {});
  }
}

function partForTopic<T>(
  schema: Schema<T>,
  registry: WriterSchemas,
  part: "key" | "value",
): Schema<T> {
  if (schema.forTopic === undefined) return schema;
  return schema.forTopic({
    async get(schemaVersion) {
      const info = await registry.get(schemaVersion);
      return info === undefined ? undefined : splitKeyValueInfo(info)[part];
    },
  });
}

/** What a pair's schema is registered as. */
function keyValueInfo(key: SchemaInfo, value: SchemaInfo, encoding: KeyValueEncoding): SchemaInfo {
  const properties = Object.entries({
    ...partProperties("key", key),
    ...partProperties("value", value),
    "kv.encoding.type": encoding.toUpperCase(),
  }).map(([name, text]) => ({ key: name, value: text }));
  const schemaData = joinPair(key.schemaData, value.schemaData);
  return { name: "KeyValue", type: SchemaType.KeyValue, schemaData, properties };
}

function partProperties(part: "key" | "value", info: SchemaInfo): Record<string, string> {
  const properties = Object.fromEntries(
    (info.properties ?? []).map(({ key, value }) => [key, value]),
  );
  return {
    [`${part}.schema.name`]: info.name,
    [`${part}.schema.type`]: schemaTypeName(info),
    [`${part}.schema.properties`]: JSON.stringify(properties),
  };
}

/**
 * The two schemas of a pair's.
 *
 * @throws {PulsarError} `schema_mismatch` when it is none of a pair
 */
export function splitKeyValueInfo(
  info: SchemaInfo,
): { key: SchemaInfo; value: SchemaInfo; encoding: KeyValueEncoding } {
  if (info.type !== SchemaType.KeyValue) {
    throw schemaMismatch(
      "decode",
      `it was written with schema ${info.name}, which is no KEY_VALUE`,
    );
  }
  const parts = splitPair(info.schemaData);
  const properties = new Map((info.properties ?? []).map(({ key, value }) => [key, value]));
  const part = (name: "key" | "value"): SchemaInfo => ({
    name: properties.get(`${name}.schema.name`) ?? "",
    type: schemaTypeNumber(properties.get(`${name}.schema.type`) ?? "BYTES"),
    schemaData: parts[name] ?? NO_BYTES,
    properties: Object.entries(
      JSON.parse(properties.get(`${name}.schema.properties`) ?? "{}") as Record<string, string>,
    ).map(([key, value]) => ({ key, value })),
  });
  const isSeparated = properties.get("kv.encoding.type") === "SEPARATED";
  return {
    key: part("key"),
    value: part("value"),
    encoding: isSeparated ? "separated" : "inline",
  };
}

function joinPair(key: Uint8Array | undefined, value: Uint8Array | undefined): Uint8Array {
  const bytes = new Uint8Array(8 + (key?.length ?? 0) + (value?.length ?? 0));
  const next = put(bytes, 0, key);
  put(bytes, next, value);
  return bytes;
}

function put(bytes: Uint8Array, at: number, part: Uint8Array | undefined): number {
  writeUint32(bytes, at, part?.length ?? NO_LENGTH);
  if (part !== undefined) bytes.set(part, at + 4);
  return at + 4 + (part?.length ?? 0);
}

function splitPair(bytes: Uint8Array): { key?: Uint8Array; value?: Uint8Array } {
  const key = take(bytes, 0);
  const value = take(bytes, key.end);
  if (value.end !== bytes.length) throw brokenPair(bytes.length);
  return {
    ...(key.part === undefined ? {} : { key: key.part }),
    ...(value.part === undefined ? {} : { value: value.part }),
  };
}

function take(bytes: Uint8Array, at: number): { part: Uint8Array | undefined; end: number } {
  if (bytes.length - at < 4) throw brokenPair(bytes.length);
  const length = readUint32(bytes, at);
  if (length === NO_LENGTH) return { part: undefined, end: at + 4 };
  if (length > bytes.length - at - 4) throw brokenPair(bytes.length);
  return { part: bytes.subarray(at + 4, at + 4 + length), end: at + 4 + length };
}

function brokenPair(byteLength: number): Error {
  return schemaMismatch("decode", `its ${byteLength} bytes are no pair of a key and a value`);
}
