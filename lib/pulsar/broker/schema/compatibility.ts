import type avsc from "avsc";
import { messageOf, textOf } from "../../../base/mod.ts";
import { alignRecordNames, SchemaType } from "../../wire/mod.ts";
import type { NamedType } from "../../wire/mod.ts";
import { BrokerError } from "../errors.ts";
import { hasAvroSchema, isSameSchema } from "./equality.ts";
import { splitKeyValueSchema } from "./key_value.ts";
import { rootMessageOf } from "./protobuf_native.ts";
import { schemaTypeName } from "./schema_type.ts";
import type { SchemaInfo } from "./schema_type.ts";

/** Which of two schemas must read what the other wrote, by Pulsar's names. */
export const COMPATIBILITY = [
  "FULL",
  "BACKWARD",
  "FORWARD",
  "FULL_TRANSITIVE",
  "BACKWARD_TRANSITIVE",
  "FORWARD_TRANSITIVE",
  "ALWAYS_COMPATIBLE",
  "ALWAYS_INCOMPATIBLE",
] as const;
/** One of {@link COMPATIBILITY}. */
export type Compatibility = (typeof COMPATIBILITY)[number];

/** Loaded when the first schema comes: most of the time there is none, and it takes 5 MB. */
async function loadAvsc(): Promise<typeof avsc> {
  return (await import("avsc")).default;
}

function parse({ Type }: typeof avsc, data: Uint8Array): avsc.Type {
  try {
    // Names of Java's inner classes have a sign that AVRO's names cannot have.
    return Type.forSchema(JSON.parse(textOf(data).replaceAll("$", "_")));
  } catch (error) {
    throw new BrokerError(`Cannot read schema: ${messageOf(error)}`, {
      code: "incompatible_schema",
      cause: error,
    });
  }
}

/**
 * AVRO's rules of schema resolution (Apache Avro specification, "Schema Resolution"), as avsc has them, but that records may have other
 * names, as with Java's library.
 */
function assertReads(
  library: typeof avsc,
  [readerData, writerData]: readonly [Uint8Array, Uint8Array],
  strategy: Compatibility,
): void {
  const [reader, writer] = [parse(library, readerData), parse(library, writerData)];
  alignRecordNames(reader as unknown as NamedType, writer as unknown as NamedType);
  try {
    reader.createResolver(writer);
  } catch (error) {
    throw new BrokerError(
      `Error during schema compatibility check with strategy ${strategy}: ${messageOf(error)}`,
      { code: "incompatible_schema", cause: error },
    );
  }
}

/**
 * Whether a new schema may follow those that a topic has. One that is there already always may.
 *
 * @param candidate the new one
 * @param existing all versions, oldest first
 * @throws {BrokerError} `incompatible_schema`
 */
export async function assertCompatible(
  candidate: SchemaInfo,
  existing: readonly SchemaInfo[],
  strategy: Compatibility,
): Promise<void> {
  await assertReadable(candidate);
  const latest = existing.at(-1);
  if (latest === undefined || strategy === "ALWAYS_COMPATIBLE") return;
  const others = strategy.endsWith("_TRANSITIVE") ? existing : [latest];
  for (const other of others) await assertPair(candidate, other, strategy);
}

/** Whether the schema is one at all. */
async function assertReadable(schema: SchemaInfo): Promise<void> {
  if (schema.type === SchemaType.KeyValue) {
    const { key, value } = splitKeyValueSchema(schema);
    await assertReadable(key);
    await assertReadable(value);
  } else if (hasAvroSchema(schema.type)) {
    parse(await loadAvsc(), schema.data);
  } else if (schema.type === SchemaType.ProtobufNative) {
    rootMessageOf(schema.data);
  }
}

async function assertPair(
  candidate: SchemaInfo,
  other: SchemaInfo,
  strategy: Compatibility,
): Promise<void> {
  if (other.type !== candidate.type) {
    throw new BrokerError(
      `Incompatible schema: exists schema type ${schemaTypeName(other.type)}, new schema type ${
        schemaTypeName(candidate.type)
      }`,
      { code: "incompatible_schema" },
    );
  }
  if (isSameSchema(candidate.type, candidate.data, other.data)) return;
  if (strategy === "ALWAYS_INCOMPATIBLE") {
    throw new BrokerError("Incompatible schema: the namespace allows no change", {
      code: "incompatible_schema",
    });
  }
  if (candidate.type === SchemaType.KeyValue) {
    const [ours, theirs] = [splitKeyValueSchema(candidate), splitKeyValueSchema(other)];
    await assertPair(ours.key, theirs.key, strategy);
    await assertPair(ours.value, theirs.value, strategy);
  } else if (hasAvroSchema(candidate.type)) {
    const library = await loadAvsc();
    const [ours, theirs] = [candidate.data, other.data];
    if (!strategy.startsWith("FORWARD")) assertReads(library, [ours, theirs], strategy);
    if (!strategy.startsWith("BACKWARD")) assertReads(library, [theirs, ours], strategy);
  } else if (candidate.type === SchemaType.ProtobufNative) {
    assertSameRoot([other.data, candidate.data], strategy);
  }
}

/** As Pulsar, which leaves the fields of a message to its applications. */
function assertSameRoot(
  [before, after]: readonly [Uint8Array, Uint8Array],
  strategy: Compatibility,
): void {
  const [from, to] = [rootMessageOf(before), rootMessageOf(after)];
  if (from === to) return;
  throw new BrokerError(
    `Protobuf root message change is not allowed under the '${strategy}' strategy. Original message name: '${from}', new message name: '${to}'.`,
    { code: "incompatible_schema" },
  );
}
