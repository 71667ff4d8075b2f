import type { Socket } from "node:net";
import { messageOf } from "../../base/mod.ts";
import type { BrokerAddress } from "./service_url.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";
import { openError } from "./transport_errors.ts";

/** Beyond this the socket is not read before what is there is taken. */
const READ_AHEAD_BYTES = 1024 * 1024;

/**
 * Opens sockets with `node:net` and `node:tls`, for Node 20+ and Bun.
 *
 * @throws {PulsarError} from the result: `connection_refused` or `tls_failed`, with what to do
 */
export function nodeTransport(tls: TlsOptions = {}): OpenTransport {
  return async (address) => {
    try {
      const socket = address.tls ? await connectTls(address, tls) : await connectPlain(address);
      return new SocketTransport(socket);
    } catch (error) {
      throw openError(address, error, isTlsError(error));
    }
  };
}

async function connectPlain({ host, port }: BrokerAddress): Promise<Socket> {
  // Loaded when it is needed: in Deno it never is.
  const { connect } = await import("node:net");
  return await connected(connect({ host, port, noDelay: true }), "connect");
}

async function connectTls({ host, port }: BrokerAddress, tls: TlsOptions): Promise<Socket> {
  const { connect, rootCertificates } = await import("node:tls");
  const { isIP } = await import("node:net");
  const identity = await tls.identity?.();
  const socket = connect({
    host,
    port,
    // Server Name Indication has no addresses.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // A list replaces what Node trusts by itself.
    ca: [...rootCertificates, ...tls.caCertificates ?? []],
    rejectUnauthorized: tls.allowInsecure !== true,
    ...(tls.verifyHostName === false ? { checkServerIdentity: () => undefined } : {}),
    ...(identity === undefined
      ? {}
      : { cert: identity.certificate, key: identity.privateKey.reveal() }),
  });
  socket.setNoDelay(true);
  return await connected(socket, "secureConnect");
}

function connected(socket: Socket, event: "connect" | "secureConnect"): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const onClose = () => onError(new Error("the connection was closed"));
    socket.once("error", onError);
    socket.once("close", onClose);
    socket.once(event as "connect", () => {
      socket.off("error", onError);
      socket.off("close", onClose);
      resolve(socket);
    });
  });
}

function isTlsError(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  return /ERR_TLS|ERR_SSL|CERT|SELF_SIGNED|UNABLE_TO|EPROTO/.test(String(code)) ||
    /certificate|tls|ssl/i.test(messageOf(error));
}

class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  #byteLength = 0;
  #isEnded = false;
  #error: Error | undefined;
  #wake = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#byteLength += chunk.length;
      if (this.#byteLength > READ_AHEAD_BYTES) socket.pause();
      this.#wake();
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    let count = 0;
    while (this.#chunks.length > 0 && count < target.length) {
      const [first] = this.#chunks;
      const part = first!.subarray(0, target.length - count);
      target.set(part, count);
      count += part.length;
      if (part.length === first!.length) this.#chunks.shift();
      else this.#chunks[0] = first!.subarray(part.length);
    }
    this.#byteLength -= count;
    if (this.#byteLength <= READ_AHEAD_BYTES && this.#socket.isPaused()) this.#socket.resume();
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#end(new Error("the connection was closed on this side"));
    this.#socket.destroy();
  }

  #end(error?: Error): void {
    if (!this.#isEnded) this.#error = error;
    this.#isEnded = true;
    this.#wake();
  }
}
