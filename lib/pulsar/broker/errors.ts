import { messageOf, WeirError } from "../../base/mod.ts";
import type { WeirErrorOptions } from "../../base/mod.ts";
import { PulsarError, ServerError } from "../wire/mod.ts";

/**
 * What is about the machine that the broker runs on: `disk_full` and `disk_error`: the operating system refused to write or read; `damaged`:
 * bytes on disk are not what was written; `locked`: another broker has the folder; `not_writable`: the folder; `port_taken`; `closed`: used
 * after close.
 */
type HostErrorCode =
  | "disk_full"
  | "disk_error"
  | "damaged"
  | "locked"
  | "not_writable"
  | "port_taken"
  | "closed";

/** Why the broker could not do something: what is wrong with its machine, or what clients are told. */
export type BrokerErrorCode =
  | HostErrorCode
  | "authentication"
  | "authorization"
  | "conflict"
  | "consumer_assign"
  | "consumer_busy"
  | "consumer_not_found"
  | "incompatible_schema"
  | "invalid"
  | "invalid_topic"
  | "not_supported"
  | "producer_busy"
  | "producer_fenced"
  | "quota_held"
  | "quota_refused"
  | "subscription_not_found"
  | "too_many_requests"
  | "topic_not_found"
  | "topic_terminated"
  | "unsubscribe_busy";

/** What to do about the machine, where the place that throws does not know better; what clients are told is for them to explain. */
const CURES: Readonly<Record<HostErrorCode, string>> = {
  disk_full: "free some space, the broker goes on by itself",
  disk_error: "look at the disk, and at the rights of who runs the broker",
  damaged: "restore the file from a copy, or delete the topic",
  locked: "end that broker, or give --data another folder",
  not_writable: "give --data a folder that can be written",
  port_taken: "give another port, or 0 for a free one",
  closed: "start the broker again, or try again when the topic has been opened",
};

/** What the broker's own parts throw. */
export class BrokerError extends WeirError<BrokerErrorCode> {
  override readonly name = "BrokerError";

  constructor(message: string, options: WeirErrorOptions<BrokerErrorCode>) {
    const cure = CURES[options.code as HostErrorCode];
    super(message, cure === undefined ? options : { cure, ...options });
  }
}

/** What a client is told: the number in the binary protocol, the status over HTTP. */
const ANSWERS: Readonly<Record<BrokerErrorCode, readonly [ServerError, number]>> = {
  disk_full: [ServerError.PersistenceError, 507],
  disk_error: [ServerError.PersistenceError, 500],
  damaged: [ServerError.PersistenceError, 500],
  locked: [ServerError.ServiceNotReady, 503],
  not_writable: [ServerError.PersistenceError, 500],
  port_taken: [ServerError.ServiceNotReady, 503],
  closed: [ServerError.ServiceNotReady, 503],
  authentication: [ServerError.AuthenticationError, 401],
  authorization: [ServerError.AuthorizationError, 403],
  conflict: [ServerError.MetadataError, 409],
  consumer_assign: [ServerError.ConsumerAssignError, 412],
  consumer_busy: [ServerError.ConsumerBusy, 412],
  consumer_not_found: [ServerError.ConsumerNotFound, 404],
  incompatible_schema: [ServerError.IncompatibleSchema, 409],
  invalid: [ServerError.MetadataError, 412],
  invalid_topic: [ServerError.InvalidTopicName, 412],
  not_supported: [ServerError.NotAllowedError, 405],
  producer_busy: [ServerError.ProducerBusy, 412],
  producer_fenced: [ServerError.ProducerFenced, 412],
  quota_held: [ServerError.ProducerBlockedQuotaExceededError, 412],
  quota_refused: [ServerError.ProducerBlockedQuotaExceededException, 412],
  subscription_not_found: [ServerError.SubscriptionNotFound, 404],
  too_many_requests: [ServerError.TooManyRequests, 429],
  topic_not_found: [ServerError.TopicNotFound, 404],
  topic_terminated: [ServerError.TopicTerminatedError, 412],
  unsubscribe_busy: [ServerError.ServiceNotReady, 412],
};

/** An error as a command tells it. */
export interface ServerAnswer {
  readonly error: ServerError;
  readonly message: string;
}

/** The number and text that a client of the binary protocol is told. */
export function serverAnswer(error: unknown): ServerAnswer {
  const message = messageOf(error);
  if (error instanceof BrokerError) return { error: ANSWERS[error.code][0], message };
  if (error instanceof PulsarError) return { error: ServerError.MetadataError, message };
  return { error: ServerError.UnknownError, message };
}

/** The status that a client over HTTP is told. */
export function httpStatus(error: unknown): number {
  return error instanceof BrokerError ? ANSWERS[error.code][1] : 500;
}

/** What happens to whoever uses a topic while it is closed: it comes again, and the topic is opened again. */
export function unloading(): BrokerError {
  return new BrokerError("The topic is being unloaded", { code: "closed", retryable: true });
}

/** There is no such topic, in Pulsar's words. */
export function topicNotFound(name: string): BrokerError {
  return new BrokerError(`Topic ${name} not found`, { code: "topic_not_found" });
}

/** Transactions are Pulsar's, not this broker's: said in its own words, as a Pulsar does that has them switched off. */
export function noTransactions(): BrokerError {
  return new BrokerError("Transactions are not enabled.", { code: "not_supported" });
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  return code === "ENOSPC" || code === "EDQUOT" ||
    /no space left|quota exceeded/i.test(error.message);
}

/**
 * The typed error for what the disk threw.
 *
 * @param action what was tried, as in `Cannot <action>`
 * @param cause what was thrown
 */
export function diskError(action: string, cause: unknown): BrokerError {
  if (cause instanceof BrokerError) return cause;
  if (isFull(cause)) {
    return new BrokerError(`Cannot ${action}: no space left on the disk`, {
      code: "disk_full",
      retryable: true,
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError(`Cannot ${action}: ${reason}`, {
    code: "disk_error",
    retryable: true,
    cause,
  });
}
