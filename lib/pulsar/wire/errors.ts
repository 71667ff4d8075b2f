import { WeirError, type WeirErrorOptions } from "../../base/mod.ts";
import { ServerError } from "./pulsar_api.ts";

/** What a broker may answer, by the names of `ServerError` in PulsarApi.proto. */
const SERVER_CODES = {
  UnknownError: "unknown_error",
  MetadataError: "metadata_error",
  PersistenceError: "persistence_error",
  AuthenticationError: "authentication_error",
  AuthorizationError: "authorization_error",
  ConsumerBusy: "consumer_busy",
  ServiceNotReady: "service_not_ready",
  ProducerBlockedQuotaExceededError: "producer_blocked_quota_exceeded_error",
  ProducerBlockedQuotaExceededException: "producer_blocked_quota_exceeded_exception",
  ChecksumError: "checksum_error",
  UnsupportedVersionError: "unsupported_version_error",
  TopicNotFound: "topic_not_found",
  SubscriptionNotFound: "subscription_not_found",
  ConsumerNotFound: "consumer_not_found",
  TooManyRequests: "too_many_requests",
  TopicTerminatedError: "topic_terminated_error",
  ProducerBusy: "producer_busy",
  InvalidTopicName: "invalid_topic_name",
  IncompatibleSchema: "incompatible_schema",
  ConsumerAssignError: "consumer_assign_error",
  TransactionCoordinatorNotFound: "transaction_coordinator_not_found",
  InvalidTxnStatus: "invalid_txn_status",
  NotAllowedError: "not_allowed_error",
  TransactionConflict: "transaction_conflict",
  TransactionNotFound: "transaction_not_found",
  ProducerFenced: "producer_fenced",
} as const satisfies Record<keyof typeof ServerError, string>;

/** Codes of errors that come from a broker. */
export type ServerErrorCode = (typeof SERVER_CODES)[keyof typeof SERVER_CODES];

/** Codes of errors that are found on this side. */
export type LocalErrorCode =
  | "admin_conflict"
  | "admin_failed"
  | "admin_not_found"
  | "batch_too_large"
  | "checksum_mismatch"
  | "closed"
  | "connect_timeout"
  | "connection_lost"
  | "connection_refused"
  | "cursor_beyond_checkpoint"
  | "decompression_failed"
  | "frame_too_large"
  | "invalid_service_url"
  | "keep_alive_timeout"
  | "malformed"
  | "message_too_large"
  | "native_client_missing"
  | "not_supported"
  | "protocol_violation"
  | "queue_full"
  | "request_timeout"
  | "schema_mismatch"
  | "send_timeout"
  | "tls_failed"
  | "unsupported_compression";

/** Everything that a {@link PulsarError} may be about. */
export type PulsarErrorCode = ServerErrorCode | LocalErrorCode;

/** What to do about each, where the place that throws does not know better. */
const CURES: Readonly<Record<PulsarErrorCode, string>> = {
  unknown_error: "see the broker's log",
  metadata_error: "try again, and see the broker's log if it stays",
  persistence_error: "see whether the broker's storage is full or down",
  authentication_error: "check the token",
  authorization_error: "give the token's role the rights to produce and consume in this namespace",
  consumer_busy:
    "another consumer holds this subscription: end it, or use another subscription name or type",
  service_not_ready: "try again when the broker is up, or the topic has moved",
  producer_blocked_quota_exceeded_error:
    "let consumers acknowledge, or raise the namespace's backlog quota",
  producer_blocked_quota_exceeded_exception:
    "let consumers acknowledge, or raise the namespace's backlog quota",
  checksum_error: "send it again, and check the network if it stays",
  unsupported_version_error: "use a newer broker",
  topic_not_found: "create the topic, or check its name",
  subscription_not_found: "create the subscription, or check its name",
  consumer_not_found: "subscribe again",
  too_many_requests: "try again later, or ask for less at once",
  topic_terminated_error: "use another topic: a terminated one takes no more messages",
  producer_busy: "another producer of this name is connected: end it, or use another producer name",
  invalid_topic_name: "give a name such as orders or persistent://public/default/orders",
  incompatible_schema:
    "use another topic, or register a schema that is compatible with the one the topic has",
  consumer_assign_error: "give the subscription's consumers key ranges that do not overlap",
  transaction_coordinator_not_found: "do without transactions",
  invalid_txn_status: "do without transactions",
  not_allowed_error: "change what the broker names, or the policy that forbids it",
  transaction_conflict: "do without transactions",
  transaction_not_found: "do without transactions",
  producer_fenced: "another producer has the topic for itself: open a new one when it has gone",
  admin_conflict: "delete what exists, or use another name",
  admin_failed: "see the broker's log, and check the admin URL",
  admin_not_found: "check the names of tenant, namespace and topic",
  batch_too_large: "send fewer or smaller messages a batch",
  checksum_mismatch: "check the network and the broker's disk: the bytes are not what was sent",
  closed: "open a new one",
  connect_timeout: "check that a Pulsar broker listens there",
  connection_lost: "try again; see the broker's log and the network if it stays",
  connection_refused: "start a broker there, or give another service URL",
  cursor_beyond_checkpoint:
    "use the checkpoints that belong to this subscription, or a new subscription",
  decompression_failed: "look at its producer: the bytes are not what the compression makes",
  frame_too_large: "check that a Pulsar broker listens there, and the size it allows for messages",
  invalid_service_url: "give pulsar://HOST:PORT, or pulsar+ssl://HOST:PORT for TLS",
  keep_alive_timeout: "try again; see whether the broker hangs, or the network has gone",
  malformed: "check that what sent it is a Pulsar broker or client",
  message_too_large: "open the producer with chunking, or send less",
  native_client_missing: "use weir's own client",
  not_supported: "leave it out",
  protocol_violation: "check that a Pulsar broker listens there, and see its log",
  queue_full: "await earlier sends before more",
  request_timeout: "see whether the broker is overloaded, or raise requestTimeoutMs",
  schema_mismatch: "use the schema that the topic's messages are written with",
  send_timeout:
    "check the broker; messages may have been stored all the same, so send them again under their sequence ids where the broker deduplicates",
  tls_failed:
    "give the certificate authority that signed the broker's certificate, and the host name it was made for",
  unsupported_compression: "let the producer use NONE, LZ4, ZLIB, ZSTD or SNAPPY",
};

/** Options of a {@link PulsarError}. */
export interface PulsarErrorOptions extends WeirErrorOptions<PulsarErrorCode> {
  /** Where in the bytes the error was found, for errors of decoding. */
  readonly offset?: number;
}

/**
 * The one error of lib/pulsar. What the broker answered keeps its code; the rest says what was found here. Each says what to do.
 *
 * @example
 * ```ts
 * import { PulsarError } from "./errors.ts";
 * import assert from "node:assert/strict";
 * const error = new PulsarError("Cannot read frame: 3 bytes are left", { code: "malformed", offset: 9 });
 * assert.deepEqual([error.code, error.offset, error.retryable], ["malformed", 9, false]);
 * ```
 */
export class PulsarError extends WeirError<PulsarErrorCode> {
  override readonly name = "PulsarError";
  readonly offset: number | undefined;

  constructor(message: string, options: PulsarErrorOptions) {
    super(message, { cure: CURES[options.code], ...options });
    this.offset = options.offset;
  }
}

/** Answers after which the same call may succeed later, as Pulsar's own clients treat them. */
const RETRYABLE: ReadonlySet<string> = new Set<ServerErrorCode>([
  "unknown_error",
  "metadata_error",
  "persistence_error",
  "consumer_busy",
  "service_not_ready",
  "producer_blocked_quota_exceeded_error",
  "producer_blocked_quota_exceeded_exception",
  "checksum_error",
  "too_many_requests",
  "producer_busy",
  "consumer_assign_error",
]);

const CODE_OF_NUMBER = new Map<number, ServerErrorCode>(
  Object.entries(ServerError).map((
    [name, number],
  ) => [number, SERVER_CODES[name as keyof typeof SERVER_CODES]]),
);

/**
 * The error for what a broker answered.
 *
 * @param action what was tried, as in `Cannot <action>: …`
 * @param error the number in the answer; one that is not known counts as `unknown_error`
 * @param message the broker's words; only the first line is used, because Java brokers send whole stack traces
 */
export function serverError(
  action: string,
  error: number | undefined,
  message: string | undefined,
): PulsarError {
  const code = CODE_OF_NUMBER.get(error ?? 0) ?? "unknown_error";
  const [line] = (message ?? "").split("\n", 1);
  // Names of Java classes say nothing that the code does not.
  const words = line!.replace(/^(?:[\w.$]+(?:Exception|Error)(?:\$\w+)?:\s*)+/, "").trim();
  return new PulsarError(`Cannot ${action}: the broker says ${words === "" ? code : words}`, {
    code,
    retryable: RETRYABLE.has(code),
  });
}

/** An error of decoding. */
export function malformed(what: string, state: string, offset: number): PulsarError {
  return new PulsarError(`Cannot read ${what}: ${state}`, { code: "malformed", offset });
}
