/** One connection to a broker, spoken with lib/pulsar/wire and nothing else: what a broker must do for any client. */
import assert from "node:assert/strict";
import { crc32cPortable, systemClock, utf8 } from "../../lib/base/mod.ts";
import {
  closePayload,
  type CommandBodies,
  type CommandProducer,
  type CommandSubscribe,
  type CommandType,
  commandType,
  decodeCommand,
  encodeCommand,
  type Frame,
  FrameReader,
  MetadataView,
  PayloadSection,
  plainHeaderLength,
  ProtoWriter,
  putPlainHeader,
  splitBatch,
  writeMetadata,
  writeSend,
} from "../../lib/pulsar/wire/mod.ts";

const ANSWER_WAIT_MS = 15_000;
const PRODUCER_NAME = utf8("wire-session");

/** A command that came, and what its payload holds. */
export interface Received<Type extends CommandType = CommandType> {
  readonly type: Type;
  readonly body: CommandBodies[Type];
  /** The messages of a MESSAGE, as text. */
  readonly messages: readonly string[];
  readonly producerName: string;
}

/** The frame of a SEND: a batch of these messages, uncompressed. */
export function sendFrame(
  sequenceId: number,
  messages: readonly string[],
  partitionKey?: string,
): Uint8Array {
  const payload = batchPayload(messages);
  const highestSequenceId = sequenceId + messages.length - 1;
  const writer = new ProtoWriter();
  writer.raw(payload);
  writeMetadata(writer, {
    producerName: PRODUCER_NAME,
    sequenceId,
    highestSequenceId,
    publishTimeMs: Math.trunc(systemClock.wallMs()),
    compression: 0,
    uncompressedSize: 0,
    batchMessageCount: messages.length,
    partitionKey,
  });
  closePayload(writer, payload.length, crc32cPortable);
  writeSend(writer, {
    producerId: 0,
    sequenceId,
    highestSequenceId,
    numMessages: messages.length,
  });
  return writer.finish();
}

function batchPayload(messages: readonly string[]): Uint8Array {
  const parts = messages.map((message) => {
    const text = utf8(message);
    const part = new Uint8Array(plainHeaderLength(text.length) + text.length);
    part.set(text, putPlainHeader(part, 0, text.length));
    return part;
  });
  const payload = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    payload.set(part, at);
    at += part.length;
  }
  return payload;
}

/** The messages of a payload section, its checksum compared. */
function readPayload(frame: Frame): { messages: string[]; producerName: string } {
  if (frame.commandEnd === frame.end) return { messages: [], producerName: "" };
  const section = new PayloadSection().read(frame.bytes, frame.commandEnd, frame.end);
  section.assertChecksum(crc32cPortable);
  const metadata = new MetadataView().read(frame.bytes, section.metadataStart, section.metadataEnd);
  const text = (start: number, end: number) =>
    new TextDecoder().decode(frame.bytes.subarray(start, end));
  const producerName = text(metadata.producerNameStart, metadata.producerNameEnd);
  if (!metadata.isBatch) {
    return { messages: [text(section.metadataEnd, section.end)], producerName };
  }
  const bounds = new Uint32Array(2 * metadata.messageCount);
  splitBatch(frame.bytes, section.metadataEnd, section.end, metadata.messageCount, bounds);
  const messages = Array.from(
    { length: metadata.messageCount },
    (_, i) => text(bounds[2 * i]!, bounds[2 * i + 1]!),
  );
  return { messages, producerName };
}

/** A connection; PINGs are answered as they come, everything else waits to be asked for. */
export class WireSession implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #waiting: Received[] = [];
  readonly #reading: Promise<void>;
  #wake = Promise.withResolvers<void>();
  #ended: unknown;
  #requestId = 0n;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#readAll();
  }

  /** Connects and says CONNECT; the answer, CONNECTED or ERROR, is to be received. */
  static async open(serviceUrl: string, options: { token?: string } = {}): Promise<WireSession> {
    const { hostname, port } = new URL(serviceUrl.replace(/^pulsar:/, "http:"));
    const session = new WireSession(await Deno.connect({ hostname, port: Number(port) }));
    const { token } = options;
    await session.send("CONNECT", {
      clientVersion: "weir-wire-session",
      protocolVersion: 21,
      ...(token === undefined ? {} : { authMethodName: "token", authData: utf8(token) }),
    });
    return session;
  }

  /** As `open`, and takes CONNECTED. */
  static async connected(serviceUrl: string): Promise<WireSession> {
    const session = await WireSession.open(serviceUrl);
    await session.receive("CONNECTED");
    return session;
  }

  nextRequestId(): bigint {
    return this.#requestId++;
  }

  async send<Type extends CommandType>(type: Type, body: CommandBodies[Type]): Promise<void> {
    await this.sendBytes(encodeCommand(type, body));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  /**
   * The next command of one of these types; others that came before stay for later.
   *
   * @throws when none comes in time or the connection ends
   */
  async receive<Type extends CommandType>(...types: Type[]): Promise<Received<Type>> {
    const isWanted = (received: Received) => types.includes(received.type as Type);
    const late = new AbortController();
    const timer = systemClock.sleep(ANSWER_WAIT_MS, late.signal).then(() => "late", () => "late");
    try {
      for (;;) {
        const at = this.#waiting.findIndex(isWanted);
        if (at >= 0) return this.#waiting.splice(at, 1)[0] as Received<Type>;
        if (this.#ended !== undefined) throw new Error(`Cannot receive ${types}: ${this.#ended}`);
        const what = await Promise.race([this.#wake.promise, timer]);
        if (what === "late") throw new Error(`Cannot receive ${types}: nothing has come`);
      }
    } finally {
      late.abort();
    }
  }

  /** Everything of this type that has come by now. */
  takeWaiting<Type extends CommandType>(type: Type): Received<Type>[] {
    const taken: Received[] = [];
    for (let at = 0; at < this.#waiting.length;) {
      if (this.#waiting[at]!.type === type) taken.push(...this.#waiting.splice(at, 1));
      else at++;
    }
    return taken as Received<Type>[];
  }

  /** Asks the broker who owns the topic, as a client must before it uses it. */
  async lookup(topic: string): Promise<void> {
    await this.send("LOOKUP", { topic, requestId: this.nextRequestId() });
    const { body } = await this.receive("LOOKUP_RESPONSE");
    assert.equal(body.error, undefined, body.message);
  }

  /** Looks the topic up and opens producer 0. */
  async produce(
    topic: string,
    extra: Partial<CommandProducer> = {},
  ): Promise<Received<"PRODUCER_SUCCESS" | "ERROR">> {
    await this.lookup(topic);
    const requestId = this.nextRequestId();
    await this.send("PRODUCER", { topic, producerId: 0, requestId, ...extra });
    return await this.receive("PRODUCER_SUCCESS", "ERROR");
  }

  /** Sends one batch with producer 0 and waits for its receipt. */
  async sendBatch(sequenceId: number, messages: readonly string[]): Promise<Received> {
    await this.sendBytes(sendFrame(sequenceId, messages));
    return await this.receive("SEND_RECEIPT", "SEND_ERROR");
  }

  /** Looks the topic up and subscribes as `sub`, from the earliest message on. */
  async subscribe(
    topic: string,
    extra: Partial<CommandSubscribe> = {},
  ): Promise<Received<"SUCCESS" | "ERROR">> {
    await this.lookup(topic);
    const requestId = this.nextRequestId();
    await this.send("SUBSCRIBE", {
      ...{ topic, subscription: "sub", subType: 0, consumerId: 0, initialPosition: 1 },
      requestId,
      ...extra,
    });
    return await this.receive("SUCCESS", "ERROR");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) this.#connection.close();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    const reader = new FrameReader();
    try {
      for (;;) {
        const count = await this.#connection.read(reader.room());
        if (count === null) break;
        reader.filled(count);
        for (let frame = reader.next(); frame; frame = reader.next()) await this.#take(frame);
        this.#wake.resolve();
        this.#wake = Promise.withResolvers();
      }
      this.#connection.close();
      this.#ended = "the broker has ended the connection";
    } catch (error) {
      this.#ended = error;
    }
    this.#wake.resolve();
  }

  async #take(frame: Frame): Promise<void> {
    const command = decodeCommand(frame);
    assert(command !== undefined, `a command that is not known: ${commandType(frame.type)}`);
    if (command.type === "PING") return await this.send("PONG", {});
    this.#waiting.push({ ...command, ...readPayload(frame) });
  }
}
