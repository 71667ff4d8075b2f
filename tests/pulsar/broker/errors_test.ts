import assert from "node:assert/strict";
import {
  BrokerError,
  type BrokerErrorCode,
  diskError,
  httpStatus,
  serverAnswer,
} from "../../../lib/pulsar/broker/errors.ts";
import { PulsarError, ServerError } from "../../../lib/pulsar/wire/mod.ts";

/** The number in the binary protocol, the status over HTTP, and whether it is the machine's, so that the broker says what to do. */
const CODES: Readonly<
  Record<BrokerErrorCode, readonly [keyof typeof ServerError, number, boolean]>
> = {
  disk_full: ["PersistenceError", 507, true],
  disk_error: ["PersistenceError", 500, true],
  damaged: ["PersistenceError", 500, true],
  locked: ["ServiceNotReady", 503, true],
  not_writable: ["PersistenceError", 500, true],
  port_taken: ["ServiceNotReady", 503, true],
  closed: ["ServiceNotReady", 503, true],
  authentication: ["AuthenticationError", 401, false],
  authorization: ["AuthorizationError", 403, false],
  conflict: ["MetadataError", 409, false],
  consumer_assign: ["ConsumerAssignError", 412, false],
  consumer_busy: ["ConsumerBusy", 412, false],
  consumer_not_found: ["ConsumerNotFound", 404, false],
  incompatible_schema: ["IncompatibleSchema", 409, false],
  invalid: ["MetadataError", 412, false],
  invalid_topic: ["InvalidTopicName", 412, false],
  not_supported: ["NotAllowedError", 405, false],
  producer_busy: ["ProducerBusy", 412, false],
  producer_fenced: ["ProducerFenced", 412, false],
  quota_held: ["ProducerBlockedQuotaExceededError", 412, false],
  quota_refused: ["ProducerBlockedQuotaExceededException", 412, false],
  subscription_not_found: ["SubscriptionNotFound", 404, false],
  too_many_requests: ["TooManyRequests", 429, false],
  topic_not_found: ["TopicNotFound", 404, false],
  topic_terminated: ["TopicTerminatedError", 412, false],
  unsubscribe_busy: ["ServiceNotReady", 412, false],
};

Deno.test("serverAnswer() and httpStatus() have an answer for each code, and BrokerError a cure where it is the machine's", () => {
  for (const [code, [name, status, isHosts]] of Object.entries(CODES)) {
    const error = new BrokerError("Cannot store: because", { code: code as BrokerErrorCode });
    assert.deepEqual(serverAnswer(error), {
      error: ServerError[name],
      message: "Cannot store: because",
    });
    assert.equal(httpStatus(error), status, code);
    assert.equal(error.cure !== undefined, isHosts, code);
  }
});

Deno.test("serverAnswer() blames bytes on who sent them, and the rest on nobody", () => {
  const malformed = new PulsarError("Cannot read frame: short", { code: "malformed" });
  assert.equal(serverAnswer(malformed).error, ServerError.MetadataError);
  assert.equal(serverAnswer(new Error("unforeseen")).error, ServerError.UnknownError);
  assert.equal(httpStatus(new Error("unforeseen")), 500);
});

Deno.test("diskError() tells a full disk from one that fails, and keeps what is told already", () => {
  const full = Object.assign(new Error("write failed"), { code: "ENOSPC" });
  assert.equal(diskError("store", full).code, "disk_full");
  assert.equal(diskError("store", new Error("I/O error")).message, "Cannot store: I/O error");
  const damaged = new BrokerError("Cannot read: damaged", {
    code: "damaged",
    cure: "copy it back",
  });
  assert.equal(diskError("store", damaged), damaged);
  assert.equal(damaged.cure, "copy it back");
});
