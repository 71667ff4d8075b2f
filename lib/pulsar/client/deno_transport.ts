import { messageOf } from "../../base/mod.ts";
import type { BrokerAddress } from "./service_url.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";
import { openError } from "./transport_errors.ts";
import { PulsarError } from "../wire/mod.ts";

/**
 * Opens sockets with Deno's own calls, which move twice what `node:net` does.
 *
 * @throws {PulsarError} `not_supported` for `allowInsecure`; from the result `connection_refused` or `tls_failed`, with what to do
 */
export function denoTransport(tls: TlsOptions = {}): OpenTransport {
  if (tls.allowInsecure) {
    throw new PulsarError(
      "Cannot take any certificate: Deno allows that for a whole process only",
      {
        code: "not_supported",
        cure:
          "give the authority that signed the broker's certificate, or start Deno with --unsafely-ignore-certificate-errors=HOST",
      },
    );
  }
  return async (address) => {
    const { host: hostname, port } = address;
    try {
      return wrap(
        address.tls ? await connectTls(address, tls) : await Deno.connect({ hostname, port }),
      );
    } catch (error) {
      const isTls = error instanceof Deno.errors.InvalidData ||
        /certificate|tls|private key/i.test(messageOf(error));
      throw openError(address, error, isTls);
    }
  };
}

async function connectTls(address: BrokerAddress, tls: TlsOptions): Promise<Deno.TlsConn> {
  const identity = await tls.identity?.();
  const connection = await Deno.connectTls({
    hostname: address.host,
    port: address.port,
    caCerts: [...tls.caCertificates ?? []],
    unsafelyDisableHostnameVerification: tls.verifyHostName === false,
    ...(identity === undefined
      ? {}
      : { cert: identity.certificate, key: identity.privateKey.reveal() }),
  });
  // The handshake is awaited here, so that a certificate that is not trusted is told as such.
  await connection.handshake().catch((error) => {
    connection.close();
    throw error;
  });
  return connection;
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
