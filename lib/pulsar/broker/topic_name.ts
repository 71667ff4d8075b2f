import { BrokerError } from "./errors.ts";

const TOPIC = /^(persistent|non-persistent):\/\/([^/]+)\/([^/]+)\/(.+)$/;
const PARTITION = /^(.+)-partition-(\d+)$/;
const ENCODED_BYTES_MAX = 200;

/** A topic's name in its parts. */
export interface TopicName {
  /** `persistent://tenant/namespace/local` */
  readonly full: string;
  readonly isPersistent: boolean;
  readonly tenant: string;
  /** `tenant/namespace` */
  readonly namespace: string;
  readonly local: string;
  /** The name without `-partition-N`. */
  readonly base: string;
  /** −1 for a topic that is not a partition. */
  readonly partition: number;
}

/**
 * Reads a topic's name; a short one is in `persistent://public/default`.
 *
 * @throws {BrokerError} `invalid`
 */
export function parseTopicName(text: string): TopicName {
  const long = text.includes("://")
    ? text
    : text.split("/").length === 3
    ? `persistent://${text}`
    : `persistent://public/default/${text}`;
  const match = TOPIC.exec(long);
  const local = match?.[4] ?? "";
  if (match === null || encodeName(local).length > ENCODED_BYTES_MAX) {
    throw new BrokerError(
      `Cannot use topic ${
        JSON.stringify(text)
      }: expected persistent://tenant/namespace/name, at most ${ENCODED_BYTES_MAX} bytes long`,
      { code: "invalid_topic" },
    );
  }
  const namespace = `${match[2]}/${match[3]}`;
  const scheme = match[1]!;
  const partition = PARTITION.exec(local);
  return {
    full: long,
    isPersistent: scheme === "persistent",
    tenant: match[2]!,
    namespace,
    local,
    base: partition === null ? long : `${scheme}://${namespace}/${partition[1]}`,
    partition: partition === null ? -1 : Number(partition[2]),
  };
}

/** Whether a name is that of a topic without a log. */
export function isNonPersistent(topic: string): boolean {
  return topic.startsWith("non-persistent://");
}

/** The full name of a topic's partition. */
export function partitionName(base: string, partition: number): string {
  return `${base}-partition-${partition}`;
}

/**
 * A name as a file's name that every file system takes: lower-case letters, digits, `-`, `_` and inner dots stay, every other byte becomes
 * `%` and two hexadecimal digits. Upper-case letters too, for disks that do not tell them apart.
 */
export function encodeName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  let encoded = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const isPlain = /[a-z0-9_-]/.test(character) || (character === "." && encoded !== "");
    encoded += isPlain ? character : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded;
}

/** The name of {@link encodeName}. */
export function decodeName(encoded: string): string {
  return decodeURIComponent(encoded);
}

/** The folder of a namespace below any of the data folder's parts. */
export function namespaceFolder(namespace: string): string {
  return namespace.split("/").map(encodeName).join("/");
}
