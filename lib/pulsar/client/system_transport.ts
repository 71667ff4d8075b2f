import { denoTransport } from "./deno_transport.ts";
import { nodeTransport } from "./node_transport.ts";
import type { OpenTransport, TlsOptions } from "./transport.ts";

/**
 * Sockets of the runtime that this runs in: Deno's own, which move twice what `node:net` does, else Node's.
 *
 * @throws {PulsarError} `not_supported` when the runtime cannot do what the options ask
 */
export function systemTransport(tls: TlsOptions = {}): OpenTransport {
  return "Deno" in globalThis ? denoTransport(tls) : nodeTransport(tls);
}
