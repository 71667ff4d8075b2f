import { WeirError } from "../../base/mod.ts";

/**
 * Why the broker could not do something:
 * `disk_full` and `disk_error` (the operating system refused to write or read), `damaged` (bytes on disk are not what was written),
 * `locked` (another broker has the folder), `not_writable` (the folder), `closed` (used after close), `not_found`, `conflict` (it exists
 * already, or is in use), `invalid` (a request that makes no sense), `incompatible_schema`, `unauthenticated`, `not_supported`, `port_taken`.
 */
export type BrokerErrorCode =
  | "disk_full"
  | "disk_error"
  | "damaged"
  | "locked"
  | "not_writable"
  | "closed"
  | "not_found"
  | "conflict"
  | "invalid"
  | "incompatible_schema"
  | "unauthenticated"
  | "not_supported"
  | "port_taken";

/** What the broker's own parts throw. */
export class BrokerError extends WeirError<BrokerErrorCode> {
  override readonly name = "BrokerError";
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  return code === "ENOSPC" || code === "EDQUOT" ||
    /no space left|quota exceeded/i.test(error.message);
}

/**
 * The typed error for what the disk threw.
 *
 * @param action what was tried, as in `Cannot <action>`
 * @param cause what was thrown
 */
export function diskError(action: string, cause: unknown): BrokerError {
  if (cause instanceof BrokerError) return cause;
  if (isFull(cause)) {
    return new BrokerError(`Cannot ${action}: no space left on the disk`, {
      code: "disk_full",
      retryable: true,
      cure: "free some space, the broker goes on by itself",
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError(`Cannot ${action}: ${reason}`, {
    code: "disk_error",
    retryable: true,
    cause,
  });
}
