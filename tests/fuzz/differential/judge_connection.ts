/** A connection that believes nobody: spoken with lib/pulsar/wire alone, it writes down whatever the broker says. */
import { crc32cPortable, systemClock } from "../../../lib/base/mod.ts";
import {
  type Command,
  type CommandBodies,
  type CommandType,
  decodeCommand,
  encodeCommand,
  FrameReader,
  MetadataView,
  PayloadSection,
  splitBatch,
} from "../../../lib/pulsar/wire/mod.ts";

const WAIT_MS = 60_000;

/** What the broker said. */
export interface Said {
  readonly command: Command;
  /** The messages of a MESSAGE, as text. */
  readonly texts: readonly string[];
}

/** Changes what passes between judge and broker: a fault that is planted. Undefined leaves it out. */
export interface Tampering {
  readonly toBroker?: (command: Command) => Command | undefined;
  readonly fromBroker?: (said: Said) => readonly Said[];
}

/** The messages of a payload section, whose checksum must be right. */
function textsOf(bytes: Uint8Array, start: number, end: number): string[] {
  if (start === end) return [];
  const section = new PayloadSection().read(bytes, start, end);
  section.assertChecksum(crc32cPortable);
  const metadata = new MetadataView().read(bytes, section.metadataStart, section.metadataEnd);
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  if (!metadata.isBatch) return [text(section.metadataEnd, section.end)];
  const bounds = new Uint32Array(2 * metadata.messageCount);
  splitBatch(bytes, section.metadataEnd, section.end, metadata.messageCount, bounds);
  return Array.from(
    { length: metadata.messageCount },
    (_, i) => text(bounds[2 * i]!, bounds[2 * i + 1]!),
  );
}

/** One connection to one broker. */
export class JudgeConnection {
  readonly #socket: Deno.TcpConn;
  readonly #reader = new FrameReader({ initialBytes: 64 * 1024 });
  readonly #tampering: Tampering;
  readonly #answers = new Map<bigint, (said: Said) => void>();
  readonly #reading: Promise<void>;
  #pongs: (() => void)[] = [];
  #requestId = 1n;
  isClosed = false;
  /** What came without being asked for, in order. */
  readonly events: Said[] = [];

  private constructor(socket: Deno.TcpConn, tampering: Tampering) {
    this.#socket = socket;
    this.#tampering = tampering;
    this.#reading = this.#readAll();
  }

  /** Connects and shakes hands. */
  static async open(serviceUrl: string, tampering: Tampering): Promise<JudgeConnection> {
    const { hostname, port } = new URL(serviceUrl.replace(/^pulsar:/, "http:"));
    const socket = await Deno.connect({ hostname, port: Number(port) });
    socket.setNoDelay(true);
    const connection = new JudgeConnection(socket, tampering);
    await connection.send("CONNECT", { clientVersion: "judge", protocolVersion: 21 });
    await connection.ping();
    return connection;
  }

  async send<Type extends CommandType>(type: Type, body: CommandBodies[Type]): Promise<void> {
    const command = { type, body } as unknown as Command;
    const passed = this.#tampering.toBroker === undefined
      ? command
      : this.#tampering.toBroker(command);
    if (passed !== undefined) await this.write(encodeCommand(passed.type, passed.body as never));
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let rest = bytes; rest.length > 0;) {
        rest = rest.subarray(await this.#socket.write(rest));
      }
    } catch {
      this.isClosed = true;
    }
  }

  /** Sends a request; its answer, or undefined when the connection ended first. */
  async request<Type extends CommandType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId">,
  ): Promise<Command | undefined> {
    const requestId = this.#requestId++;
    const { promise, resolve } = Promise.withResolvers<Said>();
    this.#answers.set(requestId, resolve);
    await this.send(type, { ...body, requestId } as unknown as CommandBodies[Type]);
    return (await this.#orEnd(promise, type))?.command;
  }

  /** The next SEND_RECEIPT or SEND_ERROR. */
  async sendMessage(frame: Uint8Array): Promise<Command | undefined> {
    const { promise, resolve } = Promise.withResolvers<Said>();
    this.#answers.set(-2n, resolve);
    await this.write(frame);
    return (await this.#orEnd(promise, "SEND"))?.command;
  }

  /** Everything that the broker had written before it read this has come when it resolves. */
  async ping(): Promise<void> {
    if (this.isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pongs.push(resolve);
    await this.write(encodeCommand("PING", {}));
    await this.#orEnd(promise, "PING");
  }

  async #orEnd<T>(promise: Promise<T>, what: string): Promise<T | undefined> {
    const done = new AbortController();
    const late = systemClock.sleep(WAIT_MS, done.signal).then(() => {
      const { port } = this.#socket.remoteAddr as Deno.NetAddr;
      throw new Error(`the broker at port ${port} does not answer ${what}`);
    });
    late.catch(() => {/* it was in time */});
    try {
      return await Promise.race([promise, this.#reading.then(() => undefined), late]);
    } finally {
      done.abort();
    }
  }

  /** Cuts the connection, without a word. */
  async cut(): Promise<void> {
    this.isClosed = true;
    try {
      this.#socket.close();
    } catch {
      // The broker was faster.
    }
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      for (;;) {
        const count = await this.#socket.read(this.#reader.room());
        if (count === null) break;
        this.#reader.filled(count);
        for (let frame = this.#reader.next(); frame; frame = this.#reader.next()) {
          const command = decodeCommand(frame);
          if (command === undefined) throw new Error(`an unknown command, ${frame.type}`);
          const said = { command, texts: textsOf(frame.bytes, frame.commandEnd, frame.end) };
          for (const one of this.#tampering.fromBroker?.(said) ?? [said]) this.#hear(one);
        }
      }
      this.#socket.close();
    } catch {
      // Cut from either side: whoever waits is told by `isClosed`.
    }
    this.isClosed = true;
  }

  #hear(said: Said): void {
    const { type, body } = said.command;
    if (type === "CONNECTED") return;
    if (type === "PONG") return this.#pongs.shift()?.();
    if (type === "PING") return void this.write(encodeCommand("PONG", {}));
    const { requestId } = body as { requestId?: bigint };
    const key = type === "SEND_RECEIPT" || type === "SEND_ERROR" ? -2n : requestId;
    const answer = key === undefined ? undefined : this.#answers.get(key);
    if (answer === undefined) this.events.push(said);
    else {
      this.#answers.delete(key!);
      answer(said);
    }
  }
}
