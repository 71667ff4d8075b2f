/** Schemas: the versions of each topic, and which of them go together. */
export { assertCompatible, COMPATIBILITY } from "./compatibility.ts";
export type { Compatibility } from "./compatibility.ts";
export { keyValueData, keyValueText } from "./key_value.ts";
export {
  decodeVersion,
  encodeVersion,
  readsAnySchema,
  schemaInfoOf,
  SchemaRegistry,
} from "./registry.ts";
export type { SchemaVersion } from "./registry.ts";
export { schemaTypeName, schemaTypeOf } from "./schema_type.ts";
export type { SchemaInfo } from "./schema_type.ts";
