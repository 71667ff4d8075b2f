import type { SchemaInfo } from "./schema.ts";
import { PulsarError, SchemaType } from "../wire/mod.ts";

/** Names of the types as Java has them, which stand in the properties of a KEY_VALUE schema. */
const NAMES: readonly (readonly [string, SchemaType])[] = [
  ["BYTES", SchemaType.None],
  ["STRING", SchemaType.String],
  ["JSON", SchemaType.Json],
  ["PROTOBUF", SchemaType.Protobuf],
  ["AVRO", SchemaType.Avro],
  ["BOOLEAN", SchemaType.Bool],
  ["INT8", SchemaType.Int8],
  ["INT16", SchemaType.Int16],
  ["INT32", SchemaType.Int32],
  ["INT64", SchemaType.Int64],
  ["FLOAT", SchemaType.Float],
  ["DOUBLE", SchemaType.Double],
  ["DATE", SchemaType.Date],
  ["TIME", SchemaType.Time],
  ["TIMESTAMP", SchemaType.Timestamp],
  ["KEY_VALUE", SchemaType.KeyValue],
  ["INSTANT", SchemaType.Instant],
  ["LOCAL_DATE", SchemaType.LocalDate],
  ["LOCAL_TIME", SchemaType.LocalTime],
  ["LOCAL_DATE_TIME", SchemaType.LocalDateTime],
  ["PROTOBUF_NATIVE", SchemaType.ProtobufNative],
  ["NONE", SchemaType.None],
];

/** The protocol version since which consumers say that they read whatever there is. */
export const AUTO_CONSUME_PROTOCOL = 21;
/** How they say it, as Java's client does. */
export const AUTO_CONSUME_INFO: SchemaInfo = {
  name: "AutoConsume",
  type: SchemaType.AutoConsume,
  schemaData: new Uint8Array(0),
  properties: [],
};

/** What Java calls the type of a schema. */
export function schemaTypeName({ type }: SchemaInfo): string {
  return NAMES.find(([, number]) => number === type)?.[0] ?? String(type);
}

/** @throws {PulsarError} `not_supported` when there is no such type */
export function schemaTypeNumber(name: string): SchemaType {
  const found = NAMES.find(([candidate]) => candidate === name);
  if (found !== undefined) return found[1];
  throw new PulsarError(`Cannot use schema: its type ${JSON.stringify(name)} is not known`, {
    code: "not_supported",
  });
}
