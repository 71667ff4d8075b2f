/**
 * A frame taken apart for people: every byte belongs to a field with a name. For pictures and diagnosis; the hot path has views of its own.
 */
import { type ByteField, hexOf, readUint32 } from "../../base/mod.ts";
import { splitBatch } from "./batch.ts";
import { commandType } from "./command.ts";
import { malformed } from "./errors.ts";
import { Frame } from "./frame.ts";
import type { Field, MessageTable } from "./message_table.ts";
import { MetadataView } from "./metadata.ts";
import { PayloadSection } from "./payload.ts";
import { ProtoReader } from "./proto_reader.ts";
import {
  BROKER_ENTRY_METADATA,
  COMMANDS,
  MESSAGE_METADATA,
  SINGLE_MESSAGE_METADATA,
} from "./pulsar_api.ts";

/** What {@link frameFields} finds. */
export interface FrameFields {
  /** In order, without gaps, from the frame's first byte to its last. */
  readonly fields: readonly ByteField[];
  /** First byte and one past the last of each message; empty where the payload is compressed or encrypted. */
  readonly messages: readonly (readonly [start: number, end: number])[];
}

/** Big-endian, as all sizes of a frame. */
const U32 = "u32";

/**
 * Where each field of a frame lies, and what it says.
 *
 * @param bytes one whole frame of any command
 * @throws {PulsarError} `malformed` with the offset
 *
 * @example
 * ```ts
 * import { encodeCommand, frameFields } from "./mod.ts";
 * import assert from "node:assert/strict";
 * const { fields } = frameFields(encodeCommand("PING", {}));
 * assert.deepEqual(fields.map(({ name }) => name), ["total size", "command size", "type", "PING size"]);
 * ```
 */
export function frameFields(bytes: Uint8Array): FrameFields {
  const frame = new Frame().read(bytes, 0, bytes.length);
  const list = new FieldList(bytes);
  const total = readUint32(bytes, 0);
  if (total !== bytes.length - 4) {
    throw malformed("frame", `${total} bytes announced, ${bytes.length - 4} there`, 0);
  }
  list.uint32("Pulsar frame", "total size", 0);
  list.uint32("Pulsar frame", "command size", 4);
  const type = commandType(frame.type);
  if (type === undefined) throw malformed("command", `type ${frame.type}`, frame.commandStart);
  list.command(type, frame);
  list.message(COMMANDS[type].table, "command", frame.bodyStart, frame.bodyEnd);
  if (frame.commandEnd === frame.end) return { fields: list.fields, messages: [] };
  return { fields: list.fields, messages: payloadFields(list, frame) };
}

function payloadFields(list: FieldList, { bytes, commandEnd, end }: Frame): [number, number][] {
  const section = new PayloadSection().read(bytes, commandEnd, end);
  if (section.entryStart > commandEnd) {
    list.hex("entry", "magic", commandEnd, commandEnd + 2);
    list.uint32("entry", "broker entry size", commandEnd + 2);
    const { brokerEntryStart, brokerEntryEnd } = section;
    list.message(BROKER_ENTRY_METADATA, "metadata", brokerEntryStart, brokerEntryEnd);
  }
  if (section.hasChecksum) {
    list.hex("entry", "magic", section.entryStart, section.entryStart + 2);
    list.add({
      name: "CRC-32C of all that follows",
      layer: "entry",
      start: section.entryStart + 2,
      end: section.checkedStart,
      type: U32,
      text: `0x${section.checksum.toString(16).padStart(8, "0")}`,
    });
  }
  list.uint32("entry", "metadata size", section.checkedStart);
  list.message(MESSAGE_METADATA, "metadata", section.metadataStart, section.metadataEnd);
  const metadata = new MetadataView().read(bytes, section.metadataStart, section.metadataEnd);
  if (metadata.compression !== 0 || metadata.isEncrypted) {
    list.hex("entry", "payload, not readable as it is", section.metadataEnd, end);
    return [];
  }
  if (metadata.isBatch) return batchFields(list, section.metadataEnd, end, metadata.messageCount);
  list.payload(section.metadataEnd, end);
  return [[section.metadataEnd, end]];
}

function batchFields(
  list: FieldList,
  start: number,
  end: number,
  messageCount: number,
): [number, number][] {
  const bounds = new Uint32Array(2 * messageCount);
  splitBatch(list.bytes, start, end, messageCount, bounds);
  let at = start;
  return Array.from({ length: messageCount }, (_, i): [number, number] => {
    const [from, to] = [bounds[2 * i]!, bounds[2 * i + 1]!];
    list.uint32("batch", "metadata size", at);
    list.message(SINGLE_MESSAGE_METADATA, "batch", at + 4, from);
    list.payload(from, to);
    at = to;
    return [from, to];
  });
}

class FieldList {
  readonly fields: ByteField[] = [];

  constructor(readonly bytes: Uint8Array) {}

  add(field: ByteField): void {
    if (field.end > field.start) this.fields.push(field);
  }

  uint32(layer: string, name: string, start: number): void {
    const text = String(readUint32(this.bytes, start));
    this.add({ name, layer, start, end: start + 4, type: U32, text });
  }

  hex(layer: string, name: string, start: number, end: number): void {
    const text = hexOf(this.bytes.subarray(start, Math.min(end, start + 16)));
    this.add({ name, layer, start, end, type: "bytes", text });
  }

  payload(start: number, end: number): void {
    const text = `${end - start} bytes, as the producer's schema says`;
    this.add({ name: "message", layer: "message", start, end, type: "bytes", text });
  }

  /** The BaseCommand around the body: its type, then tag and length of the field that holds the body. */
  command(name: string, { bytes, type, commandStart, bodyStart, bodyEnd }: Frame): void {
    const layer = "command";
    const reader = new ProtoReader().reset(bytes, commandStart, bodyStart);
    reader.nextField();
    reader.skip();
    const typeEnd = reader.position;
    const typeText = `${type}, ${name}`;
    this.add({
      name: "type",
      layer,
      start: commandStart,
      end: typeEnd,
      type: "enum",
      text: typeText,
    });
    const size = String(bodyEnd - bodyStart);
    const sizeName = `${name} size`;
    this.add({ name: sizeName, layer, start: typeEnd, end: bodyStart, type: "length", text: size });
  }

  /** Each field of a protobuf message together with its tag; those of a message inside are named after both. */
  message(
    table: MessageTable<unknown>,
    layer: string,
    start: number,
    end: number,
    prefix = "",
  ): void {
    const reader = new ProtoReader().reset(this.bytes, start, end);
    while (reader.position < end) {
      const from = reader.position;
      const number = reader.nextField();
      const field = table.byNumber.get(number);
      const name = prefix + (field === undefined ? `field ${number}` : snakeCase(field.name));
      if (field?.nested !== undefined) {
        const length = reader.length();
        const inner = reader.position;
        const text = String(length);
        this.add({
          name: `${name} size`,
          layer,
          start: from,
          end: inner,
          type: "tag, length",
          text,
        });
        this.message(field.nested(), layer, inner, inner + length, `${name}.`);
        reader.position = inner + length;
        continue;
      }
      const text = field === undefined ? unknownText(reader) : scalarText(field, reader);
      const type = `tag, ${field?.kind ?? "unknown"}`;
      this.add({ name, layer, start: from, end: reader.position, type, text });
    }
  }
}

function unknownText(reader: ProtoReader): string {
  reader.skip();
  return "not in this version of the protocol";
}

function scalarText(field: Field, reader: ProtoReader): string {
  switch (field.kind) {
    case "string":
      return JSON.stringify(reader.string());
    case "bytes":
      return hexOf(reader.view());
    case "bool":
      return String(reader.bool());
    case "double":
      return String(reader.double());
    case "bits64":
      return String(reader.bits64());
    case "int64":
    case "uint64": {
      const value = reader.int64();
      return field.name.endsWith("Time") && value > 1e12
        ? new Date(value).toISOString()
        : String(value);
    }
    default:
      return String(reader.int32());
  }
}

/** As PulsarApi.proto has it. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
