import { crc32cPortable, systemClock, utf8 } from "../../../lib/base/mod.ts";
import {
  closePayload,
  decodeCommand,
  encodeCommand,
  FrameReader,
  MESSAGE_METADATA,
  ProtoWriter,
  writeSend,
} from "../../../lib/pulsar/wire/mod.ts";
import type {
  Command,
  CommandBodies,
  CommandProducer,
  CommandSubscribe,
  CommandType,
  MessageMetadata,
} from "../../../lib/pulsar/wire/mod.ts";
import { encodeMessage } from "../../../lib/pulsar/wire/mod.ts";

/** A broker that says nothing for so long to a client that waits has a fault: its test shall say so instead of standing still. */
const SILENCE_MS_MAX = 20_000;

/** What a broker sent: a command, and the payload section behind it. */
export interface Received {
  readonly command: Command;
  readonly section: Uint8Array;
}

/** A SEND frame of one plain message. */
export function sendFrame(options: {
  readonly producerId?: number;
  readonly producerName?: string;
  readonly sequenceId: number;
  readonly highestSequenceId?: number;
  readonly messageCount?: number;
  readonly payload: Uint8Array;
  readonly metadata?: Partial<MessageMetadata>;
}): Uint8Array {
  const { producerId = 0, sequenceId, payload, messageCount = 1 } = options;
  const writer = new ProtoWriter();
  writer.raw(payload);
  encodeMessage(MESSAGE_METADATA, {
    producerName: options.producerName ?? "raw",
    sequenceId,
    publishTime: 1_000,
    ...(messageCount > 1 ? { numMessagesInBatch: messageCount } : {}),
    ...options.metadata,
  }, writer);
  closePayload(writer, payload.length, crc32cPortable);
  writeSend(writer, {
    producerId,
    sequenceId,
    numMessages: messageCount,
    highestSequenceId: options.highestSequenceId ?? sequenceId,
  });
  return writer.finish();
}

/** A client of the binary protocol that does nothing by itself but answer PING. */
export class RawClient implements AsyncDisposable {
  readonly #reader = new FrameReader({ initialBytes: 1024 * 1024 });
  readonly #received: Received[] = [];
  #wake: () => void = () => {};
  #isEnded = false;
  answersPing = true;
  /** Reads no more than what is under way. */
  isDeaf = false;
  #requestId = 100n;
  #pongsAwaited = 0;

  private constructor(readonly socket: Deno.TcpConn | Deno.TlsConn) {
    void this.#read();
  }

  /** On a socket that is connected, and introduces itself. */
  static async over(
    socket: Deno.TlsConn,
    options: Partial<CommandBodies["CONNECT"]> = {},
  ): Promise<RawClient> {
    const client = new RawClient(socket);
    await client.send("CONNECT", { clientVersion: "raw", protocolVersion: 21, ...options });
    await client.expect("CONNECTED");
    return client;
  }

  /** Connects without a word. */
  static async dial(port: number): Promise<RawClient> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new RawClient(socket);
  }

  /** Connects and introduces itself. */
  static async connect(
    port: number,
    options: Partial<CommandBodies["CONNECT"]> = {},
  ): Promise<RawClient> {
    const client = await RawClient.dial(port);
    await client.send("CONNECT", { clientVersion: "raw", protocolVersion: 21, ...options });
    await client.expect("CONNECTED");
    return client;
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const count = await this.socket.read(this.#reader.room());
        if (count === null) break;
        this.#reader.filled(count);
        for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
          const command = decodeCommand(frame)!;
          if (command.type === "PING" && this.answersPing) await this.send("PONG", {});
          else if (command.type === "PONG" && this.#pongsAwaited > 0) this.#pongsAwaited--;
          else {this.#received.push({
              command,
              section: frame.bytes.slice(frame.commandEnd, frame.end),
            });}
        }
        this.#wake();
        if (this.isDeaf) await new Promise(() => {});
      }
    } catch {
      // The connection is gone: `isEnded` says so.
    }
    this.#isEnded = true;
    this.#wake();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      rest = rest.subarray(await this.socket.write(rest));
    }
  }

  send<Type extends CommandType>(type: Type, body: CommandBodies[Type]): Promise<void> {
    return this.write(encodeCommand(type, body));
  }

  /** The next thing that the broker sends; undefined when it closed the connection. */
  async next(): Promise<Received | undefined> {
    while (this.#received.length === 0) {
      if (this.#isEnded) return undefined;
      await this.#more("a command");
    }
    return this.#received.shift();
  }

  /** Waits until the broker has dealt with everything that was sent; what comes meanwhile stays to be looked at. */
  async caughtUp(): Promise<void> {
    this.#pongsAwaited++;
    await this.send("PING", {});
    while (this.#pongsAwaited > 0) {
      if (this.#isEnded) throw new Error("the broker closed the connection");
      await this.#more("PONG");
    }
  }

  /** How much has come and was not looked at. */
  get waiting(): number {
    return this.#received.length;
  }

  /** The body of the next command, which must be of this type. */
  async expect<Type extends CommandType>(type: Type): Promise<CommandBodies[Type]> {
    const received = await this.next();
    if (received?.command.type !== type) {
      const what = received === undefined ? "the end" : JSON.stringify(received.command, plain);
      throw new Error(`expected ${type}, got ${what}`);
    }
    return received.command.body as CommandBodies[Type];
  }

  /** Everything up to the answer of a request that is sent now. */
  async request<Type extends CommandType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId">,
  ): Promise<Command[]> {
    const requestId = this.#requestId++;
    await this.send(type, { ...body, requestId } as unknown as CommandBodies[Type]);
    const commands: Command[] = [];
    for (;;) {
      const received = await this.next();
      if (received === undefined) return commands;
      commands.push(received.command);
      const answered = (received.command.body as { requestId?: bigint }).requestId;
      if (answered === requestId) return commands;
    }
  }

  async produce(topic: string, options: Partial<CommandProducer> = {}): Promise<Command> {
    const answers = await this.request("PRODUCER", {
      topic,
      producerId: 0,
      producerName: "raw",
      ...options,
    });
    return answers.at(-1)!;
  }

  async subscribe(topic: string, options: Partial<CommandSubscribe> = {}): Promise<Command[]> {
    return await this.request("SUBSCRIBE", {
      topic,
      subscription: "sub",
      subType: 0,
      consumerId: 0,
      initialPosition: 1,
      ...options,
    });
  }

  /** Sends one message and waits for its receipt. */
  async publish(
    sequenceId: number,
    text: string,
    producerId = 0,
  ): Promise<CommandBodies["SEND_RECEIPT"]> {
    await this.write(sendFrame({ producerId, sequenceId, payload: utf8(text) }));
    return await this.expect("SEND_RECEIPT");
  }

  /** The next MESSAGE and its payload as text. */
  async message(): Promise<{ body: CommandBodies["MESSAGE"]; text: string }> {
    const received = await this.next();
    if (received?.command.type !== "MESSAGE") {
      throw new Error(`expected MESSAGE, got ${JSON.stringify(received?.command, plain)}`);
    }
    return { body: received.command.body, text: payloadText(received.section) };
  }

  /** Whether the broker has closed the connection. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the broker closed the connection; waits until it does. */
  async ended(): Promise<boolean> {
    while (!this.#isEnded) await this.#more("the end of the connection");
    return true;
  }

  /** Resolves when something has come, or the connection has ended. */
  async #more(what: string): Promise<void> {
    const heard = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const silence = systemClock.sleep(SILENCE_MS_MAX, heard.signal).then(
      () => {
        throw new Error(`the broker was silent for ${SILENCE_MS_MAX} ms instead of ${what}`);
      },
      () => {},
    );
    await Promise.race([promise, silence]).finally(() => heard.abort());
  }

  [Symbol.asyncDispose](): Promise<void> {
    try {
      this.socket.close();
    } catch {
      // The broker was faster.
    }
    return Promise.resolve();
  }
}

/** The payload of a section as text. */
export function payloadText(section: Uint8Array): string {
  const view = new DataView(section.buffer, section.byteOffset, section.length);
  return new TextDecoder().decode(section.subarray(10 + view.getUint32(6)));
}

/** For messages of tests: bigint and bytes as text. */
export function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return value instanceof Uint8Array ? value.toHex() : value;
}
