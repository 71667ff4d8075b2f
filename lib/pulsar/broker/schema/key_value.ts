import { concatBytes, readUint32, textOf, utf8, writeUint32 } from "../../../base/mod.ts";
import { BrokerError } from "../errors.ts";
import { schemaTypeOf } from "./schema_type.ts";
import type { SchemaInfo } from "./schema_type.ts";

const SIZE_BYTES = 4;
/** Length of what is not there. */
const NOTHING = 0xffff_ffff;

/**
 * The two schemas of a KEY_VALUE schema (Pulsar: KeyValueSchemaInfo).
 *
 *     data: [u32 length][key's schema][u32 length][value's schema]
 *     properties: key.schema.type, value.schema.type, …
 *
 * @throws {BrokerError} `incompatible_schema`
 */
export function splitKeyValueSchema({ data, properties }: SchemaInfo): {
  readonly key: SchemaInfo;
  readonly value: SchemaInfo;
} {
  const keyEnd = endOf(data, 0);
  const valueEnd = endOf(data, keyEnd);
  return {
    key: part(data.subarray(SIZE_BYTES, keyEnd), properties, "key"),
    value: part(data.subarray(keyEnd + SIZE_BYTES, valueEnd), properties, "value"),
  };
}

/**
 * Both schemas as one JSON text, as the admin interface shows them: `{"key":…,"value":…}`, each AVRO or an empty text.
 *
 * @throws {BrokerError} `incompatible_schema`
 */
export function keyValueText(schema: SchemaInfo): string {
  const { key, value } = splitKeyValueSchema(schema);
  const textIn = (part: SchemaInfo) => part.data.length === 0 ? '""' : textOf(part.data);
  return `{"key":${textIn(key)},"value":${textIn(value)}}`;
}

/**
 * The data of {@link keyValueText}.
 *
 * @throws {BrokerError} `invalid`
 */
export function keyValueData(text: string): Uint8Array<ArrayBuffer> {
  const parts = ["key", "value"].map((which) => {
    const part = (parsed(text) as Record<string, unknown> | null)?.[which];
    return part === undefined || part === "" ? new Uint8Array(0) : utf8(JSON.stringify(part));
  });
  return concatBytes(parts.flatMap((part) => {
    const size = new Uint8Array(SIZE_BYTES);
    writeUint32(size, 0, part.length);
    return [size, part];
  }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BrokerError("A KEY_VALUE schema must be JSON with key and value", {
      code: "invalid",
      cause: error,
    });
  }
}

function endOf(data: Uint8Array, at: number): number {
  if (at + SIZE_BYTES > data.length) throw torn();
  const length = readUint32(data, at);
  const end = at + SIZE_BYTES + (length === NOTHING ? 0 : length);
  if (end > data.length) throw torn();
  return end;
}

function torn(): BrokerError {
  return new BrokerError("Cannot read schema: KEY_VALUE does not hold two schemas", {
    code: "incompatible_schema",
  });
}

function part(
  data: Uint8Array,
  properties: SchemaInfo["properties"],
  which: "key" | "value",
): SchemaInfo {
  const text = properties[`${which}.schema.properties`] ?? "{}";
  const type = properties[`${which}.schema.type`] ?? "BYTES";
  return { type: schemaTypeOf(type), data, properties: propertiesOf(text) };
}

function propertiesOf(text: string): SchemaInfo["properties"] {
  try {
    return JSON.parse(text) as SchemaInfo["properties"];
  } catch (error) {
    throw new BrokerError("Cannot read schema: its properties are not JSON", {
      code: "incompatible_schema",
      cause: error,
    });
  }
}
