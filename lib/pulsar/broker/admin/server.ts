import { adminHandler } from "./admin.ts";
import type { AdminOptions } from "./admin.ts";
import { listenError } from "../connection/mod.ts";
import type { ListenAt, TlsFiles } from "../connection/mod.ts";

/** How long requests that are under way may take when the broker closes. */
const PATIENCE_MS = 1000;

/** A server of the admin interface. */
export interface AdminServer {
  readonly port: number;
  /** Lets requests that are under way end, but waits for nobody who stopped sending his or reading the answer. */
  close(): Promise<void>;
}

/**
 * Serves the admin interface over HTTP, or over HTTPS where files are given. (Certificates of clients are not asked for here: they show
 * tokens.)
 *
 * @throws {BrokerError} `port_taken`, `not_writable`
 */
export function serveAdmin(at: ListenAt, options: AdminOptions, tls?: TlsFiles): AdminServer {
  const answer = adminHandler(options);
  const underWay = new Set<Promise<void>>();
  const handler: Deno.ServeHandler<Deno.NetAddr> = (request, { completed }) => {
    // A client that left has no answer to wait for.
    const ended = completed.catch(() => {}).finally(() => underWay.delete(ended));
    underWay.add(ended);
    return answer(request);
  };
  const stop = new AbortController();
  const where = { hostname: at.host, port: at.port, signal: stop.signal, onListen() {} };
  const server = listening(
    at,
    () =>
      tls === undefined
        ? Deno.serve(where, handler)
        : Deno.serve({ ...where, cert: tls.certPem, key: tls.keyPem }, handler),
  );
  return {
    port: server.addr.port,
    async close() {
      const patience = new AbortController();
      await Promise.race([
        Promise.all(underWay),
        options.broker.parts.clock.sleep(PATIENCE_MS, patience.signal).catch(() => {}),
      ]);
      patience.abort();
      stop.abort();
      await server.finished;
    },
  };
}

function listening<T>(at: ListenAt, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    throw listenError(at, error);
  }
}
