import { PulsarError } from "../wire/mod.ts";

/** A topic's full name taken apart. */
export interface TopicName {
  readonly domain: "persistent" | "non-persistent";
  readonly tenant: string;
  readonly namespace: string;
  readonly localName: string;
  /** `domain://tenant/namespace/localName`. */
  readonly full: string;
}

const PARTITION_SUFFIX = "-partition-";

/**
 * Reads a topic's name; a short one is completed as Pulsar does.
 *
 * @param text `name`, `tenant/namespace/name` or `persistent://tenant/namespace/name`
 * @throws {PulsarError} `invalid_topic_name`
 *
 * @example
 * ```ts
 * import { parseTopicName } from "./topic_name.ts";
 * import assert from "node:assert/strict";
 * assert.equal(parseTopicName("orders").full, "persistent://public/default/orders");
 * ```
 */
export function parseTopicName(text: string): TopicName {
  const match = /^(?:(persistent|non-persistent):\/\/)?(?:([^/\s]+)\/([^/\s]+)\/)?([^/]+)$/.exec(
    text,
  );
  // Pulsar takes spaces in a name; at its ends they are an accident.
  const control = /\p{Cc}|^\s|\/\s|\s$/u.test(text);
  // `undefined` from plain JavaScript would be a name like any other.
  if (
    typeof text !== "string" || match === null || control ||
    (match[1] !== undefined && match[2] === undefined)
  ) {
    throw new PulsarError(`Cannot use topic ${JSON.stringify(text)}: not a topic name`, {
      code: "invalid_topic_name",
    });
  }
  const domain = (match[1] ?? "persistent") as TopicName["domain"];
  const [tenant, namespace, localName] = [match[2] ?? "public", match[3] ?? "default", match[4]!];
  const full = `${domain}://${tenant}/${namespace}/${localName}`;
  return { domain, tenant, namespace, localName, full };
}

/** The name of one partition of a topic. */
export function partitionTopic(fullName: string, partition: number): string {
  return `${fullName}${PARTITION_SUFFIX}${partition}`;
}
