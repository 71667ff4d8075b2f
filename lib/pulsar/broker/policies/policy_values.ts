import { AdminError } from "./admin_error.ts";
import { COMPATIBILITY } from "../schema/mod.ts";
import { INACTIVE_TOPIC_MODES } from "./topic_policies.ts";

/** Checks what a policy is to be set to, and gives it the form that it is kept and answered in. */
export type ParsePolicy = (body: unknown, place: string) => unknown;

/** Of Java's int. */
const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

function recordOf(body: unknown): Record<string, unknown> {
  return typeof body === "object" && body !== null ? body as Record<string, unknown> : {};
}

function isLong(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 63;
}

function isInteger(value: unknown): value is number {
  return isLong(value) && value >= INT_MIN && value <= INT_MAX;
}

/** As Jackson refuses what has the wrong type. */
function unreadable(type: string, body: unknown): AdminError {
  return new AdminError(
    400,
    `Cannot deserialize value of type \`${type}\` from ${JSON.stringify(body) ?? "nothing"}`,
  );
}

/** A whole number that is not below zero, and fits Java's type. */
export function atLeastZero(message: string, type: "int" | "long" = "int"): ParsePolicy {
  return (body) => {
    if (!(type === "int" ? isInteger(body) : isLong(body))) throw unreadable(type, body);
    if (body as number < 0) throw new AdminError(412, message);
    return body;
  };
}

/** True or false. */
export function flag(body: unknown): boolean {
  if (typeof body === "boolean") return body;
  throw unreadable("boolean", body);
}

/** `{retentionTimeInMinutes, retentionSizeInMB}`; both 0 keep nothing, −1 is no bound. */
export function retention(body: unknown): unknown {
  const { retentionTimeInMinutes: minutes = 0, retentionSizeInMB: mebibytes = 0 } = recordOf(body);
  if (!isInteger(minutes) || !isLong(mebibytes)) throw unreadable("int", body);
  if (minutes < -1) refuseRetention("time limit must be >= -1");
  if (mebibytes < -1) refuseRetention("size limit must be >= -1");
  if ((minutes === 0) !== (mebibytes === 0)) {
    refuseRetention(
      "Setting a single time or size limit to 0 is invalid when one of the limits has a non-zero value. Use the value of -1 instead of 0 to ignore a specific limit. To disable retention both limits must be set to 0.",
    );
  }
  return { retentionTimeInMinutes: minutes, retentionSizeInMB: mebibytes };
}

function refuseRetention(why: string): never {
  throw new AdminError(400, `Invalid retention policy: ${why}`);
}

const BACKLOG_POLICIES: readonly unknown[] = [
  "producer_request_hold",
  "producer_exception",
  "consumer_backlog_eviction",
];

/** `{limitSize, limitTime, policy}`; older clients say `limit` for the size. */
export function backlogQuota(body: unknown, place: string): unknown {
  const { limitSize, limit, limitTime = 0, policy } = recordOf(body);
  if (!BACKLOG_POLICIES.includes(policy)) {
    throw new AdminError(
      400,
      `Set ${place} backlog quota failed because the data validation failed. the attribute policy cannot be null`,
    );
  }
  const size = limitSize ?? limit ?? 0;
  if (!isLong(size)) throw unreadable("long", body);
  if (!isInteger(limitTime)) throw unreadable("int", body);
  return { limit: size, limitSize: size, limitTime, policy };
}

/** `{allowAutoTopicCreation, topicType, defaultNumPartitions}`. */
export function autoTopicCreation(body: unknown): unknown {
  const { allowAutoTopicCreation = false, topicType, defaultNumPartitions } = recordOf(body);
  flag(allowAutoTopicCreation);
  if (allowAutoTopicCreation !== true) return { allowAutoTopicCreation: false };
  const refuse = (why: string) => {
    throw new AdminError(
      412,
      `Invalid configuration for autoTopicCreationOverride. the detail is ${why}`,
    );
  };
  if (topicType !== "partitioned" && topicType !== "non-partitioned") {
    refuse(`Unknown topic type [${topicType}]`);
  }
  if (topicType === "non-partitioned") {
    if (defaultNumPartitions !== undefined && defaultNumPartitions !== null) {
      refuse("[defaultNumPartitions] is not allowed to be set when the type is non-partition.");
    }
    return { allowAutoTopicCreation, topicType };
  }
  if (defaultNumPartitions === undefined || defaultNumPartitions === null) {
    refuse("[defaultNumPartitions] cannot be null when the type is partitioned.");
  }
  if (!isInteger(defaultNumPartitions) || defaultNumPartitions < 1) {
    refuse("[defaultNumPartitions] cannot be less than 1 for partition type.");
  }
  return { allowAutoTopicCreation, topicType, defaultNumPartitions };
}

/** `{allowAutoSubscriptionCreation}`. */
export function autoSubscriptionCreation(body: unknown): unknown {
  const { allowAutoSubscriptionCreation = false } = recordOf(body);
  return { allowAutoSubscriptionCreation: flag(allowAutoSubscriptionCreation) };
}

/** One of Pulsar's strategies; what it does not know counts as none, as there. */
export function compatibility(body: unknown): unknown {
  return COMPATIBILITY.find((one) => one === body) ?? "UNDEFINED";
}

const KINDS: readonly unknown[] = ["Exclusive", "Shared", "Failover", "Key_Shared"];

/** Kinds of subscription. */
export function subscriptionKinds(body: unknown): unknown {
  if (!Array.isArray(body) || !body.every((kind) => KINDS.includes(kind))) {
    throw unreadable(
      "java.util.Set<org.apache.pulsar.common.policies.data.SubscriptionType>",
      body,
    );
  }
  return [...new Set(body)];
}

/** Names and texts; numbers and truth values count as their text, as for Jackson, and null as not there. @throws {AdminError} 400 */
export function stringMap(body: unknown): Record<string, string> {
  if (body === undefined || body === null) return {};
  const type = "java.util.Map<java.lang.String,java.lang.String>";
  if (typeof body !== "object" || Array.isArray(body)) throw unreadable(type, body);
  const entries = Object.entries(body).filter(([, value]) => value !== null);
  if (entries.some(([, value]) => typeof value === "object")) throw unreadable(type, body);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** Copies of each message that BookKeeper makes: kept and answered, for there is no BookKeeper here. */
const PERSISTENCE = {
  bookkeeperEnsemble: 2,
  bookkeeperWriteQuorum: 2,
  bookkeeperAckQuorum: 2,
  managedLedgerMaxMarkDeleteRate: -1,
};
const ENSEMBLE_MAX = 5;

/** `{bookkeeperEnsemble, bookkeeperWriteQuorum, bookkeeperAckQuorum, managedLedgerMaxMarkDeleteRate}`. */
export function persistence(body: unknown): unknown {
  const kept = { ...PERSISTENCE, ...recordOf(body) };
  const { bookkeeperEnsemble: ensemble, bookkeeperWriteQuorum: write } = kept;
  const { bookkeeperAckQuorum: ack, managedLedgerMaxMarkDeleteRate: rate } = kept;
  if (![ensemble, write, ack].every(isInteger)) throw unreadable("int", body);
  if (typeof rate !== "number") throw unreadable("double", body);
  const copies = { Ensemble: ensemble, WriteQuorum: write, AckQuorum: ack };
  for (const [name, count] of Object.entries(copies)) {
    if (count > 0 && count <= ENSEMBLE_MAX) continue;
    throw new AdminError(400, `Bookkeeper-${name} must be <= ${ENSEMBLE_MAX} and > 0.`);
  }
  if (ensemble < write || write < ack) {
    throw new AdminError(
      400,
      `Bookkeeper Ensemble (${ensemble}) >= WriteQuorum (${write}) >= AckQuorum (${ack})`,
    );
  }
  return kept;
}

/** `{inactiveTopicDeleteMode, maxInactiveDurationSeconds, deleteWhileInactive}`; a mode that is not known counts as none, as in Pulsar. */
export function inactiveTopics(body: unknown): unknown {
  if (body === undefined || body === null) return undefined;
  if (typeof body !== "object") {
    throw unreadable("org.apache.pulsar.common.policies.data.InactiveTopicPolicies", body);
  }
  const { maxInactiveDurationSeconds = 0, deleteWhileInactive = false } = recordOf(body);
  const { inactiveTopicDeleteMode: named } = recordOf(body);
  const mode = INACTIVE_TOPIC_MODES.find((one) => one === named);
  if (!isInteger(maxInactiveDurationSeconds)) throw unreadable("int", body);
  return {
    ...(mode === undefined ? {} : { inactiveTopicDeleteMode: mode }),
    maxInactiveDurationSeconds,
    deleteWhileInactive: flag(deleteWhileInactive),
  };
}
