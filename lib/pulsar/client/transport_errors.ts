import { messageOf } from "../../base/mod.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";
import { PulsarError } from "../wire/mod.ts";

/** How Deno's and Node's TLS name bytes that are no TLS. */
const NOT_TLS = /InvalidContentType|wrong version number|packet length too long/i;
/** How they name a connection that ends while hands are shaken. */
const ENDED =
  /unexpected end of file|handshake eof|ECONNRESET|connection reset|disconnected before/i;

/** Why a socket cannot be opened, with what to do. */
export function openError(address: BrokerAddress, error: unknown, isTls: boolean): PulsarError {
  if (error instanceof PulsarError) return error;
  const where = `Cannot connect to ${formatAddress(address)}`;
  const text = messageOf(error);
  if (address.tls && NOT_TLS.test(text)) {
    return new PulsarError(`${where}: that port speaks no TLS`, {
      code: "tls_failed",
      cure: "give pulsar:// instead of pulsar+ssl://, or the broker's TLS port, 6651 as a rule",
      cause: error,
    });
  }
  if (address.tls && ENDED.test(text)) {
    // A broker that speaks no TLS does this, but so does one that is just going down.
    return new PulsarError(`${where}: the connection ended while TLS shook hands`, {
      code: "tls_failed",
      retryable: true,
      cure: "give pulsar:// where that port speaks no TLS, else see the broker's log",
      cause: error,
    });
  }
  const code = address.tls && isTls ? "tls_failed" : "connection_refused";
  return new PulsarError(`${where}: ${text}`, {
    code,
    retryable: code === "connection_refused",
    cause: error,
  });
}
