import { equalBytes, textOf } from "../../../base/mod.ts";
import { SchemaType } from "../../wire/mod.ts";

/** AVRO's own types: names that stand for themselves. */
const PRIMITIVES: ReadonlySet<string> = new Set([
  ...["null", "boolean", "int", "long", "float", "double", "bytes", "string"],
  ...["record", "error", "enum", "array", "map", "fixed", "union"],
]);
/** Of a schema: what is said about it, not part of it. */
const REMARKS: ReadonlySet<string> = new Set(["doc", "aliases", "namespace"]);

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Whether a type's schema is AVRO's, as JSON text. */
export function hasAvroSchema(type: SchemaType): boolean {
  return type === SchemaType.Avro || type === SchemaType.Json || type === SchemaType.Protobuf;
}

/**
 * Whether two schemas of one type are the same: byte for byte, or the same AVRO however it is written. As in Pulsar, who asks with the same
 * schema in other words gets the version that is there.
 */
export function isSameSchema(type: SchemaType, a: Uint8Array, b: Uint8Array): boolean {
  if (equalBytes(a, b)) return true;
  if (!hasAvroSchema(type)) return false;
  try {
    return canonical(a) === canonical(b);
  } catch {
    // What is no JSON is the same only byte for byte.
    return false;
  }
}

function canonical(schema: Uint8Array): string {
  return JSON.stringify(normal(JSON.parse(textOf(schema)) as Json, ""));
}

function fullName(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

/** The schema with full names, sorted keys, and without remarks. */
function normal(schema: Json, namespace: string): Json {
  if (typeof schema === "string") {
    return PRIMITIVES.has(schema) ? schema : fullName(schema, namespace);
  }
  if (Array.isArray(schema)) return schema.map((branch) => normal(branch, namespace));
  if (typeof schema !== "object" || schema === null) return schema;
  return normalObject(schema as { readonly [key: string]: Json }, namespace);
}

function normalObject(schema: { readonly [key: string]: Json }, outer: string): Json {
  const given = typeof schema["name"] === "string" ? schema["name"] : undefined;
  const own = typeof schema["namespace"] === "string" ? schema["namespace"] : outer;
  const name = given === undefined ? undefined : fullName(given, own);
  const inner = name === undefined ? outer : name.slice(0, Math.max(0, name.lastIndexOf(".")));
  const keys = Object.keys(schema).filter((key) => !REMARKS.has(key)).sort();
  // `{"type": "int"}` is "int".
  if (keys.length === 1 && keys[0] === "type") return normal(schema["type"]!, outer);
  return keys.map((key) => {
    const value = schema[key]!;
    if (key === "name") return [key, name!];
    if (key === "type" || key === "items" || key === "values") return [key, normal(value, inner)];
    if (key === "fields" && Array.isArray(value)) {
      return [key, value.map((field) => normalField(field, inner))];
    }
    return [key, sorted(value)];
  });
}

function normalField(field: Json, namespace: string): Json {
  if (typeof field !== "object" || field === null || Array.isArray(field)) return field;
  const members = field as { readonly [key: string]: Json };
  return Object.keys(members).filter((key) => key !== "doc" && key !== "aliases").sort()
    .map((key) => [
      key,
      key === "type" ? normal(members[key]!, namespace) : sorted(members[key]!),
    ]);
}

function sorted(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, member]) => [key, sorted(member)]);
}
