/** A byte stream to a broker, and the one place that knows how the runtime opens it. */
import { messageOf } from "../../base/mod.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";
import { PulsarError, type PulsarErrorCode } from "../wire/mod.ts";

/** What a connection needs of a socket. */
export interface Transport {
  /** Reads what is there into `target`; null at the end of the stream. */
  read(target: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions; reads and writes that wait are rejected. May be called again. */
  close(): void;
}

/** Opens a transport. */
export type OpenTransport = (address: BrokerAddress) => Promise<Transport>;

/** Options of TLS. */
export interface TlsOptions {
  /** PEM text of certificate authorities to trust beside the system's. */
  readonly caCertificates?: readonly string[];
}

/**
 * Opens sockets with Deno's own calls, which move twice what `node:net` does.
 *
 * @throws {PulsarError} from the result: `connection_refused` or `tls_failed`, with what to do
 */
export function denoTransport(tls: TlsOptions = {}): OpenTransport {
  return async (address) => {
    const { host: hostname, port } = address;
    try {
      if (!address.tls) return wrap(await Deno.connect({ hostname, port }));
      const caCerts = [...tls.caCertificates ?? []];
      const connection = await Deno.connectTls({ hostname, port, caCerts });
      // The handshake is awaited here, so that a certificate that is not trusted is told as such.
      await connection.handshake().catch((error) => {
        connection.close();
        throw error;
      });
      return wrap(connection);
    } catch (error) {
      throw openError(address, error);
    }
  };
}

function wrap(connection: Deno.TcpConn | Deno.TlsConn): Transport {
  // Batches are written whole: waiting for more, as Nagle's algorithm does, only delays acknowledgements.
  if ("setNoDelay" in connection) connection.setNoDelay(true);
  let open = true;
  return {
    read: (target) => connection.read(target),
    write: (bytes) => connection.write(bytes),
    close() {
      if (open) connection.close();
      open = false;
    },
  };
}

function openError(address: BrokerAddress, error: unknown): PulsarError {
  const isTls = error instanceof Deno.errors.InvalidData ||
    /certificate|tls/i.test(messageOf(error));
  const code: PulsarErrorCode = address.tls && isTls ? "tls_failed" : "connection_refused";
  return new PulsarError(`Cannot connect to ${formatAddress(address)}: ${messageOf(error)}`, {
    code,
    retryable: code === "connection_refused",
    cure: code === "tls_failed"
      ? "give the certificate authority that signed the broker's certificate, and the host name it was made for"
      : "start a broker there, or give another service URL",
    cause: error,
  });
}
