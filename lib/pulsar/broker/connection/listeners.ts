import { messageOf } from "../../../base/mod.ts";
import type { Broker } from "../broker.ts";
import { Connection } from "./connection.ts";
import { BrokerError } from "../errors.ts";
import type { ListenAt, Listener, TlsFiles } from "./listener.ts";
import { listenMutualTls } from "./mutual_tls.ts";

const ACCEPT_RETRY_MS = 100;

/** What went wrong with an address, in words. */
export function listenError({ host, port, flag }: ListenAt, cause: unknown): unknown {
  if (
    cause instanceof Deno.errors.AddrInUse || (cause as { code?: string }).code === "EADDRINUSE"
  ) {
    return new BrokerError(`Cannot listen on ${host}:${port}: the port is taken`, {
      code: "port_taken",
      cure: `end what listens there, or give ${flag} another one (0 takes a free one)`,
      cause,
    });
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return new BrokerError(`Cannot listen on ${host}:${port}: this process may not`, {
      code: "not_writable",
      cure: `start it with --allow-net=${host}`,
      cause,
    });
  }
  if (
    cause instanceof Deno.errors.AddrNotAvailable || cause instanceof Deno.errors.PermissionDenied
  ) {
    return new BrokerError(`Cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      code: "not_writable",
      cure: "give an address of this machine, and a port above 1023",
      cause,
    });
  }
  return cause;
}

function arrivals(listener: Deno.TcpListener | Deno.TlsListener): Listener {
  let accepting: Promise<unknown> = Promise.resolve();
  return {
    port: listener.addr.port,
    async accept() {
      const coming = listener.accept();
      accepting = coming.catch(() => {});
      const socket = await coming;
      if ("setNoDelay" in socket) (socket as Deno.TcpConn).setNoDelay(true);
      const { hostname, port } = socket.remoteAddr as Deno.NetAddr;
      return { socket, address: `${hostname}:${port}` };
    },
    async close() {
      try {
        listener.close();
      } catch {
        // It is closed already.
      }
      // Whoever waits for a client holds the port.
      await accepting;
    },
  };
}

/**
 * Listens for clients without TLS.
 *
 * @throws {BrokerError} `port_taken`, `not_writable`
 */
export function listenPlain(at: ListenAt): Listener {
  try {
    return arrivals(Deno.listen({ hostname: at.host, port: at.port }));
  } catch (error) {
    throw listenError(at, error);
  }
}

/**
 * Listens for clients with TLS.
 *
 * @throws {BrokerError} `port_taken`, `not_writable`, `invalid` for a certificate or key that cannot be used
 */
export async function listenTls(at: ListenAt, tls: TlsFiles): Promise<Listener> {
  try {
    if (tls.clientCaPem !== undefined) return await listenMutualTls(at, tls);
    const { certPem: cert, keyPem: key } = tls;
    return arrivals(Deno.listenTls({ hostname: at.host, port: at.port, cert, key }));
  } catch (error) {
    const known = listenError(at, error);
    if (known !== error || error instanceof BrokerError) throw known;
    throw new BrokerError(`Cannot use certificate or key: ${messageOf(error)}`, {
      code: "invalid",
      cure: "give a certificate with --tls-cert and its private key with --tls-key, both as PEM",
      cause: error,
    });
  }
}

/** Lets clients in until the listener is closed. */
export async function acceptAll(
  listener: Listener,
  broker: Broker,
  serviceUrl: string,
): Promise<void> {
  for (;;) {
    try {
      const { socket, address, role } = await listener.accept();
      void new Connection(broker, socket, { address, serviceUrl, certifiedRole: role }).run();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || broker.isClosed) return;
      // Too many open files, or a client that left at once: others go on, new ones wait.
      broker.parts.report(`cannot accept a connection: ${messageOf(error)}`);
      await broker.parts.clock.sleep(ACCEPT_RETRY_MS);
    }
  }
}
