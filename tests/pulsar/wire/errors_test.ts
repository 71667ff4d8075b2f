import assert from "node:assert/strict";
import {
  PulsarError,
  type PulsarErrorCode,
  ServerError,
  serverError,
  serverErrorNumber,
} from "../../../lib/pulsar/wire/mod.ts";
import { ServerError as Oracle } from "./pulsar_api_pb.ts";

/** Code, whether it may pass by itself, whether there is a cure. */
const SERVER_CODES: readonly [keyof typeof ServerError, PulsarErrorCode, boolean, boolean][] = [
  ["UnknownError", "unknown_error", true, false],
  ["MetadataError", "metadata_error", true, false],
  ["PersistenceError", "persistence_error", true, false],
  ["AuthenticationError", "authentication_error", false, true],
  ["AuthorizationError", "authorization_error", false, true],
  ["ConsumerBusy", "consumer_busy", true, true],
  ["ServiceNotReady", "service_not_ready", true, false],
  ["ProducerBlockedQuotaExceededError", "producer_blocked_quota_exceeded_error", true, true],
  [
    "ProducerBlockedQuotaExceededException",
    "producer_blocked_quota_exceeded_exception",
    true,
    true,
  ],
  ["ChecksumError", "checksum_error", true, false],
  ["UnsupportedVersionError", "unsupported_version_error", false, false],
  ["TopicNotFound", "topic_not_found", false, true],
  ["SubscriptionNotFound", "subscription_not_found", false, false],
  ["ConsumerNotFound", "consumer_not_found", false, false],
  ["TooManyRequests", "too_many_requests", true, false],
  ["TopicTerminatedError", "topic_terminated_error", false, true],
  ["ProducerBusy", "producer_busy", true, true],
  ["InvalidTopicName", "invalid_topic_name", false, false],
  ["IncompatibleSchema", "incompatible_schema", false, true],
  ["ConsumerAssignError", "consumer_assign_error", true, false],
  ["TransactionCoordinatorNotFound", "transaction_coordinator_not_found", false, false],
  ["InvalidTxnStatus", "invalid_txn_status", false, false],
  ["NotAllowedError", "not_allowed_error", false, false],
  ["TransactionConflict", "transaction_conflict", false, false],
  ["TransactionNotFound", "transaction_not_found", false, false],
  ["ProducerFenced", "producer_fenced", false, false],
];

Deno.test("serverError() has a code for each of Pulsar's errors, and serverErrorNumber() its number", () => {
  const names = Object.keys(Oracle).filter((name) => Number.isNaN(Number(name)));
  assert.deepEqual(SERVER_CODES.map(([name]) => name), names);
  for (const [name, code, retryable, hasCure] of SERVER_CODES) {
    const error = serverError("send", ServerError[name], "because");
    assert.ok(error instanceof PulsarError);
    assert.equal(error.code, code);
    assert.equal(error.retryable, retryable, name);
    assert.equal(error.cure !== undefined, hasCure, name);
    assert.equal(error.message, "Cannot send: the broker says because");
    assert.equal(serverErrorNumber(code), ServerError[name]);
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

Deno.test("serverErrorNumber() gives UnknownError for what only this side knows", () => {
  assert.equal(serverErrorNumber("connection_lost"), ServerError.UnknownError);
});
