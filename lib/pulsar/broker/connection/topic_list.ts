import { messageOf, utf8 } from "../../../base/mod.ts";
import type { Crc32c } from "../../../base/mod.ts";
import { BrokerError } from "../errors.ts";
import { parseTopicName } from "../topic_name.ts";

/** As Pulsar's `subscriptionPatternMaxLength`: longer ones are left to the client. */
export const PATTERN_LENGTH_MAX = 50;

/** A repeated group with a repetition inside: what takes exponential time where matching goes back. */
const NESTED_REPETITION = /\([^()]*[+*}][^()]*\)[+*{]/;

/**
 * What two sides compare to know whether a list of topics is the same (Pulsar: TopicList.calculateHash): CRC-32C of the sorted names with
 * commas between, as hexadecimal with the lowest byte first.
 */
export function topicListHash(topics: Iterable<string>, crc32c: Crc32c): string {
  const bytes = utf8([...topics].sort().join(","));
  const hash = new DataView(new ArrayBuffer(4));
  hash.setUint32(0, crc32c(bytes, 0, bytes.length), true);
  return hash.getUint32(0).toString(16).padStart(8, "0");
}

/** A topic's name, or a pattern for them, without `persistent://` or `non-persistent://`. */
function withoutScheme(text: string): string {
  const at = text.indexOf("://");
  if (at < 0) return text;
  const prefix = text.slice(0, at).replace(/(non-)?persistent$/, "");
  return prefix + text.slice(at + "://".length);
}

/**
 * Whether a topic's name matches a pattern; partitions are looked at by the name of their topic, schemes are passed over. As in Pulsar,
 * patterns are RE2's, which match in linear time, and those with what RE2 does not know (looking ahead or back) are the runtime's own.
 *
 * @throws {BrokerError} `invalid_topic` when it is no pattern
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { topicMatcher } from "./topic_list.ts";
 * const matches = await topicMatcher("persistent://public/default/a-.*");
 * assert.equal(matches("persistent://public/default/a-1-partition-0"), true);
 * assert.equal(matches("persistent://public/default/b-1"), false);
 * ```
 */
export async function topicMatcher(pattern: string): Promise<(topic: string) => boolean> {
  const matches = await compile(withoutScheme(pattern));
  return (topic) => matches(withoutScheme(parseTopicName(topic).base));
}

async function compile(pattern: string): Promise<(text: string) => boolean> {
  if (pattern === ".*") return () => true;
  // Loaded with the first pattern: most brokers never see one.
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    return (text) => expression.matches(text);
  } catch (cause) {
    return compileNative(pattern, cause);
  }
}

function compileNative(pattern: string, cause: unknown): (text: string) => boolean {
  try {
    if (NESTED_REPETITION.test(pattern)) throw cause;
    const expression = new RegExp(`^(?:${pattern})$`, "u");
    return (text) => expression.test(text);
  } catch (error) {
    throw new BrokerError(`Invalid topics pattern: ${messageOf(error)}`, {
      code: "invalid_topic",
      cause: error,
    });
  }
}
