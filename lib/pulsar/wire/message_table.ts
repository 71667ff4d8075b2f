/**
 * How a protobuf message is described to the codec in message_codec.ts: a row a field.
 *
 * Why not a library: `@bufbuild/protobuf` took 36–54 ms and 17 MB at start, for a broker that may take 30 MB in all; tables of our own take
 * about 2 ms. The library is the oracle in the tests.
 */

/** Types of fields in use. 64-bit integers are numbers, see `ProtoReader.int64`, except bit sets and request ids (`bits64`). */
export type FieldKind =
  | "bits64"
  | "bool"
  | "bytes"
  | "double"
  | "enum"
  | "int32"
  | "int64"
  | "message"
  | "string"
  | "uint32"
  | "uint64";

/** Must be there. */
export const REQUIRED = 0;
/** May be there. */
export const OPTIONAL = 1;
/** May be there any number of times. */
export const REPEATED = 2;

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly name: string;
  readonly kind: FieldKind;
  readonly presence: typeof REQUIRED | typeof OPTIONAL | typeof REPEATED;
  /** The message's own table; a function, because messages may hold themselves. */
  readonly nested: (() => MessageTable<unknown>) | undefined;
  /** The numbers that an enum has; undefined where every number is taken. */
  readonly values?: ReadonlySet<number>;
}

/** A message and its fields in ascending order of their numbers, which is how they are written. */
export interface MessageTable<T> {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** Never there: carries the type only. */
  readonly __type?: T;
}

/** A row of a table. */
export function field(
  number: number,
  name: string,
  kind: FieldKind,
  presence: Field["presence"],
  nested?: () => MessageTable<unknown>,
): Field {
  return { number, name, kind, presence, nested };
}

/** A row of an enum, of which only its own values are taken. */
export function oneOf(
  number: number,
  name: string,
  presence: Field["presence"],
  values: Readonly<Record<string, number>>,
): Field {
  return {
    number,
    name,
    kind: "enum",
    presence,
    nested: undefined,
    values: new Set(Object.values(values)),
  };
}

/** A table of fields. */
export function table<T>(name: string, fields: readonly Field[]): MessageTable<T> {
  const ordered = [...fields].sort((a, b) => a.number - b.number);
  return { name, fields: ordered, byNumber: new Map(ordered.map((row) => [row.number, row])) };
}
