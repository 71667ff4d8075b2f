/** A client's end of a connection without a socket: what it writes is read frame by frame, what the broker writes is judged as it comes. */
import { crc32cPortable } from "../../lib/base/mod.ts";
import {
  type Command,
  decodeCommand,
  FrameReader,
  PayloadSection,
  ServerError,
} from "../../lib/pulsar/wire/mod.ts";

/** A command of the broker, and what follows it. */
export interface Heard {
  readonly command: Command;
  readonly section: Uint8Array;
}

/** What must not come from a broker, whatever it was told. */
export function faultOf({ command, section }: Heard): string | undefined {
  const { error, errorCode } = command.body as { error?: number; errorCode?: number };
  const code = error ?? errorCode;
  if (code === ServerError.UnknownError) {
    const { message, errorMessage } = command.body as { message?: string; errorMessage?: string };
    return `${command.type} with UnknownError: ${message ?? errorMessage}`;
  }
  if (command.type !== "MESSAGE") return undefined;
  const whole = new PayloadSection().read(section, 0, section.length);
  return whole.checksumMatches(crc32cPortable) ? undefined : "MESSAGE with a wrong checksum";
}

/** Both ends: the broker's, as `Socket` has it, and the client's, which pushes frames and hears answers. */
export class MemorySocket {
  readonly #chunks: Uint8Array[] = [];
  readonly #reader = new FrameReader({ initialBytes: 4096 });
  readonly #wakers: (() => void)[] = [];
  #isEnded = false;
  /** The broker has closed the connection. */
  isClosed = false;
  /** Chunks that the broker has taken. */
  takenCount = 0;
  /** Does not read what the broker writes. */
  isDeaf = false;
  /** What the broker said that it must not say, or could not be read. */
  fault: string | undefined;

  /** @param hear is called with each command of the broker */
  constructor(private readonly hear: (heard: Heard) => void) {}

  /** Gives the broker bytes to read. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes);
    this.#wake();
  }

  /** The client hangs up. */
  end(): void {
    this.#isEnded = true;
    this.isDeaf = false;
    this.#wake();
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.isClosed) throw new Deno.errors.BadResource("closed");
      if (this.#isEnded) return null;
      await this.changed();
    }
    const chunk = this.#chunks[0]!;
    const count = Math.min(chunk.length, target.length);
    target.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks[0] = chunk.subarray(count);
    else {
      this.#chunks.shift();
      this.takenCount++;
      this.#wake();
    }
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.isDeaf && !this.isClosed) await this.changed();
    if (this.isClosed || this.#isEnded) throw new Deno.errors.BrokenPipe("closed");
    const room = this.#reader.room();
    const count = Math.min(bytes.length, room.length);
    room.set(bytes.subarray(0, count));
    this.#reader.filled(count);
    try {
      for (let frame = this.#reader.next(); frame; frame = this.#reader.next()) {
        const command = decodeCommand(frame);
        if (command === undefined) throw new Error(`command ${frame.type}`);
        const heard = { command, section: frame.bytes.slice(frame.commandEnd, frame.end) };
        this.fault ??= faultOf(heard);
        this.hear(heard);
      }
    } catch (error) {
      this.fault ??= `the broker's answer cannot be read: ${error}`;
    }
    this.#wake();
    return count;
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }

  /** Resolves when anything has happened on either side. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#wakers.splice(0)) resolve();
  }
}
