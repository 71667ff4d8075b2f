import type avsc from "avsc";
import { messageOf } from "../../base/mod.ts";
import { SchemaType } from "../wire/mod.ts";
import { BrokerError } from "./errors.ts";

/** A schema as clients send it. */
export interface SchemaInfo {
  readonly type: SchemaType;
  /** AVRO and JSON: the AVRO schema as JSON text. */
  readonly data: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
}

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

const NAMES = new Map<number, string>(
  Object.entries(SchemaType).map(([name, number]) => [number, name]),
);

/** Pulsar's name of a schema's type, e.g. `AVRO` or `KEY_VALUE`. */
export function schemaTypeName(type: SchemaType): string {
  const name = NAMES.get(type) ?? "NONE";
  return name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
}

/** The type of {@link schemaTypeName}. */
export function schemaTypeOf(name: string): SchemaType {
  for (const [number] of NAMES) {
    if (schemaTypeName(number as SchemaType) === name.toUpperCase()) return number as SchemaType;
  }
  throw new BrokerError(`Unknown schema type ${JSON.stringify(name)}`, { code: "invalid" });
}

function isAvro(type: SchemaType): boolean {
  return type === SchemaType.Avro || type === SchemaType.Json;
}

/** Loaded when the first schema comes: most of the time there is none, and it takes 5 MB. */
async function loadAvsc(): Promise<typeof avsc> {
  return (await import("avsc")).default;
}

function parse({ Type }: typeof avsc, data: Uint8Array): avsc.Type {
  try {
    return Type.forSchema(JSON.parse(new TextDecoder().decode(data)));
  } catch (error) {
    throw new BrokerError(`Cannot read schema: ${messageOf(error)}`, {
      code: "incompatible_schema",
      cause: error,
    });
  }
}

/** AVRO's rules of schema resolution (Apache Avro specification, "Schema Resolution"), as avsc has them. */
function assertReads(reader: avsc.Type, writer: avsc.Type, strategy: Compatibility): void {
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
 * Whether a new schema may follow those that a topic has.
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
  const library = isAvro(candidate.type) ? await loadAvsc() : undefined;
  const type = library && parse(library, candidate.data);
  const latest = existing.at(-1);
  if (latest === undefined || strategy === "ALWAYS_COMPATIBLE") return;
  if (latest.type !== candidate.type) {
    throw new BrokerError(
      `Incompatible schema: exists schema type ${schemaTypeName(latest.type)}, new schema type ${
        schemaTypeName(candidate.type)
      }`,
      { code: "incompatible_schema" },
    );
  }
  if (strategy === "ALWAYS_INCOMPATIBLE") {
    throw new BrokerError("Incompatible schema: the namespace allows no change", {
      code: "incompatible_schema",
    });
  }
  if (library === undefined || type === undefined) return;
  for (const { data } of strategy.endsWith("_TRANSITIVE") ? existing : [latest]) {
    const other = parse(library, data);
    if (!strategy.startsWith("FORWARD")) assertReads(type, other, strategy);
    if (!strategy.startsWith("BACKWARD")) assertReads(other, type, strategy);
  }
}
