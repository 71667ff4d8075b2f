import assert from "node:assert/strict";
import {
  PulsarError,
  type PulsarErrorCode,
  ServerError,
  serverError,
} from "../../../lib/pulsar/wire/mod.ts";
import type { LocalErrorCode } from "../../../lib/pulsar/wire/errors.ts";
import { ServerError as Oracle } from "./pulsar_api_pb.ts";

/** Code, whether it may pass by itself. */
const SERVER_CODES: readonly [keyof typeof ServerError, PulsarErrorCode, boolean][] = [
  ["UnknownError", "unknown_error", true],
  ["MetadataError", "metadata_error", true],
  ["PersistenceError", "persistence_error", true],
  ["AuthenticationError", "authentication_error", false],
  ["AuthorizationError", "authorization_error", false],
  ["ConsumerBusy", "consumer_busy", true],
  ["ServiceNotReady", "service_not_ready", true],
  ["ProducerBlockedQuotaExceededError", "producer_blocked_quota_exceeded_error", true],
  [
    "ProducerBlockedQuotaExceededException",
    "producer_blocked_quota_exceeded_exception",
    true,
  ],
  ["ChecksumError", "checksum_error", true],
  ["UnsupportedVersionError", "unsupported_version_error", false],
  ["TopicNotFound", "topic_not_found", false],
  ["SubscriptionNotFound", "subscription_not_found", false],
  ["ConsumerNotFound", "consumer_not_found", false],
  ["TooManyRequests", "too_many_requests", true],
  ["TopicTerminatedError", "topic_terminated_error", false],
  ["ProducerBusy", "producer_busy", true],
  ["InvalidTopicName", "invalid_topic_name", false],
  ["IncompatibleSchema", "incompatible_schema", false],
  ["ConsumerAssignError", "consumer_assign_error", true],
  ["TransactionCoordinatorNotFound", "transaction_coordinator_not_found", false],
  ["InvalidTxnStatus", "invalid_txn_status", false],
  ["NotAllowedError", "not_allowed_error", false],
  ["TransactionConflict", "transaction_conflict", false],
  ["TransactionNotFound", "transaction_not_found", false],
  ["ProducerFenced", "producer_fenced", false],
];

Deno.test("serverError() has a code for each of Pulsar's errors", () => {
  const names = Object.keys(Oracle).filter((name) => Number.isNaN(Number(name)));
  assert.deepEqual(SERVER_CODES.map(([name]) => name), names);
  for (const [name, code, retryable] of SERVER_CODES) {
    const error = serverError("send", ServerError[name], "because");
    assert.ok(error instanceof PulsarError);
    assert.equal(error.code, code);
    assert.equal(error.retryable, retryable, name);
    assert.ok(error.cure !== undefined && !error.cure.endsWith("."), name);
    assert.equal(error.message, "Cannot send: the broker says because");
    assert.equal(ServerError[name], Oracle[name]);
  }
});

Deno.test("serverError() takes an error of a newer broker for an unknown one", () => {
  assert.equal(serverError("send", 99, "new").code, "unknown_error");
  assert.equal(
    serverError("send", undefined, undefined).message,
    "Cannot send: the broker says unknown_error",
  );
});

Deno.test("serverError() leaves out Java's class names and stack traces", () => {
  const message =
    "org.apache.pulsar.broker.service.BrokerServiceException$NamingException: taken\n\tat x";
  assert.equal(
    serverError("send", ServerError.ProducerBusy, message).message,
    "Cannot send: the broker says taken",
  );
});

/** The type says that none is missing. */
const LOCAL_CODES: Readonly<Record<LocalErrorCode, true>> = {
  admin_conflict: true,
  admin_failed: true,
  admin_not_found: true,
  batch_too_large: true,
  checksum_mismatch: true,
  closed: true,
  connect_timeout: true,
  connection_lost: true,
  connection_refused: true,
  cursor_beyond_checkpoint: true,
  decompression_failed: true,
  frame_too_large: true,
  invalid_service_url: true,
  keep_alive_timeout: true,
  malformed: true,
  message_too_large: true,
  native_client_missing: true,
  not_supported: true,
  protocol_violation: true,
  queue_full: true,
  request_timeout: true,
  schema_mismatch: true,
  send_timeout: true,
  tls_failed: true,
  unsupported_compression: true,
};

Deno.test("PulsarError says what to do about each code, and what the thrower knows better", () => {
  for (const code of Object.keys(LOCAL_CODES) as LocalErrorCode[]) {
    const { cure } = new PulsarError("Cannot send: because", { code });
    assert.match(cure ?? "", /^\w.*[^.]$/s, code);
  }
  const error = new PulsarError("Cannot send: because", { code: "closed", cure: "wait for it" });
  assert.equal(error.cure, "wait for it");
});
