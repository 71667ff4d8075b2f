/** Whoever listens at a service URL and is no broker's binary port: its first bytes, or its silence, say what it is. */
import { readUint32 } from "../../base/mod.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";
import { PulsarError } from "../wire/mod.ts";

/** "HTTP", with which every answer of HTTP/1 begins. */
const HTTP = 0x48545450;
/** First half of a TLS alert: content type 21, version 3 (RFC 8446, section 5.1). */
const TLS_ALERT = 0x1503;

/**
 * What to say to the first bytes of whoever answers, where they are none of a broker.
 *
 * @param bytes as they came, from the first one on
 * @returns undefined where they may be a broker's
 */
export function strangerError(address: BrokerAddress, bytes: Uint8Array): PulsarError | undefined {
  if (bytes.length < 4) return undefined;
  const first = readUint32(bytes, 0);
  const where = `Cannot connect to ${formatAddress(address)}`;
  if (first === HTTP) {
    return new PulsarError(`${where}: an HTTP server answers`, {
      code: "invalid_service_url",
      cure:
        "give the broker's binary port, 6650 unless it is set otherwise; 8080 is its admin interface",
    });
  }
  if (first >>> 16 === TLS_ALERT && !address.tls) {
    return new PulsarError(`${where}: that port speaks TLS`, {
      code: "tls_failed",
      cure: "give pulsar+ssl:// instead of pulsar://, or the broker's port without TLS",
    });
  }
  return undefined;
}

/** What to say when the connection ends before the broker has said a word. */
export function silentEndError(address: BrokerAddress, cause: unknown): PulsarError {
  const hint = address.tls ? "" : ", and that it wants no TLS (pulsar+ssl://)";
  return new PulsarError(
    `Cannot connect to ${
      formatAddress(address)
    }: the connection ended before a broker introduced itself`,
    {
      code: "connection_lost",
      retryable: true,
      cure: `check that a broker has its binary port there${hint}`,
      cause,
    },
  );
}
