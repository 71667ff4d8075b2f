/**
 * The outer frame ("Framing" in Pulsar's binary protocol specification,
 * https://pulsar.apache.org/docs/next/developing-binary-protocol/#framing).
 *
 *     [u32 total size][u32 command size][BaseCommand][payload section, see payload.ts]
 *      counts what follows it             of the command only; nothing follows in most commands
 */
import { readUint32 } from "../../base/mod.ts";
import { malformed } from "./errors.ts";
import { ProtoReader, WIRE_BYTES, WIRE_VARINT } from "./proto_reader.ts";

/** The largest message that a broker takes unless it says otherwise in CONNECTED. */
export const DEFAULT_MESSAGE_BYTES_MAX = 5 * 1024 * 1024;
/** What a frame may hold beside its message: commands and metadata (`MESSAGE_SIZE_FRAME_PADDING` in Pulsar's Commands.java). */
export const FRAME_PADDING_BYTES = 10 * 1024;
/** The largest total size of a frame. */
export const DEFAULT_FRAME_BYTES_MAX = DEFAULT_MESSAGE_BYTES_MAX + FRAME_PADDING_BYTES;

const reader = new ProtoReader();

/** One frame in place: offsets into `bytes`. */
export class Frame {
  bytes: Uint8Array = new Uint8Array(0);
  /** First byte of the frame, its total size. */
  start = 0;
  commandStart = 0;
  commandEnd = 0;
  /** One past the frame's last byte; the payload section is `bytes[commandEnd..end)`. */
  end = 0;
  /** Number of the command's type. */
  type = 0;
  /** The command itself, without the BaseCommand around it. */
  bodyStart = 0;
  bodyEnd = 0;

  /**
   * Reads the frame at `bytes[start..end)`, which must be whole.
   *
   * @throws {PulsarError} `malformed` with the offset
   */
  read(bytes: Uint8Array, start: number, end: number): this {
    if (end - start < 8) throw malformed("frame", `${end - start} bytes`, start);
    const commandBytes = readUint32(bytes, start + 4);
    if (commandBytes > end - start - 8) {
      throw malformed(
        "frame",
        `a command of ${commandBytes} bytes in a frame of ${end - start - 4}`,
        start + 4,
      );
    }
    this.bytes = bytes;
    this.start = start;
    this.commandStart = start + 8;
    this.commandEnd = start + 8 + commandBytes;
    this.end = end;
    this.#readCommand();
    return this;
  }

  #readCommand(): void {
    this.type = 0;
    this.bodyStart = this.bodyEnd = -1;
    reader.reset(this.bytes, this.commandStart, this.commandEnd);
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (number === 1) {
        reader.expect(WIRE_VARINT);
        this.type = reader.uint32();
      } else if (number === this.type) {
        reader.expect(WIRE_BYTES);
        const length = reader.length();
        this.bodyStart = reader.position;
        this.bodyEnd = reader.position + length;
        reader.position = this.bodyEnd;
      } else {
        reader.skip();
      }
    }
    if (this.type === 0) throw malformed("command", "no type", this.commandStart);
    if (this.bodyStart < 0) {
      throw malformed("command", `no body of type ${this.type}`, this.commandStart);
    }
  }
}
