/**
 * FLOW (11), from consumer to broker: how many more messages may come.
 *
 *     1 consumer_id · 2 messagePermits
 */
import { closeCommand } from "./command.ts";
import { malformed } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { ProtoReader } from "./proto_reader.ts";
import type { ProtoWriter } from "./proto_writer.ts";
import { COMMANDS } from "./pulsar_api.ts";

const reader = new ProtoReader();
const FLOW = COMMANDS.FLOW.number;

/** A FLOW command, read into the same object again and again. */
export class FlowView {
  consumerId = -1;
  messagePermits = 0;

  /** @throws {PulsarError} `malformed` with the offset */
  read(frame: Frame): this {
    reader.reset(frame.bytes, frame.bodyStart, frame.bodyEnd);
    let seen = 0;
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number <= 2) seen |= number;
      if (reader.wireType !== 0 || number > 2) reader.skip();
      else if (number === 1) this.consumerId = reader.int64();
      else this.messagePermits = reader.uint32();
    }
    if (seen !== 3) {
      throw malformed("FLOW", "consumer_id or messagePermits is missing", frame.bodyStart);
    }
    return this;
  }
}

/** Writes the whole frame in front of what the writer holds. */
export function writeFlow(writer: ProtoWriter, consumerId: number, messagePermits: number): void {
  const outer = writer.length;
  writer.uint32(messagePermits);
  writer.tag(2, 0);
  writer.int64(consumerId);
  writer.tag(1, 0);
  writer.uint32(writer.length - outer);
  closeCommand(writer, FLOW, outer);
  writer.frame32(writer.length - outer);
}
