/** Any message of PulsarApi.proto, by its table: for the commands that come once in a while. The hot ones have files of their own. */
import { malformed } from "./errors.ts";
import { type Field, type MessageTable, REPEATED, REQUIRED } from "./message_table.ts";
import { ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";

/** Messages hold themselves at most once in Pulsar; a forged one must not exhaust the stack. */
const DEPTH_MAX = 16;

type Fields = Record<string, unknown>;

/**
 * Reads a message from `bytes[start..end)`. Byte fields are copies; fields that are not known are passed over,
 * and so are numbers that an enum does not have.
 *
 * @throws {PulsarError} `malformed` with the offset
 */
export function decodeMessage<T>(
  table: MessageTable<T>,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): T {
  return decodeFields(table, new ProtoReader().reset(bytes, start, end), 0) as T;
}

function decodeFields(table: MessageTable<unknown>, reader: ProtoReader, depth: number): Fields {
  if (depth > DEPTH_MAX) throw malformed(table.name, "nested too deeply", reader.position);
  const fields: Fields = {};
  for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
    const field = table.byNumber.get(number);
    if (field === undefined) reader.skip();
    else if (field.presence === REPEATED) decodeRepeated(field, reader, fields, depth);
    else {
      const value = decodeValue(field, reader, depth);
      // As Pulsar's own codec: a number that an enum does not have leaves its field as if it had not come.
      if (field.values?.has(value as number) !== false) fields[field.name] = value;
    }
  }
  for (const field of table.fields) {
    if (field.presence === REQUIRED && !(field.name in fields)) {
      throw malformed(table.name, `field ${field.number} (${field.name}) is missing`, reader.end);
    }
  }
  return fields;
}

function decodeRepeated(field: Field, reader: ProtoReader, fields: Fields, depth: number): void {
  const list = (fields[field.name] ??= []) as unknown[];
  const scalar = wireTypeOf(field) === WIRE_VARINT;
  if (!scalar || reader.wireType !== WIRE_BYTES) {
    list.push(decodeValue(field, reader, depth));
    return;
  }
  // Packed: some encoders write all values of a list behind one length.
  const outerEnd = reader.end;
  const length = reader.length();
  reader.end = reader.position + length;
  while (reader.position < reader.end) list.push(scalarOf(field, reader));
  reader.end = outerEnd;
}

function decodeValue(field: Field, reader: ProtoReader, depth: number): unknown {
  reader.expect(wireTypeOf(field));
  if (field.kind !== "message") return scalarOf(field, reader);
  const outerEnd = reader.end;
  const length = reader.length();
  reader.end = reader.position + length;
  const value = decodeFields(field.nested!(), reader, depth + 1);
  reader.end = outerEnd;
  return value;
}

function scalarOf(field: Field, reader: ProtoReader): unknown {
  switch (field.kind) {
    case "bool":
      return reader.bool();
    case "enum":
    case "int32":
      return reader.int32();
    case "uint32":
      return reader.uint32();
    case "int64":
    case "uint64":
      return reader.int64();
    case "bits64":
      return reader.bits64();
    case "double":
      return reader.double();
    case "string":
      return reader.string();
    default:
      return reader.view().slice();
  }
}

function wireTypeOf(field: Field): number {
  switch (field.kind) {
    case "bytes":
    case "message":
    case "string":
      return WIRE_BYTES;
    case "double":
      return WIRE_FIXED64;
    default:
      return WIRE_VARINT;
  }
}

/** Writes a message in front of what the writer holds; returns how many bytes it took. */
export function encodeMessage<T>(table: MessageTable<T>, value: T, writer: ProtoWriter): number {
  const before = writer.length;
  const fields = value as Fields;
  for (let i = table.fields.length - 1; i >= 0; i--) {
    const field = table.fields[i]!;
    const content = fields[field.name];
    if (content === undefined) continue;
    if (field.presence !== REPEATED) {
      encodeField(field, content, writer);
      continue;
    }
    const list = content as readonly unknown[];
    for (let j = list.length - 1; j >= 0; j--) encodeField(field, list[j], writer);
  }
  return writer.length - before;
}

function encodeField(field: Field, value: unknown, writer: ProtoWriter): void {
  switch (field.kind) {
    case "bool":
      writer.uint32(value === true ? 1 : 0);
      break;
    case "enum":
    case "int32":
      writer.int32(value as number);
      break;
    case "uint32":
      writer.uint32(value as number);
      break;
    case "int64":
    case "uint64":
      writer.int64(value as number);
      break;
    case "bits64":
      writer.bits64(value as bigint);
      break;
    case "double":
      writer.double(value as number);
      break;
    case "string":
      writer.string(value as string);
      break;
    case "bytes":
      writer.raw(value as Uint8Array);
      writer.uint32((value as Uint8Array).length);
      break;
    case "message":
      writer.uint32(encodeMessage(field.nested!(), value, writer));
      break;
  }
  writer.tag(field.number, wireTypeOf(field));
}
