import type { HashingScheme } from "./key_hash.ts";
import type { Routing } from "./message_router.ts";
import type { BatchBy } from "./open_batch.ts";
import { assertChoices, assertFlags, assertFunctions, assertSchema } from "./option_checks.ts";
import type { AccessMode } from "./partition_producer.ts";
import type { ProducerStats } from "./producer_stats.ts";
import type { Schema } from "./schema.ts";
import { bytesSchema } from "./schema_primitives.ts";
import { type CompressionName, compressionNumber, type CompressionType } from "../wire/mod.ts";
import { parseTopicName } from "./topic_name.ts";

/** When a batch goes out: as soon as one of the bounds is reached. */
export interface BatchingOptions {
  /** Default 1,000. */
  readonly messagesMax?: number | undefined;
  /** Bytes before compression. Default 128 KiB. */
  readonly bytesMax?: number | undefined;
  /** How long its first message may wait. Default 1 ms, as in Pulsar. */
  readonly delayMs?: number | undefined;
  /** `key` for Key_Shared subscriptions: each batch holds messages of one key. Default `arrival`. */
  readonly by?: BatchBy | undefined;
}

/** What a producer is opened with. */
export interface ProducerOptions<T = Uint8Array> {
  readonly topic: string;
  /** Registered with the topic. Default plain bytes. */
  readonly schema?: Schema<T> | undefined;
  /** Stable over restarts where the broker deduplicates. Given by the broker where it is left out. */
  readonly producerName?: string | undefined;
  /** Shown in the topic's statistics. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Default `shared`. */
  readonly accessMode?: AccessMode | undefined;
  /** False to give each message an entry of its own. */
  readonly batching?: BatchingOptions | false | undefined;
  /** Whether a message that is larger than the broker takes goes in chunks. Default false. */
  readonly chunking?: boolean | undefined;
  /** Default none. */
  readonly compression?: CompressionName | undefined;
  /** Where messages go. Default `roundRobin`. */
  readonly routing?: Routing | undefined;
  /** How keys are hashed; all producers of a topic must agree. Default `JavaStringHash`, as in Pulsar. */
  readonly hashing?: HashingScheme | undefined;
  /** The first message has the next one. Default: goes on where the broker remembers this name, else begins with 0. */
  readonly initialSequenceId?: number | undefined;
  /** Messages of one partition that may be under way. Default 10,000. */
  readonly pendingMessagesMax?: number | undefined;
  /** Bytes of one partition that may be under way. Default 32 MiB. */
  readonly pendingBytesMax?: number | undefined;
  /**
   * What `send` does beyond those bounds: `wait` in order for room, up to `waitingMessagesMax`, or `error` at once. Default `wait`.
   */
  readonly whenFull?: "wait" | "error" | undefined;
  /** Messages of one partition that may wait for room before `send` is refused. Default 10,000. */
  readonly waitingMessagesMax?: number | undefined;
  /** A message without a receipt by then is given up, and all of its partition behind it. 0 for never. Default 30 s. */
  readonly sendTimeoutMs?: number | undefined;
  /** A subscription that is made with the topic, so that it misses nothing. */
  readonly initialSubscription?: string | undefined;
  /** How often it looks whether the topic has more partitions; 0 for never. Default 60 s. */
  readonly partitionsUpdateIntervalMs?: number | undefined;
  /** Length of the intervals of `stats`; 0 for none. Default 60 s. */
  readonly statsIntervalMs?: number | undefined;
  /** Called at the end of each interval. */
  readonly onStats?: ((stats: ProducerStats) => void) | undefined;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
}

/** The options with their defaults. */
export interface ProducerSettings<T> extends
  Pick<
    ProducerOptions<T>,
    | "producerName"
    | "properties"
    | "initialSequenceId"
    | "initialSubscription"
    | "onStats"
    | "signal"
  > {
  readonly topic: string;
  readonly schema: Schema<T>;
  readonly accessMode: AccessMode;
  readonly batching:
    | Required<{ [K in keyof BatchingOptions]: NonNullable<BatchingOptions[K]> }>
    | undefined;
  readonly chunking: boolean;
  readonly compression: CompressionType;
  readonly routing: Routing;
  readonly hashing: HashingScheme;
  readonly pendingMessagesMax: number;
  readonly pendingBytesMax: number;
  readonly waitingMessagesMax: number;
  readonly sendTimeoutMs: number;
  readonly partitionsUpdateIntervalMs: number;
  readonly statsIntervalMs: number;
}

const MINUTE_MS = 60_000;

/** Of errors: what could not be done. */
const OPEN = "open producer";
const ACCESS_MODES: readonly AccessMode[] = [
  "shared",
  "exclusive",
  "waitForExclusive",
  "exclusiveWithFencing",
];
const HASHES: readonly HashingScheme[] = ["JavaStringHash", "Murmur3_32Hash"];
const ROUTINGS: readonly Routing[] = ["roundRobin", "singlePartition"];
const BATCHES: readonly BatchBy[] = ["arrival", "key"];

/**
 * @throws {TypeError} when an option is not of its kind
 * @throws {RangeError} when a bound is no whole number of at least what makes sense
 * @throws {PulsarError} `invalid_topic_name`
 */
export function settingsOf<T>(options: ProducerOptions<T>): ProducerSettings<T> {
  const { batching = {}, whenFull = "wait" } = options;
  assertKinds(options as ProducerOptions<unknown>);
  const settings = {
    producerName: options.producerName,
    properties: options.properties,
    initialSequenceId: options.initialSequenceId,
    initialSubscription: options.initialSubscription,
    onStats: options.onStats,
    signal: options.signal,
    topic: parseTopicName(options.topic).full,
    // Without a schema, values are bytes: the default of `T` says the same.
    schema: options.schema ?? bytesSchema() as unknown as Schema<T>,
    accessMode: options.accessMode ?? "shared",
    batching: batching === false ? undefined : {
      messagesMax: batching.messagesMax ?? 1000,
      bytesMax: batching.bytesMax ?? 128 * 1024,
      delayMs: batching.delayMs ?? 1,
      by: batching.by ?? "arrival",
    },
    chunking: options.chunking ?? false,
    compression: compressionNumber(options.compression ?? "none"),
    routing: options.routing ?? "roundRobin",
    hashing: options.hashing ?? "JavaStringHash",
    pendingMessagesMax: options.pendingMessagesMax ?? 10_000,
    pendingBytesMax: options.pendingBytesMax ?? 32 * 1024 * 1024,
    waitingMessagesMax: whenFull === "error" ? 0 : options.waitingMessagesMax ?? 10_000,
    sendTimeoutMs: options.sendTimeoutMs ?? 30_000,
    partitionsUpdateIntervalMs: options.partitionsUpdateIntervalMs ?? MINUTE_MS,
    statsIntervalMs: options.statsIntervalMs ?? MINUTE_MS,
  } as const;
  assertBounds(settings);
  return settings;
}

/** Each option is of its kind. */
function assertKinds(options: ProducerOptions<unknown>): void {
  const { batching, routing, chunking, onStats } = options;
  const batchBy = typeof batching === "object" ? batching.by : undefined;
  const router = typeof routing === "function" ? undefined : routing;
  assertChoices(OPEN, [
    { name: "accessMode", value: options.accessMode, allowed: ACCESS_MODES },
    { name: "hashing", value: options.hashing, allowed: HASHES },
    { name: "routing", value: router, allowed: ROUTINGS as readonly string[] },
    { name: "batching.by", value: batchBy, allowed: BATCHES },
    { name: "whenFull", value: options.whenFull, allowed: ["wait", "error"] },
  ]);
  assertFlags(OPEN, { chunking });
  assertFunctions(OPEN, { onStats });
  assertSchema(OPEN, options.schema);
}

function assertBounds<T>(settings: ProducerSettings<T>): void {
  const { batching } = settings;
  const bounds: readonly (readonly [string, number, number])[] = [
    ["pendingMessagesMax", settings.pendingMessagesMax, 1],
    ["pendingBytesMax", settings.pendingBytesMax, 1],
    ["waitingMessagesMax", settings.waitingMessagesMax, 0],
    ["sendTimeoutMs", settings.sendTimeoutMs, 0],
    ["partitionsUpdateIntervalMs", settings.partitionsUpdateIntervalMs, 0],
    ["statsIntervalMs", settings.statsIntervalMs, 0],
    ["initialSequenceId", settings.initialSequenceId ?? 0, -1],
    ["batching.messagesMax", batching?.messagesMax ?? 1, 1],
    ["batching.bytesMax", batching?.bytesMax ?? 1, 1],
    ["batching.delayMs", batching?.delayMs ?? 0, 0],
  ];
  for (const [name, value, least] of bounds) {
    if (!(value >= least)) {
      throw new RangeError(`Cannot open producer: ${name} is ${value}; give at least ${least}`);
    }
  }
}
