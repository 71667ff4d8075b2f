import { messageOf } from "../../base/mod.ts";
import { type BrokerAddress, formatAddress } from "./service_url.ts";
import { PulsarError } from "../wire/mod.ts";

/** Why a socket cannot be opened, with what to do. */
export function openError(address: BrokerAddress, error: unknown, isTls: boolean): PulsarError {
  if (error instanceof PulsarError) return error;
  const code = address.tls && isTls ? "tls_failed" : "connection_refused";
  return new PulsarError(`Cannot connect to ${formatAddress(address)}: ${messageOf(error)}`, {
    code,
    retryable: code === "connection_refused",
    cause: error,
  });
}
