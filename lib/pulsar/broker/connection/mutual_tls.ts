/**
 * TLS where clients show certificates. Deno's own listener cannot ask for one, so this stands on node:tls, which costs more a byte.
 *
 * @module
 */
import type { Server, TLSSocket } from "node:tls";
import type { Socket } from "./connection.ts";
import type { Arrival, ListenAt, Listener, TlsFiles } from "./listener.ts";

/** Read ahead of the broker up to this; then the client must wait. */
const AHEAD_BYTES_MAX = 1024 * 1024;

/** A socket of node:tls with the reads of `Deno.Conn`. */
class NodeSocket implements Socket {
  readonly #chunks: Uint8Array[] = [];
  #aheadBytes = 0;
  #isEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(private readonly inner: TLSSocket) {
    inner.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#aheadBytes += chunk.length;
      if (this.#aheadBytes >= AHEAD_BYTES_MAX) inner.pause();
      this.#wake();
    });
    inner.on("error", (error: Error) => this.#end(error));
    inner.on("close", () => this.#end());
    inner.on("end", () => this.#end());
  }

  #end(error?: Error): void {
    this.#error ??= error;
    this.#isEnded = true;
    this.#wake();
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw new Deno.errors.ConnectionReset(this.#error.message);
      if (this.#isEnded) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks[0]!;
    const count = Math.min(chunk.length, target.length);
    target.set(chunk.subarray(0, count));
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    this.#aheadBytes -= count;
    if (this.#aheadBytes < AHEAD_BYTES_MAX && this.inner.isPaused()) this.inner.resume();
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    // A slab may be used again when this has resolved: the callback comes when the bytes are gone.
    return new Promise((resolve, reject) => {
      this.inner.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.inner.destroy();
  }
}

/** Clients that came in and wait to be taken. */
class Arrivals implements Listener {
  readonly #waiting: Arrival[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(private readonly server: Server, readonly port: number) {}

  add(inner: TLSSocket): void {
    inner.setNoDelay(true);
    const { CN } = inner.getPeerCertificate().subject ?? {};
    const role = typeof CN === "string" ? CN : undefined;
    const address = `${inner.remoteAddress}:${inner.remotePort}`;
    this.#waiting.push({ socket: new NodeSocket(inner), address, role });
    this.#wake();
  }

  async accept(): Promise<Arrival> {
    while (this.#waiting.length === 0) {
      if (this.#isClosed) throw new Deno.errors.BadResource("the listener is closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#waiting.shift()!;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.server.close();
    this.#wake();
    return Promise.resolve();
  }
}

/** Listens for clients that have a certificate; others are refused in the handshake. */
export async function listenMutualTls(at: ListenAt, tls: TlsFiles): Promise<Listener> {
  const { createServer } = await import("node:tls");
  let arrivals: Arrivals | undefined;
  const server = createServer({
    cert: tls.certPem,
    key: tls.keyPem,
    ca: tls.clientCaPem!,
    requestCert: true,
    rejectUnauthorized: true,
  }, (socket: TLSSocket) => arrivals?.add(socket));
  // A handshake that fails is the client's affair, which hears of it in the handshake.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
  return arrivals = new Arrivals(server, (server.address() as { port: number }).port);
}
