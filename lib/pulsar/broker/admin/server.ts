import { adminHandler } from "./admin.ts";
import type { AdminOptions } from "./admin.ts";
import { listenError } from "../connection/mod.ts";
import type { ListenAt, TlsFiles } from "../connection/mod.ts";

/** A server of the admin interface. */
export type AdminServer = Deno.HttpServer<Deno.NetAddr>;

/**
 * Serves the admin interface over HTTP, or over HTTPS where files are given. (Certificates of clients are not asked for here: they show
 * tokens.)
 *
 * @throws {BrokerError} `port_taken`, `not_writable`
 */
export function serveAdmin(at: ListenAt, options: AdminOptions, tls?: TlsFiles): AdminServer {
  const handler = adminHandler(options);
  const where = { hostname: at.host, port: at.port, onListen() {} };
  try {
    return tls === undefined
      ? Deno.serve(where, handler)
      : Deno.serve({ ...where, cert: tls.certPem, key: tls.keyPem }, handler);
  } catch (error) {
    throw listenError(at, error);
  }
}
