/** Random messages of PulsarApi.proto, written by another library: what our codec is judged by. */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import { BaseCommandSchema, file_pulsar_api } from "./pulsar_api_pb.ts";

/** The property tests' seed; a failure prints it, too. */
export const SEED = 20_260_401;

const SAFE = 2n ** 53n - 1n;
/** What is written as a number: up to 2^53, and the two values that mean "unset" and "latest". */
const counted = fc.oneof(
  fc.bigInt({ min: 0n, max: SAFE }),
  fc.constantFrom(0n, 127n, 128n, 2n ** 28n, 2n ** 35n - 1n, 2n ** 64n - 1n, 2n ** 63n - 1n),
);
const signed = fc.bigInt({ min: -SAFE, max: SAFE });
const exact = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const SCALARS: Readonly<Record<number, fc.Arbitrary<unknown>>> = {
  1: fc.double({ noNaN: true }),
  3: signed,
  4: counted,
  5: fc.integer(),
  8: fc.boolean(),
  9: fc.string({ unit: "grapheme", maxLength: 20 }),
  12: fc.uint8Array({ maxLength: 300 }),
  13: fc.nat(),
};

function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.enum !== undefined) {
    return fc.constantFrom(...field.enum.values.map((value) => value.number));
  }
  if (field.message !== undefined) return fieldsOf(field.message, depth + 1);
  if (field.name === "request_id") return exact;
  if (field.name === "ack_set") return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  return SCALARS[field.scalar!]!;
}

function fieldsOf(message: DescMessage, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  const required: string[] = [];
  for (const field of message.fields) {
    if (field.message !== undefined && depth > 2) continue;
    const value = valueOf(field, depth);
    model[field.localName] = field.fieldKind === "list" ? fc.array(value, { maxLength: 3 }) : value;
    if (field.presence === 3) required.push(field.localName);
  }
  return fc.record(model, { requiredKeys: required });
}

/** Random messages of one type as the library writes them. */
export function bytesOfMessage(name: string): fc.Arbitrary<Uint8Array> {
  const schema = [...file_pulsar_api.messages].find((message) => message.name === name)!;
  return fieldsOf(schema, 0).map((fields) => toBinary(schema, create(schema, fields) as Message));
}

/** Random commands: their type's name and a BaseCommand as the library writes it. */
export const anyCommand: fc.Arbitrary<{ readonly type: string; readonly bytes: Uint8Array }> = fc
  .constantFrom(...BaseCommandSchema.nestedEnums[0]!.values)
  .chain((value) => {
    const field = BaseCommandSchema.fields.find((candidate) => candidate.number === value.number)!;
    return fieldsOf(field.message!, 0).map((body) => {
      const command = create(BaseCommandSchema, { type: value.number, [field.localName]: body });
      return { type: value.name, bytes: toBinary(BaseCommandSchema, command) };
    });
  });

/** The frame around a BaseCommand. */
export function frameAround(command: Uint8Array, payload = new Uint8Array(0)): Uint8Array {
  const frame = new Uint8Array(8 + command.length + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, frame.length - 4);
  view.setUint32(4, command.length);
  frame.set(command, 8);
  frame.set(payload, 8 + command.length);
  return frame;
}
