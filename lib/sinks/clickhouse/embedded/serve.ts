import { type Secret, systemClock } from "../../../base/mod.ts";
import type { Clock } from "../../../base/mod.ts";
import { startEngine } from "./engine.ts";
import { EmbeddedError } from "./errors.ts";
import { HttpInterface } from "./server.ts";

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
  /** Ends what is under way, waits at most `graceMs` for it, and closes the data folder. */
  close(graceMs?: number): Promise<void>;
}

function listen(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new EmbeddedError(`Cannot listen on 127.0.0.1:${port}: the port is taken`, {
      code: "port_taken",
      cure: "give another one with --port, or --port 0 for any free one",
      cause,
    });
  }
}

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
  // The port is asked first: it is free to try, the engine takes a second.
  const probe = listen(wanted);
  const { port } = probe.addr;
  probe.close();
  const engine = await startEngine(dataDir, { threads, memoryBytes });
  const http = new HttpInterface(engine, {
    credentials: { user, password },
    limits: {
      bodyBytesMax: 64 << 20,
      answerBytesMax: 64 << 20,
      insertsMax: 4,
      readsMax: 12,
      waitingMax: 256,
    },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    (request) => http.handle(request, port),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    version: engine.version,
    async close(graceMs = 5000) {
      const ended = http.stop().then(() => server.shutdown());
      await Promise.race([ended, clock.sleep(graceMs)]);
      engine[Symbol.dispose]();
    },
  };
}
