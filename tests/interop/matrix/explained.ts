/**
 * What is different and stays so, each with the reason: everything else that differs fails the run.
 *
 * @module
 */
import type { Difference } from "./result.ts";

/** A difference that was looked into. */
export interface Explanation {
  readonly scenario: string;
  /** As flags name them; left out for every client or broker. */
  readonly client?: string;
  readonly broker?: string;
  readonly reason: string;
}

/** All there are. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    scenario: "key_hash_java",
    client: "go",
    reason:
      "`key_hash_java`: pulsar-client-go hashes the bytes of UTF-8 where Java hashes UTF-16 " +
      "units, and keeps the sign bit: keys that are long or not ASCII go to other partitions, with every broker.",
  },
  {
    scenario: "admin_peek",
    client: "java",
    broker: "embedded",
    reason:
      "`admin_peek`: the embedded broker's HTTP server writes the names of headers in lower case, which HTTP " +
      "allows; the Java admin client looks for `X-Pulsar-PROPERTY` in just these letters, and shows peeked messages " +
      "without their properties. Payload and id are the same.",
  },
];

/** Why a difference is as it is; undefined for one that must be mended. */
export function explanationOf(difference: Difference): string | undefined {
  return EXPLANATIONS.find(({ scenario, client, broker }) =>
    scenario === difference.scenario &&
    (client ?? difference.client) === difference.client &&
    (broker ?? difference.broker) === difference.broker
  )?.reason;
}
