import { PulsarError } from "../wire/mod.ts";

/** Where a broker or proxy listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** A service URL taken apart; several hosts are tried one after the other. */
export interface ServiceUrl {
  readonly addresses: readonly BrokerAddress[];
}

const DEFAULT_PORT = 6650;
const DEFAULT_TLS_PORT = 6651;

/**
 * Reads `pulsar://host:port` or `pulsar+ssl://host:port`, with several `host:port` parted by commas if there are several.
 *
 * @throws {PulsarError} `invalid_service_url`
 *
 * @example
 * ```ts
 * import { parseServiceUrl } from "./service_url.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parseServiceUrl("pulsar://one:6650,two").addresses[1], { host: "two", port: 6650, tls: false });
 * ```
 */
export function parseServiceUrl(text: string): ServiceUrl {
  const match = /^(pulsar|pulsar\+ssl):\/\/([^/?#]+)\/?$/.exec(String(text).trim());
  if (match === null) throw invalid(text);
  const tls = match[1] === "pulsar+ssl";
  return { addresses: match[2]!.split(",").map((part) => parseHost(part, tls, text)) };
}

/** The URL of one address. */
export function formatAddress(address: BrokerAddress): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.tls ? "pulsar+ssl" : "pulsar"}://${host}:${address.port}`;
}

function parseHost(part: string, tls: boolean, text: string): BrokerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@\s]+))(?::(\d{1,5}))?$/.exec(part);
  if (match === null) throw invalid(text);
  const port = match[3] === undefined ? (tls ? DEFAULT_TLS_PORT : DEFAULT_PORT) : Number(match[3]);
  if (port < 1 || port > 65535) throw invalid(text);
  return { host: match[1] ?? match[2]!, port, tls };
}

function invalid(text: string): PulsarError {
  return new PulsarError(`Cannot use service URL ${JSON.stringify(text)}: not a Pulsar URL`, {
    code: "invalid_service_url",
  });
}
