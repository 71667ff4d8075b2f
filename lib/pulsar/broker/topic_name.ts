import { createHash } from "node:crypto";
import { BrokerError } from "./errors.ts";

const TOPIC = /^(persistent|non-persistent):\/\/([^/]+)\/([^/]+)\/([^/]+)$/s;
/** As Java's numbers are written and bounded: `-partition-00` and `-partition-99999999999` are parts of a name. */
const PARTITION = /^(.+)-partition-(0|[1-9]\d{0,9})$/;
const PARTITION_MAX = 2 ** 31 - 1;
/** In UTF-16 units. Pulsar itself has no bound but that of a frame. */
const NAME_LENGTH_MAX = 8_192;
/** File systems take names of 255 bytes, and a suffix is added. */
const ENCODED_BYTES_MAX = 200;
/** Before the digest that stands for the rest of a long name; the encoding itself has no such character. */
const DIGEST_MARK = "~";

/** In a topic's folder: what is known of it beside its log, its name among that. */
export const TOPIC_FILE = "topic.json";

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
 * @throws {BrokerError} `invalid_topic`
 */
export function parseTopicName(text: string): TopicName {
  const long = text.includes("://")
    ? text
    : text.split("/").length === 3
    ? `persistent://${text}`
    : `persistent://public/default/${text}`;
  const match = TOPIC.exec(long);
  const local = match?.[4] ?? "";
  if (match === null || long.length > NAME_LENGTH_MAX) {
    throw new BrokerError(
      `Cannot use topic ${
        JSON.stringify(text.slice(0, ENCODED_BYTES_MAX))
      }: expected persistent://tenant/namespace/name, at most ${NAME_LENGTH_MAX} characters long`,
      { code: "invalid_topic" },
    );
  }
  const namespace = `${match[2]}/${match[3]}`;
  const scheme = match[1]!;
  const suffixed = PARTITION.exec(local);
  const partition = suffixed !== null && Number(suffixed[2]) <= PARTITION_MAX ? suffixed : null;
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
 * `%` and two hexadecimal digits. Upper-case letters too, for disks that do not tell them apart. Of a name that is too long for a file
 * the beginning and a digest of the whole remain: what it is called must stand in the file.
 */
export function encodeName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  let encoded = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const isPlain = /[a-z0-9_-]/.test(character) || (character === "." && encoded !== "");
    encoded += isPlain ? character : `%${byte.toString(16).padStart(2, "0")}`;
  }
  if (encoded.length <= ENCODED_BYTES_MAX) return encoded;
  const digest = createHash("sha256").update(bytes).digest("hex");
  return `${encoded.slice(0, ENCODED_BYTES_MAX - 1 - digest.length)}${DIGEST_MARK}${digest}`;
}

/** The name of {@link encodeName}, or undefined where only a digest of it is left. */
export function decodeName(encoded: string): string | undefined {
  return encoded.includes(DIGEST_MARK) ? undefined : decodeURIComponent(encoded);
}

/** The folder of a namespace below any of the data folder's parts. */
export function namespaceFolder(namespace: string): string {
  return namespace.split("/").map(encodeName).join("/");
}
