import { SchemaType } from "../../wire/mod.ts";
import { BrokerError } from "../errors.ts";

/** A schema as clients send it. */
export interface SchemaInfo {
  readonly type: SchemaType;
  /** AVRO and JSON: the AVRO schema as JSON text. */
  readonly data: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
}

const NAMES = new Map<number, string>(
  Object.entries(SchemaType).map(([name, number]) => [number, name]),
);

/** Names that the protocol and the rest of Pulsar do not agree on. */
const RENAMED: Readonly<Record<string, string>> = { BOOL: "BOOLEAN" };

/** Whether schemas of this type are kept: who says AutoConsume asks for whatever there is, and External is kept elsewhere. */
export function isStoredType(type: SchemaType): boolean {
  return type < SchemaType.AutoConsume;
}

/** Pulsar's name of a schema's type, e.g. `AVRO` or `KEY_VALUE`. */
export function schemaTypeName(type: SchemaType): string {
  const name = NAMES.get(type) ?? "NONE";
  const words = name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
  return RENAMED[words] ?? words;
}

/** The type of {@link schemaTypeName}; plain bytes count as no schema. */
export function schemaTypeOf(name: string): SchemaType {
  if (name.toUpperCase() === "BYTES") return SchemaType.None;
  for (const type of Object.values(SchemaType)) {
    if (isStoredType(type) && schemaTypeName(type) === name.toUpperCase()) return type;
  }
  throw new BrokerError(`Unknown schema type ${JSON.stringify(name)}`, { code: "invalid" });
}
