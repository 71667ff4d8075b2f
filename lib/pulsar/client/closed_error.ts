import { PulsarError } from "../wire/mod.ts";

/**
 * What a call is answered with that came after `close()`.
 *
 * @param action as in `Cannot <action>`
 * @param closed what is closed
 */
export function closedError(
  action: string,
  closed: "client" | "producer" | "consumer" | "table view",
): PulsarError {
  return new PulsarError(`Cannot ${action}: the ${closed} is closed`, { code: "closed" });
}
