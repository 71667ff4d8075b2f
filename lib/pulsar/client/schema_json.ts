import { messageOf, textOf, utf8 } from "../../base/mod.ts";
import type { Schema } from "./schema.ts";
import { avroType, definitionText, shortName } from "./schema_avro.ts";
import { schemaMismatch } from "./schema_primitives.ts";
import { SchemaType } from "../wire/mod.ts";

/**
 * JSON text; the definition, AVRO's, is what the broker checks compatibility by. Fields are found by name, so versions need nothing else.
 *
 * @throws {PulsarError} `schema_mismatch` when the definition is no AVRO schema
 */
export function jsonSchema<T>(definition: object | string, name?: string): Schema<T> {
  const text = definitionText(definition);
  const info = {
    name: name ?? shortName(avroType(text)),
    type: SchemaType.Json,
    schemaData: utf8(text),
    properties: [],
  };
  return {
    info,
    encode(value) {
      try {
        const json = JSON.stringify(value) as string | undefined;
        if (json !== undefined) return utf8(json);
      } catch (error) {
        throw schemaMismatch("encode", messageOf(error));
      }
      throw schemaMismatch("encode", `${value} has no JSON`);
    },
    decode(bytes) {
      try {
        return JSON.parse(textOf(bytes)) as T;
      } catch (error) {
        throw schemaMismatch("decode", messageOf(error));
      }
    },
  };
}
