/**
 * A TCP proxy on loopback that writes down what a Pulsar client and a broker say to each other, frame by frame.
 *
 *     frame:   [total size: u32 big-endian][that many bytes]
 *     inside:  [command size: u32][command][headers and payload, if any]
 *
 * It knows no more of the protocol than this and the first field of a command, its type; so what it
 * records can judge the code that knows the rest.
 *
 * @module
 */
import { hexOf, readUint32 } from "../../lib/base/mod.ts";

/** One frame, as it was seen. */
export interface RecordedFrame {
  readonly from: "client" | "broker";
  /** Numbers the client's connections from 0, in the order in which they were opened. */
  readonly connection: number;
  /** Name of the command, for people. */
  readonly command: string;
  /** The whole frame with its total size. */
  readonly hex: string;
}

/** Names of `BaseCommand.Type`, PulsarApi.proto at protocol version 21. */
const COMMAND_NAMES: Readonly<Record<number, string>> = {
  2: "CONNECT",
  3: "CONNECTED",
  4: "SUBSCRIBE",
  5: "PRODUCER",
  6: "SEND",
  7: "SEND_RECEIPT",
  8: "SEND_ERROR",
  9: "MESSAGE",
  10: "ACK",
  11: "FLOW",
  12: "UNSUBSCRIBE",
  13: "SUCCESS",
  14: "ERROR",
  15: "CLOSE_PRODUCER",
  16: "CLOSE_CONSUMER",
  17: "PRODUCER_SUCCESS",
  18: "PING",
  19: "PONG",
  20: "REDELIVER_UNACKNOWLEDGED_MESSAGES",
  21: "PARTITIONED_METADATA",
  22: "PARTITIONED_METADATA_RESPONSE",
  23: "LOOKUP",
  24: "LOOKUP_RESPONSE",
  25: "CONSUMER_STATS",
  26: "CONSUMER_STATS_RESPONSE",
  27: "REACHED_END_OF_TOPIC",
  28: "SEEK",
  29: "GET_LAST_MESSAGE_ID",
  30: "GET_LAST_MESSAGE_ID_RESPONSE",
  31: "ACTIVE_CONSUMER_CHANGE",
  32: "GET_TOPICS_OF_NAMESPACE",
  33: "GET_TOPICS_OF_NAMESPACE_RESPONSE",
  34: "GET_SCHEMA",
  35: "GET_SCHEMA_RESPONSE",
  36: "AUTH_CHALLENGE",
  37: "AUTH_RESPONSE",
  38: "ACK_RESPONSE",
  39: "GET_OR_CREATE_SCHEMA",
  40: "GET_OR_CREATE_SCHEMA_RESPONSE",
  50: "NEW_TXN",
  51: "NEW_TXN_RESPONSE",
  52: "ADD_PARTITION_TO_TXN",
  53: "ADD_PARTITION_TO_TXN_RESPONSE",
  54: "ADD_SUBSCRIPTION_TO_TXN",
  55: "ADD_SUBSCRIPTION_TO_TXN_RESPONSE",
  56: "END_TXN",
  57: "END_TXN_RESPONSE",
  58: "END_TXN_ON_PARTITION",
  59: "END_TXN_ON_PARTITION_RESPONSE",
  60: "END_TXN_ON_SUBSCRIPTION",
  61: "END_TXN_ON_SUBSCRIPTION_RESPONSE",
  62: "TC_CLIENT_CONNECT_REQUEST",
  63: "TC_CLIENT_CONNECT_RESPONSE",
  64: "WATCH_TOPIC_LIST",
  65: "WATCH_TOPIC_LIST_SUCCESS",
  66: "WATCH_TOPIC_UPDATE",
  67: "WATCH_TOPIC_LIST_CLOSE",
  68: "TOPIC_MIGRATED",
};

const SIZE_BYTES = 4;
const READ_BYTES = 64 * 1024;
/** Tag of `BaseCommand.type`: field 1, varint. */
const TYPE_TAG = 0x08;

/** Cuts a stream of bytes, in whatever pieces it comes, into frames. */
export class FrameSplitter {
  #rest = new Uint8Array();

  /** @returns the frames that are whole with this piece */
  push(piece: Uint8Array): Uint8Array[] {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    const frames: Uint8Array[] = [];
    let start = 0;
    while (bytes.length - start >= SIZE_BYTES) {
      const end = start + SIZE_BYTES + readUint32(bytes, start);
      if (end > bytes.length) break;
      frames.push(bytes.slice(start, end));
      start = end;
    }
    this.#rest = bytes.slice(start);
    return frames;
  }

  /** Bytes of a frame that has not ended. */
  get pendingBytes(): number {
    return this.#rest.length;
  }
}

/** The name of a frame's command; `?` where its first field is not the type, `TYPE_n` for an unknown one. */
export function commandName(frame: Uint8Array): string {
  const at = 2 * SIZE_BYTES;
  if (frame.length < at + 2 || frame[at] !== TYPE_TAG) return "?";
  const type = frame[at + 1]!;
  return COMMAND_NAMES[type] ?? `TYPE_${type}`;
}

/** A proxy that records; `stop` ends it. */
export class Recorder {
  #frames: RecordedFrame[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #brokerPort: number;
  #relays: Promise<void>[] = [];
  #connectionCount = 0;

  /** Listens on a free port of loopback and passes everything on to the broker on `brokerPort`. */
  constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** What was said since the last call; waits until every connection has ended. */
  async take(): Promise<RecordedFrame[]> {
    await Promise.all(this.#relays);
    const frames = this.#frames;
    this.#frames = [];
    this.#relays = [];
    this.#connectionCount = 0;
    return frames;
  }

  stop(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const connection = this.#connectionCount++;
      const broker = await Deno.connect({ hostname: "127.0.0.1", port: this.#brokerPort });
      this.#relays.push(
        this.#relay(client, broker, { from: "client", connection }),
        this.#relay(broker, client, { from: "broker", connection }),
      );
    }
  }

  async #relay(
    source: Deno.TcpConn,
    target: Deno.TcpConn,
    label: { from: "client" | "broker"; connection: number },
  ): Promise<void> {
    const splitter = new FrameSplitter();
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (;;) {
        const byteCount = await source.read(buffer);
        if (byteCount === null) break;
        const piece = buffer.subarray(0, byteCount);
        // Noted before it goes on, so that no answer can be noted before its question.
        for (const frame of splitter.push(piece)) {
          this.#frames.push({ ...label, command: commandName(frame), hex: hexOf(frame) });
        }
        await writeAll(target, piece);
      }
    } catch {
      // The other side has hung up: how most clients end.
    } finally {
      closeQuietly(target);
    }
  }
}

async function writeAll(target: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await target.write(bytes.subarray(written));
  }
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
