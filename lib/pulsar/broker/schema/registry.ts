import { SchemaType } from "../../wire/mod.ts";
import type { Schema } from "../../wire/mod.ts";
import { BrokerError } from "../errors.ts";
import { readDocument, removeDocument, writeDocument } from "../log/mod.ts";
import type { DocumentPlace } from "../log/mod.ts";
import { assertCompatible } from "./compatibility.ts";
import type { Compatibility } from "./compatibility.ts";
import { isSameSchema } from "./equality.ts";
import { isStoredType, schemaTypeName } from "./schema_type.ts";
import type { SchemaInfo } from "./schema_type.ts";
import { encodeName, namespaceFolder, parseTopicName } from "../topic_name.ts";
import type { TopicName } from "../topic_name.ts";

interface StoredSchema {
  readonly type: SchemaType;
  /** Base64. */
  readonly data: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly timestampMs: number;
  /** Everything up to this was deleted. */
  readonly isDeletion?: boolean;
}

/** A schema with its place among its topic's versions. */
export interface SchemaVersion extends SchemaInfo {
  /** From 0. */
  readonly version: number;
  readonly timestampMs: number;
  /** No schema: everything up to this was deleted, and versions go on behind it. */
  readonly isDeletion: boolean;
}

/** What decides whether a new schema may come. */
export interface SchemaRules {
  readonly strategy: Compatibility;
  /** Of its topic, what is about schemas. */
  readonly policies: { readonly isSchemaAutoUpdating: boolean; readonly isSchemaRequired: boolean };
}

const SCHEMAS_PER_TOPIC_MAX = 1000;
/** The schema of a command, or undefined where it says none: BYTES counts as none, as in Pulsar. */
export function schemaInfoOf(schema: Schema | undefined): SchemaInfo | undefined {
  if (schema === undefined || schema.type === SchemaType.None) return undefined;
  if (!isStoredType(schema.type)) return undefined;
  const properties = Object.fromEntries(
    (schema.properties ?? []).map(({ key, value }) => [key, value]),
  );
  return { type: schema.type, data: schema.schemaData, properties };
}

/** Whether a consumer reads whatever there is. */
export function readsAnySchema(schema: Schema | undefined): boolean {
  return schema?.type === SchemaType.AutoConsume;
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
  readonly #topics = new Map<string, readonly SchemaVersion[]>();
  /** One change at a time, or two producers could get the same version for different schemas. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly place: Omit<DocumentPlace, "name">,
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

  #all(name: TopicName): readonly SchemaVersion[] {
    let versions = this.#topics.get(name.base);
    if (versions === undefined) {
      const stored = readDocument<StoredSchema[]>(this.#at(name)) ?? [];
      versions = stored.map(({ type, data, properties, timestampMs, isDeletion }, version) => ({
        version,
        type,
        data: Uint8Array.fromBase64(data),
        properties,
        timestampMs,
        isDeletion: isDeletion ?? false,
      }));
      this.#topics.set(name.base, versions);
    }
    return versions;
  }

  /** All versions of a topic, oldest first. */
  versions(name: TopicName): readonly SchemaVersion[] {
    const all = this.#all(name);
    return all.slice(all.findLastIndex((one) => one.isDeletion) + 1);
  }

  /** One version, the latest where none is named. */
  get(name: TopicName, version?: number): SchemaVersion | undefined {
    const versions = this.versions(name);
    if (version === undefined) return versions.at(-1);
    return versions.find((one) => one.version === version);
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
    const known = this.find(name, schema);
    if (known !== undefined) return known;
    await assertCompatible(schema, this.versions(name), strategy);
    return await this.#add(name, { ...schema, isDeletion: false });
  }

  async #add(name: TopicName, schema: SchemaInfo & { readonly isDeletion: boolean }) {
    const before = this.#all(name);
    if (before.length >= SCHEMAS_PER_TOPIC_MAX) {
      throw new BrokerError(`Cannot add schema: the topic has ${before.length} already`, {
        code: "too_many_requests",
      });
    }
    const added = { ...schema, version: before.length, timestampMs: this.wallMs() };
    const all = [...before, added];
    const at = this.#at(name);
    this.place.disk.makeFolder(at.folder);
    const stored: StoredSchema[] = all.map((one) => ({
      type: one.type,
      data: one.data.toBase64(),
      properties: one.properties,
      timestampMs: one.timestampMs,
      ...(one.isDeletion ? { isDeletion: true } : {}),
    }));
    await writeDocument(at, stored);
    this.#topics.set(name.base, all);
    return added.version;
  }

  /**
   * The version of a producer's schema, registered where it is new and the policies let it.
   *
   * @param schema undefined for a producer without one, or who takes what there is
   * @returns undefined where no schema is said
   * @throws {BrokerError} `incompatible_schema`, `too_many_requests`, `disk_full`, `disk_error`
   */
  async admit(
    name: TopicName,
    schema: SchemaInfo | undefined,
    { strategy, policies }: SchemaRules,
  ): Promise<number | undefined> {
    if (schema === undefined) {
      if (!policies.isSchemaRequired || this.get(name) === undefined) return undefined;
      throw new BrokerError(
        "Producers cannot connect or send message without a schema to topics with a schema when SchemaValidationEnforced is enabled",
        { code: "incompatible_schema" },
      );
    }
    if (policies.isSchemaAutoUpdating) {
      return await this.getOrCreate(name, schema, strategy);
    }
    const known = this.find(name, schema);
    if (known !== undefined) return known;
    throw new BrokerError("Schema not found and schema auto updating is disabled.", {
      code: "incompatible_schema",
    });
  }

  /** The version of a schema that is there, perhaps in other words. */
  find(name: TopicName, { type, data }: SchemaInfo): number | undefined {
    return this.versions(name)
      .find((one) => one.type === type && isSameSchema(type, one.data, data))?.version;
  }

  /**
   * Whether a consumer with this schema can read the topic. On a topic that nobody uses, its schema is the first.
   *
   * @param isActive somebody is connected who says what the topic holds, or there are messages
   * @throws {BrokerError} `incompatible_schema`
   */
  async assertReadable(
    name: TopicName,
    schema: SchemaInfo,
    { strategy, isActive }: { readonly strategy: Compatibility; readonly isActive: boolean },
  ): Promise<void> {
    const versions = this.versions(name);
    if (versions.length > 0) {
      await assertCompatible(schema, versions, readingStrategy(strategy));
      return;
    }
    if (strategy === "ALWAYS_COMPATIBLE" && isActive) return;
    if (!isActive) {
      await this.getOrCreate(name, schema, strategy);
      return;
    }
    throw new BrokerError(
      `Failed to add schema to an active topic with empty(BYTES) schema: new schema type ${
        schemaTypeName(schema.type)
      }`,
      { code: "incompatible_schema" },
    );
  }

  /**
   * Deletes all versions of a topic's schema; later ones are counted behind them, so that no number ever means two schemas.
   *
   * @returns the version that stands for the deletion
   * @throws {BrokerError} `too_many_requests`, `disk_full`, `disk_error`
   */
  delete(name: TopicName): Promise<number> {
    const deletion = { type: SchemaType.None, data: new Uint8Array(0), properties: {} };
    const result = this.#changing.then(() => this.#add(name, { ...deletion, isDeletion: true }));
    this.#changing = result.catch(() => {});
    return result;
  }

  /**
   * Forgets all schemas of a topic, and their numbers.
   *
   * @throws {BrokerError} `disk_error`
   */
  remove(name: TopicName): Promise<void> {
    const result = this.#changing.then(() => {
      this.#topics.delete(name.base);
      return removeDocument(this.#at(name));
    });
    this.#changing = result.catch(() => {});
    return result;
  }
}

/** As Pulsar: where only the latest version counts, a consumer need only read what producers wrote. */
function readingStrategy(strategy: Compatibility): Compatibility {
  switch (strategy) {
    case "FULL":
    case "FORWARD":
    case "FORWARD_TRANSITIVE":
      return "BACKWARD";
    default:
      return strategy;
  }
}
