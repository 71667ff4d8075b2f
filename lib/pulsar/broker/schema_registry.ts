import { equalBytes } from "../../base/mod.ts";
import { SchemaType } from "../wire/mod.ts";
import type { Schema } from "../wire/mod.ts";
import type { CatalogPlace } from "./catalog.ts";
import { namespaceFolder } from "./catalog.ts";
import { readDocument, writeDocument } from "./document.ts";
import { BrokerError } from "./errors.ts";
import { assertCompatible } from "./schema_compatibility.ts";
import type { Compatibility, SchemaInfo } from "./schema_compatibility.ts";
import { encodeName, parseTopicName } from "./topic_name.ts";
import type { TopicName } from "./topic_name.ts";

interface StoredSchema {
  readonly type: SchemaType;
  /** Base64. */
  readonly data: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

/** A schema with its place among its topic's versions. */
export interface SchemaVersion extends SchemaInfo {
  /** From 0. */
  readonly version: number;
  readonly timestampMs: number;
}

const SCHEMAS_PER_TOPIC_MAX = 1000;
/** AutoConsume and its kin: the client asks for whatever there is. Not in PulsarApi.proto, but sent. */
const AUTO_TYPES_FROM = 21;

/** The schema of a command, or undefined where it says none: BYTES counts as none, as in Pulsar. */
export function schemaInfoOf(schema: Schema | undefined): SchemaInfo | undefined {
  if (schema === undefined || schema.type === SchemaType.None) return undefined;
  if (schema.type >= AUTO_TYPES_FROM) return undefined;
  const properties = Object.fromEntries(
    (schema.properties ?? []).map(({ key, value }) => [key, value]),
  );
  return { type: schema.type, data: schema.schemaData, properties };
}

/** A version as it travels: 8 bytes, big-endian. */
export function encodeVersion(version: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(version));
  return bytes;
}

/** The version of {@link encodeVersion}. */
export function decodeVersion(bytes: Uint8Array): number {
  if (bytes.length !== 8) {
    throw new BrokerError(`Cannot read schema version: ${bytes.length} bytes instead of 8`, {
      code: "invalid",
    });
  }
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
}

/** The schemas of all topics, by the name without partition. Read when first asked for. */
export class SchemaRegistry {
  readonly #topics = new Map<string, SchemaVersion[]>();
  /** One change at a time, or two producers could get the same version for different schemas. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly place: CatalogPlace,
    private readonly wallMs: () => number,
  ) {}

  #at(name: TopicName) {
    const base = parseTopicName(name.base);
    return {
      ...this.place,
      folder: `${this.place.folder}/schemas/${namespaceFolder(base.namespace)}`,
      name: `${encodeName(base.local)}.json`,
    };
  }

  /** All versions of a topic, oldest first. */
  versions(name: TopicName): readonly SchemaVersion[] {
    let versions = this.#topics.get(name.base);
    if (versions === undefined) {
      const stored = readDocument<readonly StoredSchema[]>(this.#at(name)) ?? [];
      versions = stored.map(({ type, data, properties, timestampMs }, version) => ({
        version,
        type,
        data: Uint8Array.fromBase64(data),
        properties,
        timestampMs,
      }));
      this.#topics.set(name.base, versions);
    }
    return versions;
  }

  /** One version, the latest where none is named. */
  get(name: TopicName, version?: number): SchemaVersion | undefined {
    const versions = this.versions(name);
    return version === undefined ? versions.at(-1) : versions[version];
  }

  /**
   * The version of a schema, registering it where it is new.
   *
   * @throws {BrokerError} `incompatible_schema`, `too_many_requests`
   */
  getOrCreate(name: TopicName, schema: SchemaInfo, strategy: Compatibility): Promise<number> {
    const result = this.#changing.then(() => this.#getOrCreate(name, schema, strategy));
    this.#changing = result.catch(() => {});
    return result;
  }

  async #getOrCreate(
    name: TopicName,
    schema: SchemaInfo,
    strategy: Compatibility,
  ): Promise<number> {
    const versions = this.versions(name);
    const known = this.find(name, schema);
    if (known !== undefined) return known;
    await assertCompatible(schema, versions, strategy);
    if (versions.length >= SCHEMAS_PER_TOPIC_MAX) {
      throw new BrokerError(`Cannot add schema: the topic has ${versions.length} already`, {
        code: "too_many_requests",
      });
    }
    const added = { ...schema, version: versions.length, timestampMs: this.wallMs() };
    const all = [...versions, added];
    const at = this.#at(name);
    this.place.disk.makeFolder(at.folder);
    const stored: StoredSchema[] = all.map(({ type, data, properties, timestampMs }) => ({
      type,
      data: data.toBase64(),
      properties,
      timestampMs,
    }));
    await writeDocument(at, stored);
    this.#topics.set(name.base, all);
    return added.version;
  }

  /** The version of a schema that is there byte for byte. */
  find(name: TopicName, schema: SchemaInfo): number | undefined {
    return this.versions(name)
      .find(({ type, data }) => type === schema.type && equalBytes(data, schema.data))?.version;
  }

  /**
   * Whether a consumer with this schema can read the topic; the first schema of a topic is registered by whoever comes first.
   *
   * @throws {BrokerError} `incompatible_schema`
   */
  async assertReadable(
    name: TopicName,
    schema: SchemaInfo,
    strategy: Compatibility,
  ): Promise<void> {
    const versions = this.versions(name);
    if (versions.length === 0) {
      await this.getOrCreate(name, schema, strategy);
      return;
    }
    if (this.find(name, schema) !== undefined) return;
    // As Pulsar: a consumer need only read what producers wrote.
    const forConsumer = strategy.startsWith("ALWAYS")
      ? strategy
      : strategy.endsWith("_TRANSITIVE")
      ? "BACKWARD_TRANSITIVE"
      : "BACKWARD";
    await assertCompatible(schema, versions, forConsumer);
  }

  /** Forgets all schemas of a topic. */
  remove(name: TopicName): void {
    const at = this.#at(name);
    this.place.disk.remove(`${at.folder}/${at.name}`);
    this.#topics.delete(name.base);
  }
}
