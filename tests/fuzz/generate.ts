/** Commands that no client thought of: any message of PulsarApi.proto from its table, with values that mean something to a broker or lie at an edge. */
import { crc32cPortable, type Random, utf8 } from "../../lib/base/mod.ts";
import type { Field, MessageTable } from "../../lib/pulsar/wire/message_table.ts";
import { OPTIONAL, REPEATED } from "../../lib/pulsar/wire/message_table.ts";
import {
  closePayload,
  COMMANDS,
  type CommandType,
  encodeMessage,
  MESSAGE_METADATA,
  ProtoWriter,
  SINGLE_MESSAGE_METADATA,
  writeCommand,
} from "../../lib/pulsar/wire/mod.ts";
import { edge, pick } from "./mutate.ts";

const NESTING_MAX = 3;
const TOPICS = [
  ..."abc".split("").map((letter) => `persistent://public/default/fuzz-${letter}`),
  "persistent://public/default/fuzz-partitioned-partition-0",
  "persistent://public/default/fuzz-partitioned",
  "non-persistent://public/default/fuzz-n",
];
const SCHEMAS = ['{"type":"record","name":"R","fields":[]}', '"string"', "{", ""];

/** What is known of the broker while frames are made. */
export interface Surroundings {
  readonly random: Random;
  /** Ledgers and entries that were seen in answers. */
  readonly positions: { readonly ledgerId: number; readonly entryId: number }[];
  requestId: bigint;
}

function textFor(name: string, random: Random): string {
  if (/topic$/i.test(name)) return pick(random, TOPICS);
  if (/^topics/i.test(name)) return pick(random, ["public/default/.*", ".*", "(", TOPICS[0]!]);
  if (name === "namespace") return pick(random, ["public/default", "public", "no/where", ""]);
  if (name === "subscription") return `fuzz-${random.below(3)}`;
  if (/name$/i.test(name)) return pick(random, ["fuzz-a", "fuzz-b", "ü", ""]);
  if (random.below(10) === 0) return "x".repeat(random.below(3000));
  return pick(random, ["", "a", "key", "none", "token", "1", "-1", "😀"]);
}

function integerFor(field: Field, { random, positions }: Surroundings): number {
  const { name } = field;
  if (random.below(12) === 0) {
    const value = edge(random);
    return field.kind === "uint32" ? Number(value & 0xffffffffn) : Number(BigInt.asIntN(64, value));
  }
  if (/^(?:consumerId|producerId)$/.test(name)) return random.below(3);
  if (/^(?:ledgerId|entryId)$/.test(name) && positions.length > 0) {
    return pick(random, positions)[name as "ledgerId" | "entryId"];
  }
  if (name === "messagePermits") return random.below(50);
  if (/time$/i.test(name)) return 1_700_000_000_000 + random.below(1_000_000);
  if (name === "protocolVersion") return random.below(25);
  return random.below(6);
}

function valueFor(field: Field, around: Surroundings, depth: number): unknown {
  const { random } = around;
  switch (field.kind) {
    case "bool":
      return random.below(2) === 1;
    case "bits64":
      if (field.name === "requestId" && random.below(20) > 0) return around.requestId++;
      return BigInt.asIntN(64, edge(random));
    case "enum":
      return random.below(8) === 0 ? Number(edge(random) & 0x7fffffffn) : random.below(6);
    case "int32":
      return Number(BigInt.asIntN(32, BigInt(integerFor(field, around) || 0)));
    case "double":
      return pick(random, [0, -1, NaN, Infinity, 0.5]);
    case "string":
      return textFor(field.name, random);
    case "bytes":
      return utf8(random.below(2) === 0 ? pick(random, SCHEMAS) : textFor("", random));
    case "message":
      return randomBody(field.nested!(), around, depth + 1);
    default:
      return integerFor(field, around);
  }
}

/** A message of this table: what must be there is, the rest by chance. */
export function randomBody(
  table: MessageTable<unknown>,
  around: Surroundings,
  depth = 0,
): Record<string, unknown> {
  const { random } = around;
  const body: Record<string, unknown> = {};
  for (const field of table.fields) {
    const isDeep = field.kind === "message" && depth >= NESTING_MAX;
    if (field.presence === OPTIONAL && (isDeep || random.below(5) < 3)) continue;
    if (field.presence !== REPEATED) body[field.name] = valueFor(field, around, depth);
    else if (!isDeep && random.below(2) === 0) {
      const length = random.below(random.below(10) === 0 ? 100 : 4);
      body[field.name] = Array.from({ length }, () => valueFor(field, around, depth));
    }
  }
  return body;
}

const TYPES = Object.keys(COMMANDS) as CommandType[];
/** What a client says, and each often what has state behind it. */
const FROM_CLIENTS: readonly CommandType[] = [
  ...(["SUBSCRIBE", "ACK", "FLOW", "SEND", "PRODUCER", "SEEK"] as const),
  ...(["ACK", "FLOW", "SEND", "REDELIVER_UNACKNOWLEDGED_MESSAGES", "SUBSCRIBE"] as const),
  ...(["GET_LAST_MESSAGE_ID", "CLOSE_CONSUMER", "CLOSE_PRODUCER", "UNSUBSCRIBE"] as const),
  ...(["CONSUMER_STATS", "LOOKUP", "PARTITIONED_METADATA", "GET_TOPICS_OF_NAMESPACE"] as const),
  ...(["GET_SCHEMA", "GET_OR_CREATE_SCHEMA", "AUTH_RESPONSE", "PING", "PONG"] as const),
  ...(["WATCH_TOPIC_LIST", "WATCH_TOPIC_LIST_CLOSE", "NEW_TXN"] as const),
];
/** What a broker says. */
export const FROM_BROKERS: readonly CommandType[] = TYPES.filter((type) =>
  /RESPONSE|SUCCESS|RECEIPT|ERROR|MESSAGE$|CONNECTED|CLOSE|PING|PONG|CHANGE|REACHED|CHALLENGE|UPDATE|MIGRATED/
    .test(type)
);

/** A command of this type with a payload section where it has one. */
export function generateCommand(type: CommandType, around: Surroundings): Uint8Array {
  const writer = new ProtoWriter();
  if (type === "SEND" || type === "MESSAGE") writeSection(writer, around);
  writeCommand(writer, type, randomBody(COMMANDS[type].table, around) as never);
  writer.frame32(writer.length);
  return writer.finish();
}

/** Any command: mostly what clients say, of the whole protocol now and then. */
export function generateForBroker(around: Surroundings): Uint8Array {
  const { random } = around;
  return generateCommand(pick(random, random.below(4) === 0 ? TYPES : FROM_CLIENTS), around);
}

function writeSection(writer: ProtoWriter, around: Surroundings): void {
  const { random } = around;
  const before = writer.length;
  const messageCount = random.below(4);
  for (let i = 0; i < messageCount; i++) {
    const value = utf8(textFor("", random));
    writer.raw(value);
    const single = randomBody(SINGLE_MESSAGE_METADATA, around);
    if (random.below(10) > 0) single.payloadSize = value.length;
    writer.frame32(encodeMessage(SINGLE_MESSAGE_METADATA, single as never, writer));
  }
  const payloadBytes = writer.length - before;
  const metadata = randomBody(MESSAGE_METADATA, around);
  if (messageCount > 0 && random.below(10) > 0) metadata.numMessagesInBatch = messageCount;
  if (random.below(10) > 0) delete metadata.compression;
  if (random.below(10) > 0) delete metadata.encryptionKeys;
  encodeMessage(MESSAGE_METADATA, metadata as never, writer);
  closePayload(writer, payloadBytes, crc32cPortable);
}
