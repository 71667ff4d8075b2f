/**
 * Commands without a payload ("Simple commands" in Pulsar's binary protocol specification,
 * https://pulsar.apache.org/docs/next/developing-binary-protocol/#simple-commands).
 *
 *     [u32 total size][u32 command size][BaseCommand]
 *     BaseCommand = [08 type][tag of field `type`][length][the command itself]
 */
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { decodeMessage, encodeMessage } from "./message_codec.ts";
import { ProtoWriter } from "./proto_writer.ts";
import { type CommandBodies, COMMANDS } from "./pulsar_api.ts";

/** Names of the commands, as in `BaseCommand.Type`. */
export type CommandType = keyof CommandBodies;

/** A decoded command: its type and what it carries. */
export type Command = {
  readonly [Type in CommandType]: { readonly type: Type; readonly body: CommandBodies[Type] };
}[CommandType];

const TYPE_OF_NUMBER = new Map<number, CommandType>(
  Object.entries(COMMANDS).map(([type, { number }]) => [number, type as CommandType]),
);

/** The name of a command's number, or undefined for one that PulsarApi.proto does not have. */
export function commandType(number: number): CommandType | undefined {
  return TYPE_OF_NUMBER.get(number);
}

/**
 * The command in a frame.
 *
 * @returns undefined for a type that is not known: newer peers may send what an older one passes over
 * @throws {PulsarError} `malformed` with the offset
 */
export function decodeCommand(frame: Frame): Command | undefined {
  const type = TYPE_OF_NUMBER.get(frame.type);
  if (type === undefined) return undefined;
  const body = decodeMessage<unknown>(
    COMMANDS[type].table,
    frame.bytes,
    frame.bodyStart,
    frame.bodyEnd,
  );
  return { type, body } as Command;
}

/** The whole frame of a command without a payload. */
export function encodeCommand<Type extends CommandType>(
  type: Type,
  body: CommandBodies[Type],
): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  writeCommand(writer, type, body);
  writer.frame32(writer.length);
  return writer.finish();
}

/** Writes [u32 command size][BaseCommand] in front of what the writer holds. */
export function writeCommand<Type extends CommandType>(
  writer: ProtoWriter,
  type: Type,
  body: CommandBodies[Type],
): void {
  const { number, table } = COMMANDS[type];
  const before = writer.length;
  writer.uint32(encodeMessage(table, body, writer));
  closeCommand(writer, number, before);
}

/** Ends a command whose body and its length are written: tag, type and command size. `before` is the writer's length before the body. */
export function closeCommand(writer: ProtoWriter, number: number, before: number): void {
  writer.tag(number, 2);
  writer.uint32(number);
  writer.tag(1, 0);
  writer.frame32(writer.length - before);
}

/** The command of a frame if it is of this type. */
export function expectCommand<Type extends CommandType>(
  frame: Frame,
  type: Type,
): CommandBodies[Type] {
  if (frame.type !== COMMANDS[type].number) {
    throw malformed("command", `type ${frame.type} instead of ${type}`, frame.commandStart);
  }
  return decodeMessage(COMMANDS[type].table, frame.bytes, frame.bodyStart, frame.bodyEnd);
}
