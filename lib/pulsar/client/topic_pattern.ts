/** Which topics of a namespace a consumer of a pattern reads. */
import { parseTopicName } from "./topic_name.ts";
import { CommandGetTopicsOfNamespaceMode as Mode, PulsarError } from "../wire/mod.ts";

const PARTITION_SUFFIX = /-partition-(\d+)$/;
/** Pulsar's own topics, which no pattern means. */
const SYSTEM_PREFIX = "__";

/** A pattern taken apart. */
export interface TopicPattern {
  /** `tenant/namespace`. */
  readonly namespace: string;
  readonly mode: Mode;
  /** Of a topic's whole local name. */
  readonly localName: RegExp;
  /** As brokers are told it: the whole of it, with the domain. */
  readonly text: string;
}

/** A topic found, and how many of its partitions were. */
export interface FoundTopic {
  /** Full name without partition. */
  readonly name: string;
  /** 0 for a topic that is not partitioned. */
  readonly partitions: number;
}

const MODES = {
  persistent: Mode.PERSISTENT,
  "non-persistent": Mode.NON_PERSISTENT,
  all: Mode.ALL,
} as const;

/**
 * Reads a pattern: only the local name may be one.
 *
 * @param pattern `domain://tenant/namespace/pattern`, `tenant/namespace/pattern` or `pattern`
 * @param mode which domain, where the pattern does not say it; default `persistent`
 * @throws {PulsarError} `invalid_topic_name`
 *
 * @example
 * ```ts
 * import { parseTopicPattern } from "./topic_pattern.ts";
 * import assert from "node:assert/strict";
 * const { namespace, localName } = parseTopicPattern("persistent://shop/sales/orders-.*");
 * assert.equal(namespace, "shop/sales");
 * assert.ok(localName.test("orders-eu") && !localName.test("old-orders-eu"));
 * ```
 */
export function parseTopicPattern(
  pattern: string | RegExp,
  mode?: "persistent" | "non-persistent" | "all",
): TopicPattern {
  const isText = typeof pattern === "string";
  const source = (isText ? pattern : pattern.source.replaceAll("\\/", "/")).replace(/^\^/, "");
  const parts = /^(?:(persistent|non-persistent):\/\/)?(?:([\w.=:-]+)\/([\w.=:-]+)\/)?([^/]+)$/
    .exec(source);
  const [, domain, tenant = "public", namespace = "default", local] = parts ?? [];
  if (local === undefined) {
    throw new PulsarError(
      `Cannot use topics pattern ${JSON.stringify(source)}: not of one namespace`,
      {
        code: "invalid_topic_name",
        cure: "give a pattern such as persistent://public/default/orders-.*",
      },
    );
  }
  const flags = isText ? "" : pattern.flags.replaceAll(/[gy]/g, "");
  return {
    namespace: `${tenant}/${namespace}`,
    mode: MODES[mode ?? (domain as keyof typeof MODES | undefined) ?? "persistent"],
    localName: compile(local.replace(/(?<!\\)\$$/, ""), flags),
    text: `${domain ?? "persistent"}://${tenant}/${namespace}/${local}`,
  };
}

function compile(local: string, flags: string): RegExp {
  try {
    return new RegExp(`^(?:${local})$`, flags);
  } catch (cause) {
    throw new PulsarError(
      `Cannot use topics pattern ${JSON.stringify(local)}: no regular expression`,
      {
        code: "invalid_topic_name",
        cause,
      },
    );
  }
}

/** The topics that a pattern means among those that a broker has listed, partitions put together. */
export function matchingTopics(pattern: TopicPattern, listed: readonly string[]): FoundTopic[] {
  const found = new Map<string, number>();
  for (const topic of listed) {
    const { domain, full, localName } = parseTopicName(topic);
    if (localName.startsWith(SYSTEM_PREFIX) || !isOfMode(domain, pattern.mode)) continue;
    const suffix = PARTITION_SUFFIX.exec(localName);
    const partitions = suffix === null ? 0 : Number(suffix[1]) + 1;
    const tailLength = suffix === null ? 0 : suffix[0].length;
    if (!pattern.localName.test(localName.slice(0, localName.length - tailLength))) continue;
    const name = full.slice(0, full.length - tailLength);
    found.set(name, Math.max(found.get(name) ?? 0, partitions));
  }
  return [...found].map(([name, partitions]) => ({ name, partitions }));
}

function isOfMode(domain: "persistent" | "non-persistent", mode: Mode): boolean {
  return mode === Mode.ALL || mode === MODES[domain];
}
