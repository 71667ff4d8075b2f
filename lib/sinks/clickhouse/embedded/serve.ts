import { type Secret, systemClock } from "../../../base/mod.ts";
import type { Clock } from "../../../base/mod.ts";
import { startEngine } from "./engine.ts";
import { EmbeddedError } from "./errors.ts";
import { HttpInterface, type ServerLimits } from "./server.ts";

/** How the embedded ClickHouse runs. */
export interface EmbeddedOptions {
  /** Folder of the data; made when missing. */
  readonly dataDir: string;
  /** Port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  readonly user?: string;
  readonly password: Secret;
  readonly threads?: number;
  readonly memoryBytes?: number;
  readonly clock?: Clock;
}

/** An embedded ClickHouse that answers. */
export interface EmbeddedClickHouse {
  readonly url: string;
  readonly port: number;
  /** Of the engine, as `SELECT version()` says it. */
  readonly version: string;
  /**
   * Ends what is under way, waits at most `graceMs` for it, and closes the data folder.
   *
   * @returns false when something did not end: the engine cannot be closed then, only its process killed, which loses nothing that was acknowledged
   */
  close(graceMs?: number): Promise<boolean>;
}

function portTaken(port: number, cause: unknown): unknown {
  if (!(cause instanceof Deno.errors.AddrInUse)) return cause;
  return new EmbeddedError(`Cannot listen on 127.0.0.1:${port}: the port is taken`, {
    code: "port_taken",
    cure: "give another one with --port, or --port 0 for any free one",
    cause,
  });
}

const GRACE_MS = 5000;

const LIMITS: ServerLimits = {
  bodyBytesMax: 64 << 20,
  answerBytesMax: 64 << 20,
  insertsMax: 4,
  readsMax: 12,
  waitingMax: 256,
};

type Handler = (request: Request) => Promise<Response> | Response;

function listen(port: number, handler: () => Handler): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port, onListen: () => {} };
  try {
    return Deno.serve(options, (request) => handler()(request));
  } catch (cause) {
    throw portTaken(port, cause);
  }
}

const notReady: Handler = () => new Response("The engine is starting\n", { status: 503 });

/**
 * Starts the engine in this process and serves ClickHouse's HTTP interface on the loopback address. The process should do nothing else: see `startEngine`.
 *
 * @throws {EmbeddedError}
 */
export async function serveEmbeddedClickHouse(
  options: EmbeddedOptions,
): Promise<EmbeddedClickHouse> {
  const {
    dataDir,
    port: wanted = 0,
    user = "default",
    password,
    threads = 2,
    memoryBytes = 1 << 30,
    clock = systemClock,
  } = options;
  let handler: Handler = notReady;
  // The port first: it is free to ask for, and the engine takes a second.
  const server = listen(wanted, () => handler);
  const { port } = server.addr;
  try {
    const engine = await startEngine(dataDir, { threads, memoryBytes });
    const http = new HttpInterface(engine, { credentials: { user, password }, limits: LIMITS });
    handler = (request) => http.handle(request, port);
    const close = async (graceMs = GRACE_MS) => {
      const ended = http.stop().then(() => server.shutdown()).then(() => true);
      const isClean = await Promise.race([ended, clock.sleep(graceMs).then(() => false)]);
      if (isClean) engine[Symbol.dispose]();
      return isClean;
    };
    return { url: `http://127.0.0.1:${port}`, port, version: engine.version, close };
  } catch (error) {
    await server.shutdown();
    throw error;
  }
}
